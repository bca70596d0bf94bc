"""Slack as a server is connected to it: its tokens, its health, and that nothing else waits for it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.config import Http
from pdp.dev.slack.service import SlackDouble
from pdp.dev.stack import configuration
from pdp.errors import SetupError
from pdp.process.mongod import MongodProcess
from pdp.slack_settings import SlackSettings
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, asking, is_serving, placet
from tests.pdp.channels.slack.conftest import connected, secrets_in, until
from tests.slack import TEAM, double


@pytest.fixture
async def slack() -> AsyncIterator[SlackDouble]:
    async with double() as made:
        yield made


async def until_health(server: Placet, *, serving: bool) -> None:
    async with asyncio.timeout(60):
        while await is_serving(server, "slack.clicks") is not serving:
            await asyncio.sleep(0.05)


async def test_health_says_whether_clicks_arrive(
    state: Path, mongod: MongodProcess, tmp_path: Path, slack: SlackDouble
) -> None:
    async with connected(state, mongod, tmp_path, slack=slack) as chat:
        await until_health(chat.server, serving=True)
        before = slack.sockets[-1]
        await slack.reconnect()
        await until(lambda: slack.sockets and slack.sockets[-1] is not before)
        await until_health(chat.server, serving=True)
        approval = await chat.asked()
        await chat.opened(approval)
        assert "Recorded" in await chat.sent()
    assert not slack.sockets, "closed with the server"


async def test_decisions_do_not_wait_for_slack(
    state: Path, mongod: MongodProcess, tmp_path: Path, slack: SlackDouble
) -> None:
    settings = _settings(tmp_path)
    (tmp_path / "app_token").write_text("xapp-revoked")
    known = {"slack": settings, "slack_host": slack.url, "keeps_lineage": False}
    async with placet(state, mongod.uri, http=Http(listen="127.0.0.1:0"), **known) as server:
        assert (await server.authorize(asking())).effect != Effect.EFFECT_UNSPECIFIED
        await until_health(server, serving=False)
        assert await is_serving(server)


@pytest.mark.parametrize("name", ["bot_token", "app_token"])
async def test_token_that_others_can_read_is_refused(
    state: Path, mongod: MongodProcess, tmp_path: Path, name: str
) -> None:
    settings = _settings(tmp_path)
    (tmp_path / name).chmod(0o644)
    with pytest.raises(SetupError, match=f"slack.{name}"):
        async with placet(state, mongod.uri, slack=settings, slack_host="http://127.0.0.1:1"):
            pass


def test_settings_have_one_transport_and_pages_for_http(state: Path, tmp_path: Path) -> None:
    files = secrets_in(tmp_path)
    for transport in ({}, {name: files[name] for name in ("app_token", "signing_secret")}):
        with pytest.raises(ValueError, match="one of them"):
            SlackSettings(team=TEAM, bot_token=files["bot_token"], **transport)
    with pytest.raises(ValueError, match="together"):
        SlackSettings(team=TEAM, bot_token=files["bot_token"], app_token=files["app_token"], client_id="1.2")
    hooked = SlackSettings(team=TEAM, bot_token=files["bot_token"], signing_secret=files["signing_secret"])
    plain = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://127.0.0.1:1")
    with pytest.raises(ValueError, match="give \\[http\\] too"):
        type(plain).model_validate({**dict(plain), "slack": hooked})


def _settings(folder: Path) -> SlackSettings:
    files = secrets_in(folder)
    return SlackSettings(team=TEAM, bot_token=files["bot_token"], app_token=files["app_token"])

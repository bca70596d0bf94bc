"""Teams as a server is connected to it: what comes without its signature, its secret, its health, its settings."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from pdp.dev.stack import configuration
from pdp.errors import SetupError
from pdp.process.mongod import MongodProcess
from pdp.teams_settings import TeamsSettings
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, asking, is_serving, log, placet
from tests.pdp.channels.teams.conftest import Chat, connected, reads, secret_in
from tests.teams import APP, ELSEWHERE, PEOPLE, TENANT


@pytest.fixture(scope="module")
async def chat(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    async with connected(state, mongod, tmp_path_factory.mktemp("teams")) as made:
        yield made


def click(chat: Chat, approval: Any, **changes: Any) -> dict[str, Any]:
    data = {"msteams": {"type": "task/fetch"}, "placet": "review", "approval": approval.approval_id}
    return chat.teams.activity("task/fetch", data, **changes)


async def test_message_without_the_connectors_token_is_refused_and_not_read(chat: Chat) -> None:
    approval = await chat.asked()
    teams = chat.teams
    for token in (
        "",
        teams.token(aud=TENANT),
        teams.token(iss="https://login.microsoftonline.com"),
        teams.token(serviceurl="https://smba.trafficmanager.net/amer/"),
        teams.token(serviceurl="https://evil.example/"),
        teams.token(teams.unendorsed),
        teams.token(exp=1),
        teams.by_public_key(),
    ):
        status, answer = await teams.send(click(chat, approval), token)
        assert (status, answer["detail"]) == (401, "this is for Microsoft Teams, which signs what it sends")
    for changes in (
        {"serviceUrl": "https://smba.trafficmanager.net/amer/"},
        {"channelData": {"tenant": {"id": ELSEWHERE}}},
        {"from": {"id": PEOPLE["bob"], "name": "bob"}},
    ):
        status, _ = await teams.send(click(chat, approval, **changes))
        assert status == 401
    assert await chat.refused(approval) == []
    assert "You act as user:bob" in reads(await chat.shown(click(chat, approval)))


async def test_body_of_a_stranger_is_not_waited_for(chat: Chat) -> None:
    """The answer comes before the body does."""
    length = {"Content-Type": "application/json", "Content-Length": "100000", "Authorization": "Bearer x"}
    reader, writer = await asyncio.open_connection("localhost", int(chat.server.http.rpartition(":")[2]))
    lines = [f"{name}: {value}" for name, value in {"Host": chat.server.http[7:], **length}.items()]
    writer.write("\r\n".join(["POST /teams/messages HTTP/1.1", *lines, "", ""]).encode())
    async with asyncio.timeout(10):
        assert b" 401 " in await reader.readline()
    writer.close()


async def test_message_is_json_and_post(chat: Chat) -> None:
    headers = {"Authorization": f"Bearer {chat.teams.token()}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(chat.teams.app_url, data={"payload": "{}"}) as answer:
            assert answer.status == 400
        async with session.get(chat.teams.app_url) as answer:
            assert answer.status == 405


async def test_refused_click_is_in_the_log_with_whose_account_it_was(chat: Chat) -> None:
    approval = await chat.asked()
    await chat.opened(approval, "nobody")
    records = [held for record, held in await log(chat.server, "channel.refused")]
    assert {"channel": "teams", "account": f"teams:{TENANT}/{PEOPLE['nobody']}"} in records


async def test_health_and_decisions_without_microsoft(state: Path, mongod: MongodProcess, chat: Chat) -> None:
    await until_health(chat.server, serving=True)
    lost = chat.teams.microsoft.__class__(*["http://127.0.0.1:1"] * 3)
    folder = chat.folder.parent
    settings = TeamsSettings(app_id=APP, tenant=TENANT, secret=secret_in(folder))
    async with placet(state, mongod.uri, teams=settings, microsoft=lost, keeps_lineage=False) as server:
        assert (await server.authorize(asking())).effect != Effect.EFFECT_UNSPECIFIED
        await until_health(server, serving=False)
        assert await is_serving(server)


async def test_secret_that_others_can_read_is_refused(state: Path, mongod: MongodProcess, tmp_path: Path) -> None:
    settings = TeamsSettings(app_id=APP, tenant=TENANT, secret=secret_in(tmp_path))
    settings.secret.chmod(0o644)
    with pytest.raises(SetupError, match=r"teams\.secret"):
        async with placet(state, mongod.uri, teams=settings):
            pass


def test_half_of_the_settings_is_refused(state: Path, tmp_path: Path) -> None:
    whole = {"app_id": APP, "tenant": TENANT, "secret": tmp_path}
    for name in whole:
        with pytest.raises(ValueError, match=name):
            TeamsSettings(**{one: held for one, held in whole.items() if one != name})
    with pytest.raises(ValueError, match="channels"):
        TeamsSettings(**whole, channels={"stewards": "https://teams.microsoft.com/l/channel/19"})
    plain = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://127.0.0.1:1")
    with pytest.raises(ValueError, match="give \\[http\\] too"):
        type(plain).model_validate({**dict(plain), "teams": TeamsSettings(**whole)})


async def until_health(server: Placet, *, serving: bool) -> None:
    async with asyncio.timeout(60):
        while await is_serving(server, "teams.clicks") is not serving:
            await asyncio.sleep(0.05)

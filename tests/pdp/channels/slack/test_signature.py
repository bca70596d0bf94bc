"""Signed requests over HTTP, as Slack sends them, and as others would like to."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pdp.dev.slack import clicks
from pdp.dev.slack.workspace import Message
from pdp.process.mongod import MongodProcess
from tests.damaged import damaged
from tests.pdp.channels.slack.conftest import Chat, connected, words
from tests.pdp.server.test_edge_mutation import edited, edits
from tests.slack import button


@pytest.fixture(scope="module")
async def hooked(state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chat]:
    async with connected(state, mongod, tmp_path_factory.mktemp("hook"), socket=False) as made:
        yield made


async def sent(chat: Chat, body: bytes, headers: dict[str, str]) -> int:
    url = chat.slack.request_url
    async with aiohttp.ClientSession() as client, client.post(url, data=body, headers=headers) as got:
        await got.read()
        return got.status


async def test_people_review_over_http(hooked: Chat) -> None:
    approval = await hooked.asked()
    await hooked.opened(approval)
    assert "Recorded: APPROVE as user:bob" in await hooked.sent()
    assert not hooked.slack.sockets


async def test_signature_counts_once_for_its_bytes_and_its_time(hooked: Chat) -> None:
    now, body = int(time.time()), urlencode({"payload": "{}"}).encode()
    good = hooked.slack.signed(body, now)
    assert await sent(hooked, body, good) == 200
    assert await sent(hooked, body, good) == 401, "replayed"
    assert await sent(hooked, body, hooked.slack.signed(body, now - 360)) == 401, "6 minutes old"
    assert await sent(hooked, body, hooked.slack.signed(body, now + 360)) == 401
    assert await sent(hooked, body, hooked.slack.signed(body, now, "other")) == 401, "of another secret"
    again = urlencode({"payload": "{ }"}).encode()
    assert await sent(hooked, again, hooked.slack.signed(body, now - 1)) == 401, "another body"
    encoded = body.replace(b"%7B", b"%7b")
    assert await sent(hooked, encoded, hooked.slack.signed(body, now - 2)) == 401, "encoded anew"
    for name in ("X-Slack-Signature", "X-Slack-Request-Timestamp"):
        headers = {key: value for key, value in hooked.slack.signed(body, now - 3).items() if key != name}
        assert await sent(hooked, body, headers) == 401, f"no {name}"


async def test_signature_is_asked_for_before_the_body_is_read(hooked: Chat) -> None:
    assert await sent(hooked, b"x" * (600 << 10), {"Content-Type": "application/x-www-form-urlencoded"}) == 401


@pytest.mark.parametrize("body", [b"", b"payload=x", b"other=%7B%7D", b"payload=%7B%7D&payload=%7B%7D", b"\xff=1"])
async def test_what_is_signed_and_not_known_is_dropped(hooked: Chat, body: bytes) -> None:
    assert await sent(hooked, body, hooked.slack.signed(body, int(time.time()))) == 200


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_damaged_body_that_is_signed_is_acknowledged(hooked: Chat, data: st.DataObject) -> None:
    """With damage to the form, to its JSON, or to what that says."""
    notice = Message("CSTEWARDS", "1.2", "waits", [{**button("placet.review", "apr_" + "0" * 32), "block_id": "b"}])
    click = clicks.of_button(hooked.slack.space, hooked.slack.space.users["UNEW"], notice, "placet.review")
    changed = json.dumps(data.draw(damaged(click)))
    body = edited(urlencode({"payload": changed}).encode(), data.draw(edits | st.just([])))
    stamped = int(time.time()) - data.draw(st.integers(0, 200))
    status = await sent(hooked, body, hooked.slack.signed(body, stamped))
    assert status in {200, 400, 401}, body
    assert status != 401 or not body or (await sent(hooked, body, hooked.slack.signed(body, stamped))) == 401
    hooked.slack.space._calls.clear()


async def test_replayed_click_opens_nothing(hooked: Chat) -> None:
    approval = await hooked.asked()
    notice = await hooked.noticed(approval)
    told = clicks.of_button(hooked.slack.space, hooked.slack.space.users["UNEW"], notice, "placet.review")
    await hooked.slack.deliver(told)
    message = await hooked.whispered("UNEW")
    assert "belongs to nobody here" in words(message.blocks)

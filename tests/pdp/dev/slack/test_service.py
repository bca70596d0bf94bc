"""The real slack_sdk against the double: the Web API, Socket Mode, signed requests; and the page of its people."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from pdp.dev.slack.service import SlackDouble
from tests.slack import APP, BOT, SECRET, asking, button, double, modal

Handle = Callable[[SocketModeRequest], Awaitable[dict[str, Any] | None]]


@pytest.fixture
async def slack() -> AsyncIterator[SlackDouble]:
    async with double() as made:
        yield made


def api(slack: SlackDouble, token: str = BOT) -> AsyncWebClient:
    return AsyncWebClient(token, base_url=f"{slack.url}/api/", retry_handlers=[])


@asynccontextmanager
async def connected(slack: SlackDouble, handle: Handle) -> AsyncIterator[None]:
    """An app that answers over Socket Mode; None from `handle` is no answer."""

    async def listen(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        answer = await handle(request)
        if answer is not None:
            await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, answer))

    client = SocketModeClient(APP, web_client=api(slack), ping_interval=0.1)
    client.socket_mode_request_listeners.append(listen)
    await client.connect()
    try:
        yield
    finally:
        await client.close()


async def posted(slack: SlackDouble) -> None:
    await api(slack).chat_postMessage(channel="CSTEWARDS", text="waits", blocks=[button("review", "apr_1")])


async def refused(call: Awaitable[Any]) -> str:
    with pytest.raises(SlackApiError) as error:
        await call
    return str(error.value.response["error"])


async def test_web_api_takes_its_token_alone(slack: SlackDouble) -> None:
    assert (await api(slack).auth_test())["team_id"] == "T1"
    assert await refused(api(slack, "xoxb-other").auth_test()) == "invalid_auth"
    client = SocketModeClient("xapp-other", web_client=api(slack))
    assert await refused(client.issue_new_wss_url()) == "invalid_auth"
    await client.close()


async def test_rate_limit_says_when_to_come_again(slack: SlackDouble) -> None:
    await posted(slack)
    with pytest.raises(SlackApiError) as error:
        await posted(slack)
    assert (error.value.response.status_code, error.value.response.headers["Retry-After"]) == (429, "1")


async def test_lost_answer_leaves_the_message(slack: SlackDouble) -> None:
    slack.lost.add("chat.postMessage")
    with pytest.raises(aiohttp.ClientError):
        await posted(slack)
    assert len(slack.space.messages) == 1


async def test_click_opens_a_modal_which_is_submitted(slack: SlackDouble) -> None:
    told: list[dict[str, Any]] = []

    async def handle(request: SocketModeRequest) -> dict[str, Any] | None:
        told.append(request.payload)
        if request.payload["type"] == "block_actions":
            await api(slack).views_open(trigger_id=request.payload["trigger_id"], view=asking())
            return {}
        return {"response_action": "update", "view": modal()}

    await posted(slack)
    async with connected(slack, handle):
        assert await slack.click("UBOB", slack.space.messages[0], "review")
        assert not await slack.submit("UBOB", reason="no verdict")
        assert (asked := slack.space.open_view("UBOB"))
        assert asked.typed == {"reason": "no verdict"}, "what was typed stays where Slack asks for more"
        assert await slack.submit("UBOB", verdict="DENY", reason="why not")
    assert told[0]["user"] == {"id": "UBOB", "username": "bob", "name": "bob", "team_id": "T1"}
    assert (told[0]["actions"][0]["action_id"], told[0]["actions"][0]["value"]) == ("review", "apr_1")
    values = told[1]["view"]["state"]["values"]
    assert values["verdict"]["verdict"]["selected_option"]["value"] == "DENY"
    assert values["reason"]["reason"] == {"type": "plain_text_input", "value": "why not"}
    assert (opened := slack.space.open_view("UBOB"))
    assert "submit" not in opened.view


async def test_envelope_is_sent_again_until_it_is_acknowledged(
    slack: SlackDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pdp.dev.slack.service.ANSWER_SECONDS", 0.2)
    seen: list[tuple[str, int]] = []

    async def handle(request: SocketModeRequest) -> dict[str, Any] | None:
        seen.append((request.envelope_id, request.retry_attempt or 0))
        return {} if len(seen) == 2 else None

    await posted(slack)
    async with connected(slack, handle):
        assert await slack.click("UBOB", slack.space.messages[0], "review")
    assert seen == [(seen[0][0], 0), (seen[0][0], 1)]


async def test_app_that_is_told_to_reconnect_does(slack: SlackDouble) -> None:
    async def handle(_: SocketModeRequest) -> dict[str, Any] | None:
        return {}

    await posted(slack)
    async with connected(slack, handle):
        before = slack.sockets[-1]
        await slack.reconnect()
        async with asyncio.timeout(10):
            while not slack.sockets or slack.sockets[-1] is before:
                await asyncio.sleep(0.02)
        assert await slack.click("UBOB", slack.space.messages[0], "review")


async def test_without_an_app_nothing_is_acknowledged(slack: SlackDouble) -> None:
    await posted(slack)
    assert not await slack.click("UBOB", slack.space.messages[0], "review")


async def test_requests_are_signed_as_slack_signs_them(slack: SlackDouble) -> None:
    verifier, good = SignatureVerifier(SECRET), list[bool]()

    async def taken(request: web.Request) -> web.Response:
        body = await request.read()
        good.append(verifier.is_valid_request(body, dict(request.headers)))
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/slack/interactions", taken)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/interactions"
    await posted(slack)
    assert await slack.click("UBOB", slack.space.messages[0], "review")
    assert good == [True]
    old = slack.signed(b"x", int(time.time()) - 360)
    assert not verifier.is_valid_request(b"x", old)
    await runner.cleanup()
    assert not await slack.click("UBOB", slack.space.messages[0], "review")


async def test_page_shows_and_acts(slack: SlackDouble) -> None:
    async def handle(request: SocketModeRequest) -> dict[str, Any] | None:
        if request.payload["type"] == "block_actions":
            await api(slack).views_open(trigger_id=request.payload["trigger_id"], view=asking())
            return {}
        return None if request.payload["view"]["submit"]["text"] == "Never" else {}

    await posted(slack)
    click = {"as": "UBOB", "ts": slack.space.messages[0].ts, "click": "review"}
    async with connected(slack, handle), aiohttp.ClientSession() as browser:
        assert (await browser.post(f"{slack.url}/act", data=click)).status == 403
        own = {"Origin": slack.url}
        page = await (await browser.post(f"{slack.url}/act", data=click, headers=own)).text()
        assert "<dialog open><h2>Review</h2>" in page
        sent = {"as": "UBOB", "verdict": "DENY", "reason": ""}
        page = await (await browser.post(f"{slack.url}/act", data=sent, headers=own)).text()
        assert "<dialog" not in page
        await browser.post(f"{slack.url}/act", data=click, headers=own)
        page = await (await browser.post(f"{slack.url}/act", data={"as": "UBOB", "close": "yes"}, headers=own)).text()
        assert "<dialog" not in page
        assert "dialog" in await (await browser.get(f"{slack.url}/style.css")).text()

"""Slack as a server for one app: the Web API, Socket Mode, signed requests over HTTP, and a page for its people.

It is for `pdp dev --slack` and tests. It listens on loopback only, and everybody on this machine can be anybody here.
"""

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler

from pdp.dev.slack import clicks, page
from pdp.dev.slack.workspace import Failed, Message, Opened, Workspace

ANSWER_SECONDS = 3.0
"""Seconds in which an app acknowledges."""
DELIVERIES = 3
"""Times that an envelope is sent over Socket Mode until it is acknowledged."""
TROUBLE = "We had some trouble connecting. Try again?"
"""What a person reads in a modal whose app did not answer."""


@dataclass(slots=True)
class Socket:
    """A connection of Socket Mode, and the envelopes that wait for their acknowledgement."""

    web: web.WebSocketResponse
    waiting: dict[str, asyncio.Future[Any]] = field(default_factory=dict)


class SlackDouble:
    """Serves a workspace. With `request_url` clicks go there, signed with `secret`; else over Socket Mode."""

    def __init__(self, space: Workspace, bot_token: str, app_token: str = "", secret: str = "") -> None:
        self.space, self._bot_token, self._app_token, self._secret = space, bot_token, app_token, secret
        self.request_url = self.url = ""
        self.is_away = False
        """Whether every call is answered with 503, by no word of Slack's."""
        self.sockets: list[Socket] = []
        self.lost: set[str] = set()
        """Methods of the Web API whose next call is done, and its answer lost."""
        self.trouble: dict[str, str] = {}
        """What each person reads in the modal that is open."""
        self._tickets: set[str] = set()
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; `url` is where."""
        app = web.Application(client_max_size=1 << 20, middlewares=[self._present])
        app.add_routes(
            [
                web.post("/api/{method}", self._api),
                web.get("/socket", self._socket),
                web.get("/", self._page),
                web.get("/style.css", self._style),
                web.post("/act", self._act),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://localhost:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close every connection."""
        for socket in list(self.sockets):
            await socket.web.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def click(self, user: str, message: Message, action_id: str) -> bool:
        """A person clicks a button of a message. Returns whether the app acknowledged."""
        told = clicks.of_button(self.space, self.space.users[user], message, action_id)
        return await self.deliver(told) is not None

    async def submit(self, user: str, **typed: str) -> bool:
        """A person submits the modal that is open. Returns whether the app acknowledged."""
        opened = self.space.open_view(user)
        if opened is None:
            return False
        opened.typed = typed
        if clicks.missing(opened, typed):
            return False
        return await self.submitted(opened, clicks.of_modal(self.space, self.space.users[user], opened, typed))

    async def submitted(self, opened: Opened, told: Mapping[str, Any]) -> bool:
        """Tell the app of a submitted modal, and do what it answers."""
        answer = await self.deliver(told)
        self.trouble.pop(opened.user, None)
        if answer is None:
            self.trouble[opened.user] = TROUBLE
            return False
        if errors := answer.get("errors"):
            self.trouble[opened.user] = " ".join(errors.values())
        elif answer.get("response_action") == "update":
            self.space.put(opened, answer["view"])
        else:
            opened.is_closed = True
        return True

    async def deliver(self, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell the app of an interaction. Returns what it answers; None where it did not acknowledge in time."""
        return await (self._post(payload) if self.request_url else self._send(payload))

    async def send(self, envelope: Mapping[str, Any]) -> dict[str, Any] | None:
        """Send an envelope until it is acknowledged; each time over the connection that is the newest by then."""
        for attempt in range(DELIVERIES):
            if not self.sockets:
                return None
            socket, acknowledged = self.sockets[-1], asyncio.get_running_loop().create_future()
            socket.waiting[envelope["envelope_id"]] = acknowledged
            await socket.web.send_str(json.dumps({**envelope, "retry_attempt": attempt}))
            try:
                return dict(await asyncio.wait_for(acknowledged, ANSWER_SECONDS))
            except TimeoutError:
                continue
        return None

    async def reconnect(self) -> None:
        """Ask the app for another connection, as Slack does every few hours."""
        for socket in list(self.sockets):
            await socket.web.send_str(json.dumps({"type": "disconnect", "reason": "refresh_requested"}))
            await socket.web.close()

    def signed(self, body: bytes, at: int, secret: str | None = None) -> dict[str, str]:
        """The headers of a request that tells of an interaction."""
        base = b"v0:%d:%b" % (at, body)
        made = hmac.new((self._secret if secret is None else secret).encode(), base, sha256).hexdigest()
        return {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": str(at),
            "X-Slack-Signature": f"v0={made}",
        }

    async def _send(self, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        members = {"type": "interactive", "payload": payload, "accepts_response_payload": True}
        return await self.send({"envelope_id": secrets.token_hex(16), **members})

    async def _post(self, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        body = urlencode({"payload": json.dumps(payload)}).encode()
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as client,
                client.post(self.request_url, data=body, headers=self.signed(body, int(time.time()))) as answer,
            ):
                text = await answer.text()
                return (json.loads(text) if text else {}) if answer.ok else None
        except (TimeoutError, aiohttp.ClientError):
            return None

    @web.middleware
    async def _present(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.is_away:
            raise web.HTTPServiceUnavailable
        return await handler(request)

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            if method == "apps.connections.open":
                return web.json_response(self._connection(sent))
            self._require_bot(sent)
            answer = self.space.call(method, await _given(request))
        except Failed as error:
            status, headers = (429, {"Retry-After": str(error.retry_after)}) if error.retry_after else (200, {})
            return web.json_response({"ok": False, "error": error.error}, status=status, headers=headers)
        if method in self.lost and request.transport is not None:
            self.lost.discard(method)
            request.transport.abort()
        return web.json_response(answer)

    def _require_bot(self, sent: str) -> None:
        if not hmac.compare_digest(sent.encode(), self._bot_token.encode()):
            raise Failed("invalid_auth" if sent else "not_authed")

    def _connection(self, sent: str) -> dict[str, Any]:
        if not self._app_token or not hmac.compare_digest(sent.encode(), self._app_token.encode()):
            raise Failed("invalid_auth")
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return {"ok": True, "url": f"{self.url.replace('http', 'ws', 1)}/socket?ticket={ticket}"}

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            raise web.HTTPForbidden
        self._tickets.discard(ticket)
        socket = Socket(web.WebSocketResponse())
        await socket.web.prepare(request)
        await socket.web.send_str(json.dumps({"type": "hello", "num_connections": len(self.sockets) + 1}))
        self.sockets.append(socket)
        try:
            async for message in socket.web:
                said = json.loads(message.data)
                acknowledged = socket.waiting.pop(said.get("envelope_id", ""), None)
                if acknowledged is not None and not acknowledged.done():
                    acknowledged.set_result(said.get("payload") or {})
        finally:
            self.sockets.remove(socket)
        return socket.web

    async def _page(self, request: web.Request) -> web.Response:
        user = self.space.users.get(request.query.get("as", ""), next(iter(self.space.users.values())))
        text = page.of(self.space, user, self.trouble.get(user.id, ""))
        return web.Response(text=text, content_type="text/html", headers=page.HEADERS)

    async def _style(self, _: web.Request) -> web.Response:
        return web.Response(text=page.STYLE, content_type="text/css")

    async def _act(self, request: web.Request) -> web.Response:
        """What a person does on the page."""
        if request.headers.get("Origin") != self.url:
            raise web.HTTPForbidden
        form = {name: str(value) for name, value in (await request.post()).items()}
        user = form.pop("as", "")
        opened = self.space.open_view(user)
        if "click" in form:
            [message] = [one for one in self.space.of_user(user) if one.ts == form["ts"]]
            await self.click(user, message, form["click"])
        elif form.pop("close", "") and opened is not None:
            opened.is_closed = True
        elif opened is not None:
            await self.submit(user, **form)
        raise web.HTTPSeeOther(f"/?{urlencode({'as': user})}")


async def _given(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        return dict(await request.json())
    return {name: str(value) for name, value in (await request.post()).items()}

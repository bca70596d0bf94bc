"""What tests of notifications share: a webhook's receiver on this machine, and a second reading of the signature."""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from pymongo import AsyncMongoClient

from pdp.v1.approval_pb2 import GetApprovalRequest, Notification
from pdp.webhook_settings import Webhook
from tests.faults import eventually
from tests.parts import Placet

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Received:
    """One HTTP request, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def is_signed_by(self) -> Callable[[str], bool]:
        return lambda secret: (
            self.headers["webhook-signature"]
            == signature(secret, self.id, self.headers["webhook-timestamp"], self.body)
        )


async def taken(_: web.Request) -> web.StreamResponse:
    return web.Response(status=204)


@dataclass
class Receiver:
    """Answers with `answer`, and keeps what came."""

    folder: Path
    port: int = 0
    answer: Answer = taken
    received: list[Received] = field(default_factory=list)
    secret: str = field(default_factory=lambda: "whsec_" + base64.b64encode(os.urandom(32)).decode())

    def config(self, name: str = "ops", **members: Any) -> Webhook:
        """The webhook that leads here."""
        file = self.folder / f"{name}.secret"
        file.write_text(self.secret + "\n")
        file.chmod(0o600)
        return Webhook(**{"name": name, "url": f"http://127.0.0.1:{self.port}/hook?a=1", "secret": file, **members})

    def events(self, approval_id: str) -> list[str]:
        return [one.event["type"] for one in self.received if one.event["subject"] == approval_id]

    async def heard(self, approval_id: str, count: int = 1) -> list[Received]:
        """What came about an approval, as soon as it is so many."""

        async def look() -> list[Received]:
            found = [one for one in self.received if one.event["subject"] == approval_id]
            return found if len(found) >= count else []

        return await eventually(look, seconds=20)


@asynccontextmanager
async def receiver(folder: Path, answer: Answer = taken) -> AsyncIterator[Receiver]:
    """A webhook's other side on a free port."""
    held = Receiver(folder, answer=answer)

    async def handle(request: web.Request) -> web.StreamResponse:
        held.received.append(Received(request.path_qs, dict(request.headers), await request.read()))
        return await held.answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        held.port = runner.addresses[0][1]
        yield held
    finally:
        await runner.cleanup()


def signature(secret: str, message_id: str, at: str, body: bytes) -> str:
    """Standard Webhooks once more, from its text: HMAC-SHA256 of `id.timestamp.body` under the decoded secret."""
    mac = hmac.new(base64.b64decode(secret[6:]), digestmod=hashlib.sha256)
    mac.update(b".".join([message_id.encode(), at.encode(), body]))
    return "v1," + base64.b64encode(mac.digest()).decode("ascii")


async def notifications(server: Placet, approval_id: str, by: str = "report-bot") -> list[Notification]:
    request = GetApprovalRequest(approval_id=approval_id)
    return list((await server.approvals.GetApproval(request, metadata=server.metadata(by))).notifications)


async def due_now(mongodb_uri: str, server: Placet) -> None:
    """As if the time of every waiting message's next attempt had come."""
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri) as client:
        await client[server.database]["notifications"].update_many(
            {"progress": "waiting"}, [{"$set": {"due_at": "$$NOW"}}]
        )

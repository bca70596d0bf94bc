"""Calls of a server's HTTP face, as any client makes them."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from typing import Any

import aiohttp
import orjson

from pdp.dev import identity
from tests.described import require_described
from tests.parts import Placet

BOT = {"type": "agent", "id": "report-bot"}
ALICE = {"type": "user", "id": "alice"}


@dataclass(frozen=True)
class Response:
    """What came back; `json` is its body where that is JSON."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


def question(action: str = "read", tags: list[str] | None = None, **members: Any) -> dict[str, Any]:
    """`report-bot`, on behalf of alice, about the table customers: what `tests.parts.asking` is for gRPC."""
    return {
        "subject": BOT,
        "action": {"name": action},
        "resource": {"type": "table", "id": "customers", "properties": {"tags": tags or []}},
        "options": {"on_behalf_of": [ALICE]},
        **members,
    }


async def send(server: Placet, method: str, path: str, by: str = "", body: Any = None, **headers: str) -> Response:
    """A call with a dev token of `by`; `body` is sent as it is if it is bytes, else as JSON."""
    own = {name.replace("_", "-"): value for name, value in headers.items()}
    if by:
        own["Authorization"] = f"Bearer {identity.token(server.state, by)}"
    if body is not None:
        own.setdefault("Content-Type", "application/json")
    data = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
    async with (
        aiohttp.ClientSession(skip_auto_headers=["Content-Type"]) as session,
        session.request(method, server.http + path, data=data and BytesIO(data), headers=own) as answer,
    ):
        content = await answer.read()
        require_described(server, method, path, body, answer.status, answer.headers.get("Content-Type", ""), content)
        return Response(answer.status, answer.headers, content)


async def decided(server: Placet, body: Any, by: str = "report-bot") -> Any:
    """The JSON of an evaluation, which is asked again as long as MongoDB is too slow, as where much else runs."""
    async with asyncio.timeout(60):
        while (answer := await evaluate(server, body, by)).status == HTTPStatus.SERVICE_UNAVAILABLE:
            await asyncio.sleep(0.2)
    return answer.json


async def evaluate(server: Placet, body: Any, by: str = "report-bot", **headers: str) -> Response:
    return await send(server, "POST", "/access/v1/evaluation", by, body, **headers)


async def evaluate_all(server: Placet, body: Any, by: str = "report-bot", **headers: str) -> Response:
    return await send(server, "POST", "/access/v1/evaluations", by, body, **headers)

"""What the server says of itself: asked once a connection, because the server behind the next one may be another.

It is asked again after an error that an update can be the cause of: the connection may be one to a proxy, or have come
about anew for a call that needed no facts.
"""

import asyncio
from collections.abc import Awaitable, Callable

import grpc

from pdp.client.awaiting import heard
from pdp.client.link import Link
from pdp.v1.info_pb2 import GetServerInfoResponse

_OF_ANOTHER_SERVER = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INVALID_ARGUMENT}
"""The second stands for REQUEST_DIFFERS, DIGEST_REQUIRED, and a field that an older server does not know."""


class Facts:
    """The facts of the server at the other end of a link. `ask` asks for them within so many seconds."""

    def __init__(self, link: Link, ask: Callable[[float], Awaitable[GetServerInfoResponse]]) -> None:
        self._link, self._ask = link, ask
        self._asking: asyncio.Task[GetServerInfoResponse] | None = None
        self._held: GetServerInfoResponse | None = None

    def noticed(self, error: grpc.aio.AioRpcError) -> None:
        """An error of any call: after some the server may be another one."""
        if error.code() in _OF_ANOTHER_SERVER:
            self._held = None

    async def now(self, seconds: float, *, anew: bool = False) -> GetServerInfoResponse:
        """The facts, held as long as the connection lasts. Calls that come at once ask together.

        Raises `AioRpcError`.
        """
        if self._held is not None and self._link.is_connected and not anew:
            return self._held
        if self._asking is None or self._asking.done():
            self._asking = heard(asyncio.get_running_loop().create_task(self._asked(seconds)))
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(self._asking)
        except TimeoutError:
            none = grpc.aio.Metadata()
            code = grpc.StatusCode.DEADLINE_EXCEEDED
            raise grpc.aio.AioRpcError(code, none, none, "the server did not say what it is in time") from None

    async def _asked(self, seconds: float) -> GetServerInfoResponse:
        self._held = None
        self._held = await self._ask(seconds)
        return self._held


def unsaid(error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
    """The error where what answers does not say what it takes."""
    details = (
        "what answers here does not say what it takes (GetServerInfo is not implemented), so nothing was asked; let "
        "the gateway on the way pass pdp.v1.InfoService on, too"
    )
    return grpc.aio.AioRpcError(error.code(), error.initial_metadata(), error.trailing_metadata(), details)

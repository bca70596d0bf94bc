"""The status with which a server ended a stream, as opposed to one that gRPC made because a write failed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import grpc

T = TypeVar("T")

_STATUS_SECONDS = 2.0
"""Seconds that the server's status may take behind a write that failed because of it; it has left the server then."""


class Refusal:
    """The server's own status of one call, kept as soon as it is there. `noticed` hears of it."""

    def __init__(self, call: Any, noticed: Callable[[grpc.aio.AioRpcError], None]) -> None:
        self._noticed = noticed
        self._status: asyncio.Future[grpc.aio.AioRpcError] = asyncio.get_running_loop().create_future()
        call.add_done_callback(self._note)

    async def behind(self, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        """The server's status that made `error`; UNAVAILABLE where a write failed and no status follows."""
        if not _is_of_grpc(error):
            return error
        await asyncio.wait([self._status], timeout=_STATUS_SECONDS)
        return self._status.result() if self._status.done() else _broken(error)

    def _note(self, call: Any) -> None:
        """Keep the server's status. gRPC calls this at each: one of its own may come before it or replace it."""
        if self._status.done():
            return
        status = grpc.aio.AioRpcError(
            _at_once(call.code()),
            grpc.aio.Metadata(),
            _at_once(call.trailing_metadata()),
            _at_once(call.details()),
        )
        if not _is_of_grpc(status):
            self._status.set_result(status)
            self._noticed(status)


def _broken(error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
    """The connection broke while something was written: gRPC says INTERNAL then, as of a fault of the server."""
    none = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE, none, none, "the connection ended while data was sent", error.debug_error_string()
    )


def _at_once(ready: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that has nothing to wait for."""
    try:
        ready.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    raise AssertionError("the call is done, so its status is there")


def _is_of_grpc(error: grpc.aio.AioRpcError) -> bool:
    """Whether gRPC made the status because a write failed: the server's errors have details."""
    return error.code() is grpc.StatusCode.INTERNAL and not error.trailing_metadata()

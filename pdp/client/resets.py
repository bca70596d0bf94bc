"""Connections that were reset while they opened. Nothing was sent on them, so the call is tried again.

A server of several workers closes the socket of one of them when it is replaced; who is just coming there is reset, and
the next attempt comes to another worker.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc

from pdp.client.backoff import Backoff

MOST = 3
"""Times that one call is tried again for it."""
_NO_CONNECTION = "failed to connect"
"""How gRPC's words begin where no connection came about."""
_RESET = ("Connection reset", "Broken pipe")
"""What the system says of a connection that the other end threw away."""
_Answer = TypeVar("_Answer")


class Resets:
    """Counts them, for one client."""

    count = 0

    async def survived(self, call: Callable[[float], Awaitable[_Answer]], end: float) -> _Answer:
        """The answer of a call, which gets the seconds until `end` on the loop's clock.

        It is made again while its connection is reset.
        """
        clock, backoff = asyncio.get_running_loop().time, Backoff()
        for _ in range(MOST):
            try:
                return await call(max(end - clock(), 0.001))
            except grpc.aio.AioRpcError as error:
                if not was_reset(error) or end - clock() <= backoff.seconds:
                    raise
            self.count += 1
            await backoff.pause()
        return await call(max(end - clock(), 0.001))


def was_reset(error: grpc.aio.AioRpcError) -> bool:
    """Whether the connection came to nothing because the other end reset it."""
    said = error.details() or ""
    is_away = error.code() is grpc.StatusCode.UNAVAILABLE and said.startswith(_NO_CONNECTION)
    return is_away and any(word in said for word in _RESET)

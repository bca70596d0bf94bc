"""Connections that were reset while they opened. Nothing was sent on them, so the call is tried again.

A server of several workers closes the socket of one of them when it is replaced; who is just coming there is reset, and
the next attempt comes to another worker.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc

PAUSES_SECONDS = (0.15, 0.25, 0.4)
"""Before each further attempt of one call, and up to a quarter more by chance. gRPC has shorter pauses of its own, in
which it fails each call without an attempt."""
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
        clock = asyncio.get_running_loop().time
        for pause in PAUSES_SECONDS:
            try:
                return await call(max(end - clock(), 0.001))
            except grpc.aio.AioRpcError as error:
                if not was_reset(error) or end - clock() <= pause:
                    raise
            self.count += 1
            await asyncio.sleep(random.uniform(pause, 1.25 * pause))  # noqa: S311  # jitter
        return await call(max(end - clock(), 0.001))


def was_reset(error: grpc.aio.AioRpcError) -> bool:
    """Whether the connection came to nothing because the other end reset it."""
    said = error.details() or ""
    is_away = error.code() is grpc.StatusCode.UNAVAILABLE and said.startswith(_NO_CONNECTION)
    return is_away and any(word in said for word in _RESET)

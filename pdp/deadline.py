"""Knows how long the present call may still take.

The edge sets it once; every place where the call waits for another process asks it.
"""

import asyncio
import math
from contextvars import ContextVar

from pdp.errors import PdpError

MARGIN_SECONDS = 0.02
"""Seconds by which every wait ends before the caller's own deadline, so that the caller still gets the error."""
DEFAULT_SECONDS = 2.0
"""Seconds that a call may take if the client set no deadline."""
MAX_SECONDS = 10.0
"""Seconds that a call may take, even if the client's deadline is later."""

_deadline: ContextVar[float] = ContextVar("deadline")


class OutOfTime(PdpError):
    """The work left too little of the call's time to use its decision; nothing was used."""

    code = "DEADLINE_EXCEEDED"
    reason = "OUT_OF_TIME"


def begin(remaining: float | None, limit: float | None = None) -> None:
    """Start a call that has `remaining` seconds left, as gRPC says (None: the client set no deadline).

    An RPC with a limit of its own passes `limit`; it replaces `DEFAULT_SECONDS` and `MAX_SECONDS`.
    """
    seconds = (limit or DEFAULT_SECONDS) if remaining is None else min(remaining, limit or MAX_SECONDS)
    _deadline.set(asyncio.get_running_loop().time() + seconds - MARGIN_SECONDS)


def within(seconds: float) -> asyncio.Timeout:
    """A timeout of at most `seconds` that also ends before the call must end. It raises `TimeoutError` as usual."""
    return asyncio.timeout_at(end(seconds, 0.0))


async def settled(future: asyncio.Future[None], seconds: float, *, spare: float = 0.0) -> None:
    """Wait for a future that belongs to the waiter. At a timeout the future itself ends with the `TimeoutError`.

    It does the work of `within` at a third of its cost. `spare` seconds, but at most a quarter of the time that is
    left, stay for the work that follows the wait.
    """
    timer = asyncio.get_running_loop().call_at(end(seconds, spare), _give_up, future)
    try:
        await future
    finally:
        timer.cancel()


def left() -> float:
    """Seconds that the present call may still take; of a stream, which has no deadline, without an end."""
    return _deadline.get(math.inf) - asyncio.get_running_loop().time()


def _give_up(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())


def end(seconds: float, spare: float) -> float:
    """The time, by the loop's clock, at which a wait of at most `seconds` must end.

    It leaves `spare` seconds, but at most a quarter of the time that is left, for the rest of the call.
    """
    now = asyncio.get_running_loop().time()
    last = _deadline.get(now + seconds + spare)
    return min(now + seconds, last - min(spare, (last - now) / 4))

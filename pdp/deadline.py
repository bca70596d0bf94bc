"""How long the present call may still take. Set once at the edge, asked wherever the call waits for somebody else."""

import asyncio
from contextvars import ContextVar

MARGIN_SECONDS = 0.02
"""Waits end this much before the caller gives up, so that it hears why."""
DEFAULT_SECONDS = 2.0
MAX_SECONDS = 10.0

_deadline: ContextVar[float] = ContextVar("deadline")


def begin(remaining: float | None, limit: float | None = None) -> None:
    """A call starts that has `remaining` seconds, as gRPC says (None: the client set no deadline).

    `limit` takes the place of both of ours where the RPC has one of its own.
    """
    seconds = (limit or DEFAULT_SECONDS) if remaining is None else min(remaining, limit or MAX_SECONDS)
    _deadline.set(asyncio.get_running_loop().time() + seconds - MARGIN_SECONDS)


def within(seconds: float) -> asyncio.Timeout:
    """A timeout of at most `seconds` that also ends before the call must; `TimeoutError` as usual."""
    return asyncio.timeout_at(end(seconds, 0.0))


async def settled(future: asyncio.Future[None], seconds: float, *, spare: float = 0.0) -> None:
    """`within` for a future of the waiter's own, for a third of the price: it ends with the `TimeoutError`.

    `spare` seconds, but no more than a quarter of what is left, remain for what comes then.
    """
    timer = asyncio.get_running_loop().call_at(end(seconds, spare), _give_up, future)
    try:
        await future
    finally:
        timer.cancel()


def _give_up(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())


def end(seconds: float, spare: float) -> float:
    """When, by the loop's clock, a wait of at most `seconds` ends and leaves `spare`, or a quarter, of the call."""
    now = asyncio.get_running_loop().time()
    last = _deadline.get(now + seconds + spare)
    return min(now + seconds, last - min(spare, (last - now) / 4))

"""How long the present call may still take. Set once at the edge, asked wherever the call waits for somebody else."""

import asyncio
from contextvars import ContextVar

MARGIN_SECONDS = 0.02
"""Waits end this much before the caller gives up, so that it hears why."""
DEFAULT_SECONDS = 2.0
MAX_SECONDS = 10.0

_deadline: ContextVar[float] = ContextVar("deadline")


def begin(remaining: float | None) -> None:
    """A call starts that has `remaining` seconds, as gRPC says (None: the client set no deadline)."""
    seconds = DEFAULT_SECONDS if remaining is None else min(remaining, MAX_SECONDS)
    _deadline.set(asyncio.get_running_loop().time() + seconds - MARGIN_SECONDS)


def within(seconds: float, *, spare: float = 0.0) -> asyncio.Timeout:
    """A timeout of at most `seconds` that also ends before the call must; `TimeoutError` as usual.

    `spare` seconds, but no more than a quarter of what is left, remain for what comes then.
    """
    now = asyncio.get_running_loop().time()
    end = _deadline.get(now + seconds + spare)
    return asyncio.timeout_at(min(now + seconds, end - min(spare, (end - now) / 4)))

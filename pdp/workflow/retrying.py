"""Compare-and-set, tried again: the one loop around steps that another call may outrun."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pdp.errors import Conflict

ATTEMPTS = 64
"""Tries of one step. One of those who collide always gets through, so this many may work on one approval at once."""

T = TypeVar("T")


async def retried(step: Callable[[], Awaitable[T | None]]) -> T:
    """The first result of `step` that is not None, which says that somebody else was faster. Raises `Conflict`."""
    for _ in range(ATTEMPTS):
        result = await step()
        if result is not None:
            return result
    raise Conflict("this approval changes faster than it can be read; try again")

"""Turns of strangers whose messages arrive: few at one time, and the latest goes first.

1. A call that waits for a turn hurries the oldest message that has not come: it has `HURRIED_SECONDS` left.
2. The latest call to wait is the first to go on, and of too many the oldest is refused. So a health check, whose
   message is there at once, is not held up by a crowd that sends slowly.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pdp.errors import Overloaded

READ_SECONDS = 60.0
"""Seconds that a message may take while nobody waits, and that somebody waits for a turn."""
HURRIED_SECONDS = 0.05
"""Seconds that a message may take while somebody waits: long for the few bytes of a name."""


class LatestFirst:
    """At most `most` turns at one time, for which at most `waiting` wait."""

    def __init__(self, most: int, waiting: int) -> None:
        self._free, self._most_waiting = most, waiting
        self._taken: dict[asyncio.Timeout, None] = {}
        self._waiting: dict[asyncio.Future[None], None] = {}

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Run the block in a turn. Raises `Overloaded` where the turn does not come, or ends before the block."""
        try:
            await self._begin()
            try:
                async with asyncio.timeout(HURRIED_SECONDS if self._waiting else READ_SECONDS) as limit:
                    self._taken[limit] = None
                    yield
            finally:
                self._taken.pop(limit, None)
                self._end()
        except TimeoutError:
            raise Overloaded("the message did not arrive in time; send it again") from None

    async def _begin(self) -> None:
        if self._free:
            self._free -= 1
            return
        self._hurry()
        if len(self._waiting) >= self._most_waiting:
            self._refuse_the_first()
        turn = asyncio.get_running_loop().create_future()
        self._waiting[turn] = None
        try:
            async with asyncio.timeout(READ_SECONDS):
                await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it came at the same moment
                self._end()
            raise
        finally:
            self._waiting.pop(turn, None)

    def _refuse_the_first(self) -> None:
        turn = next(iter(self._waiting))
        del self._waiting[turn]
        if not turn.done():
            turn.set_exception(TimeoutError())

    def _hurry(self) -> None:
        """Give the oldest that is not hurried yet little time."""
        soon = asyncio.get_running_loop().time() + HURRIED_SECONDS
        for limit in self._taken:
            if (limit.when() or 0.0) > soon:
                limit.reschedule(soon)
                return

    def _end(self) -> None:
        while self._waiting:
            turn, _ = self._waiting.popitem()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

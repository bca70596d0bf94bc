"""Where masking runs, so that the event loop stays free.

1. Large pieces of work have as many threads as there are processors, and callers take turns by the bytes of theirs.
   While small calls come, they have one fewer: what decides needs a processor, too.
2. Planning a wide table has one thread in all: it is Python, and threads that run Python keep the event loop waiting.
3. What Python does with very few columns or bytes it does on the loop, in its caller's turn: to wait for a thread takes
   longer.
4. Small pieces have as many threads besides, so that a call of a few rows does not wait for streams. The kernel shares
   the processors between both.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol, TypeVar

from pdp import deadline
from pdp.errors import Overloaded
from pdp.gate import Gate
from pdp.turns import Turns

T = TypeVar("T")

SMALL_BYTES = 64 * 1024
"""Bytes of a small piece of work. As measured, masks take at most 5 ms for so many, but for format-preserving ones."""
VERY_FEW_COLUMNS = 16
"""Columns that are planned in about a millisecond."""
VERY_FEW_BYTES = 4096
"""Bytes that are read or written as JSON in less than a millisecond."""
FEW_COLUMNS = 128
"""Columns of a table that is not wide; they are planned in about 10 ms."""
WAIT_SECONDS = 30 * 60.0
"""Seconds that work waits for a thread, if its call has no deadline: as long as a stream may take."""


class Run(Protocol):
    """Runs the pieces of one caller."""

    async def __call__(self, action: Callable[[], T], weight: int = 0, /) -> T:
        """The result of `action`, whose work is about so many bytes; only the caller waits for it."""


class Threads:
    """The threads of a process. Each event loop has its own."""

    def __init__(
        self, processors: int = 0, turns: Turns | None = None, has_small_calls: Callable[[], bool] = lambda: False
    ) -> None:
        self._turns = turns or Turns()
        processors = processors or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(2 * processors, thread_name_prefix="mask")
        self._small = Gate(processors, processors)
        self._large = Gate(processors, processors, max(processors - 1, 1), has_small_calls)
        self._planning = Gate(1, 1)

    async def run(self, caller: str, action: Callable[[], T], weight: int = 0) -> T:
        """The result of `action`, as `Run` says; a place is held until the thread is done with it.

        Raises `OutOfTime` when the call's time is over; a thread that has begun goes on to its end.
        """
        return await self._run(self._small if weight <= SMALL_BYTES else self._large, caller, action, weight)

    async def plan(self, caller: str, action: Callable[[], T], columns: int) -> T:
        """The result of `action`, which looks at so many columns one by one."""
        if columns <= VERY_FEW_COLUMNS:
            await self._turns.turn(caller)
            return action()
        return await self._run(self._small if columns <= FEW_COLUMNS else self._planning, caller, action, columns)

    async def read(self, caller: str, action: Callable[[], T], size: int) -> T:
        """The result of `action`, which reads or writes so many bytes and runs no kernel."""
        if size > VERY_FEW_BYTES:
            return await self.run(caller, action, size)
        await self._turns.turn(caller)
        return action()

    async def _run(self, gate: Gate, caller: str, action: Callable[[], T], weight: int) -> T:
        try:
            await gate.enter(caller, max(weight, 1), WAIT_SECONDS)
        except Overloaded as late:
            raise deadline.missed(late) from None
        loop, work = asyncio.get_running_loop(), self._pool.submit(action)

        def done(_: Future[T]) -> None:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits for a place
                loop.call_soon_threadsafe(gate.leave, caller)

        work.add_done_callback(done)
        with deadline.spent_on(deadline.Stage.MASKING):
            try:
                async with deadline.within(WAIT_SECONDS):
                    return await asyncio.wrap_future(work)
            except TimeoutError:
                raise deadline.over() from None

    def of(self, caller: str) -> Run:
        """`run` for one caller."""

        async def run(action: Callable[[], T], weight: int = 0, /) -> T:
            return await self.run(caller, action, weight)

        return run

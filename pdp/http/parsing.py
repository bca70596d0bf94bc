"""Parses large bodies by turns: to parse one is one piece of work on the event loop, in which nobody else is answered.

1. A caller has one body at a time that is parsed, at its turn among all callers that have large work.
2. After it, the caller's next one waits for three times as long as this one took: however many a caller sends, they
   take a quarter of the loop, and each of them keeps the others waiting once.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakValueDictionary

from pdp import deadline
from pdp.http.route import Call
from pdp.turns import Turns

AT_ONCE_BYTES = 4 * 1024
"""Bytes of a body that is parsed at once: at worst that takes a millisecond, about as long as to prove its caller."""
PIECE_BYTES = 64 * 1024
"""Bytes of a usual body that are one piece of work: they take about a millisecond."""
REST = 3.0
"""How long a caller's next body waits, in times of what the last one took."""
WAIT_SECONDS = 10.0
"""Seconds that a body waits for the others of its caller: as many as a unary call may take."""

_Parsed = TypeVar("_Parsed")


class Parsing:
    """The bodies of all callers of one process that are being parsed."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._callers: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def parsed(self, call: Call, parse: Callable[[bytes], _Parsed]) -> _Parsed:
        """What `parse` makes of the call's body. Raises what it raises, and `OutOfTime`."""
        if len(call.body) <= AT_ONCE_BYTES:
            return parse(call.body)
        caller, loop, seconds = call.caller.identity, asyncio.get_running_loop(), 0.0
        lock = self._callers.setdefault(caller, asyncio.Lock())
        await _take(lock)
        try:
            await self._turns.turn(caller, len(call.body) / PIECE_BYTES)
            deadline.require(0.0)
            began = loop.time()
            try:
                return parse(call.body)
            finally:
                seconds = loop.time() - began
        finally:
            loop.call_later(REST * seconds, lock.release)


async def _take(lock: asyncio.Lock) -> None:
    try:
        async with deadline.within(WAIT_SECONDS):
            await lock.acquire()
    except TimeoutError:
        raise deadline.over() from None

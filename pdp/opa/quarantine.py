"""Keeps callers apart whose questions OPA could not answer, so that other callers do not wait for them.

1. A convicted caller is in quarantine for a minute. Its questions are not part of common queries; they go into a lane.
2. The lane asks one question at a time, and the callers take turns. So a question that is late there is late by itself,
   and not because OPA was busy with others.
3. After a late answer the caller rests: its questions get an error, and OPA is not asked. Each late answer doubles the
   next rest; an answer in time makes it short again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

QUARANTINE_SECONDS = 60.0
"""Seconds for which a caller stays in quarantine after its last conviction."""
REST_SECONDS, LONGEST_REST_SECONDS = 0.5, 30.0
"""Seconds of the first rest, which is twice the time of a query, and of the longest."""


@dataclass(slots=True)
class _Stay:
    """One caller's stay: when it ends, when the present rest ends, and how long the next rest is."""

    until: float
    rests_until: float = 0.0
    rest: float = REST_SECONDS


class Quarantine:
    """The callers in quarantine, and their lane. `now` gives seconds and never goes back."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._stays: dict[str, _Stay] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._lane = asyncio.Lock()

    def holds(self, caller: str) -> bool:
        """Whether the caller is in quarantine now."""
        stay = self._stays.get(caller)
        if stay is None:
            return False
        if stay.until < self._now():
            del self._stays[caller]
            return False
        return True

    @asynccontextmanager
    async def lane(self, caller: str) -> AsyncIterator[None]:
        """Wait for the caller's turn. Inside the block no other question of the lane is asked."""
        turn = self._turns.setdefault(caller, asyncio.Lock())
        async with turn, self._lane:
            yield

    def rests(self, caller: str) -> bool:
        """Whether OPA must not be asked for the caller now, because its last answers were late."""
        stay = self._stays.get(caller)
        return stay is not None and self._now() < stay.rests_until

    def answered(self, caller: str) -> None:
        """Make the caller's next rest short again, because OPA answered its question in time."""
        if stay := self._stays.get(caller):
            stay.rest = REST_SECONDS

    def convict(self, caller: str, *, late: bool) -> None:
        """Put the caller into quarantine, or keep it there. `late` also makes it rest."""
        now = self._now()
        stay = self._stays.setdefault(caller, _Stay(now))
        stay.until = now + QUARANTINE_SECONDS
        if late:
            stay.rests_until = now + stay.rest
            stay.rest = min(2 * stay.rest, LONGEST_REST_SECONDS)

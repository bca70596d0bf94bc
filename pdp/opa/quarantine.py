"""Keeps questions apart that OPA could not answer, so that others do not wait for them.

1. A convicted caller's questions of the kind (the action's name and the resource's type) are in quarantine for a
   minute. They are not part of common queries; they go into a lane. What else the caller asks is not touched.
2. A caller with convictions of many kinds is in quarantine with everything: the names are its own choice, and under a
   new name each question would be tried among the others again.
3. The lane asks one question at a time, and the callers take turns. So a question that is late there is late by itself,
   and not because OPA was busy with others.
4. After a late answer the kind rests: its questions get an error, and OPA is not asked. Each late answer doubles the
   next rest; an answer in time makes it short again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple
from weakref import WeakValueDictionary

QUARANTINE_SECONDS = 60.0
"""Seconds for which a kind stays in quarantine after its last conviction."""
MANY_KINDS = 8
"""Convicted kinds of one caller at which everything it asks is in quarantine."""
REST_SECONDS, LONGEST_REST_SECONDS = 0.5, 30.0
"""Seconds of the first rest, which is twice the time of a query, and of the longest."""


class Suspect(NamedTuple):
    """Whose questions go into quarantine together: those of one caller about one action and one type of resource."""

    caller: str
    action: str = ""
    resource_type: str = ""


@dataclass(slots=True)
class _Stay:
    """The stay of one kind: when it ends, when the present rest ends, and how long the next rest is."""

    until: float
    rests_until: float = 0.0
    rest: float = REST_SECONDS


class Quarantine:
    """The kinds in quarantine, caller by caller, and their lane. `now` gives seconds and never goes back."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._stays: dict[str, dict[Suspect, _Stay]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._lane = asyncio.Lock()

    def __len__(self) -> int:
        """The kinds that are held now."""
        return sum(len(self._present(caller)) for caller in [*self._stays])

    def holds(self, suspect: Suspect) -> bool:
        """Whether this kind, or everything of its caller, is in quarantine now."""
        if not self._stays:
            return False
        stays = self._present(suspect.caller)
        return suspect in stays or len(stays) >= MANY_KINDS

    def _present(self, caller: str) -> dict[Suspect, _Stay]:
        """The caller's stays, without those that ended."""
        stays = self._stays.get(caller)
        if stays is None:
            return {}
        now = self._now()
        for suspect in [suspect for suspect, stay in stays.items() if stay.until < now]:
            del stays[suspect]
        if not stays:
            del self._stays[caller]
        return stays

    @asynccontextmanager
    async def lane(self, caller: str) -> AsyncIterator[None]:
        """Wait for the caller's turn. Inside the block no other question of the lane is asked."""
        turn = self._turns.setdefault(caller, asyncio.Lock())
        async with turn, self._lane:
            yield

    def rests(self, suspect: Suspect) -> bool:
        """Whether OPA must not be asked now, because its last answers to this kind were late.

        A caller with everything in quarantine rests with everything.
        """
        stays = self._present(suspect.caller)
        resting = [stay for stay in stays.values() if self._now() < stay.rests_until]
        return stays.get(suspect) in resting or (len(stays) >= MANY_KINDS and bool(resting))

    def answered(self, suspect: Suspect) -> None:
        """Make the kind's next rest short again, because OPA answered its question in time."""
        if stay := self._present(suspect.caller).get(suspect):
            stay.rest = REST_SECONDS

    def convict(self, suspect: Suspect, *, late: bool) -> None:
        """Put the kind into quarantine, or keep it there. `late` also makes it rest."""
        now = self._now()
        stays = self._stays.setdefault(suspect.caller, {})
        if len(stays) >= MANY_KINDS and suspect not in stays:
            suspect = next(iter(stays))  # its kinds are many enough to hold everything; more would only take memory
        stay = stays.setdefault(suspect, _Stay(now))
        stay.until = now + QUARANTINE_SECONDS
        if late:
            stay.rests_until = now + stay.rest
            stay.rest = min(2 * stay.rest, LONGEST_REST_SECONDS)

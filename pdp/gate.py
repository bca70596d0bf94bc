"""Lets a number of calls in at a time. The others wait, and callers take turns.

1. A call that would have its turn after its time is refused at once: what is ahead of it times the queue's pace.
2. A queue that a burst makes may be long. One that stands for longer than `STANDING_SECONDS` only makes answers later,
   so it takes in what has at most `standing` ahead of it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf

from pdp import deadline, metrics
from pdp.errors import Overloaded
from pdp.fair import FairQueue

STANDING_SECONDS = 1.0
"""Seconds after which a queue that was never empty is taken for one that stands."""
PACE_DECAY = 0.98
"""The share of what the pace was measured by before that still counts at the next turn: about 50 turns."""
LEAST_TURNS = 16
"""Turns that the pace must be measured by before a call is refused for it."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A place that is waited for. `given` is done once it is the caller's."""

    caller: str
    weight: float
    given: asyncio.Future[None]

    @property
    def is_given(self) -> bool:
        return self.given.done() and not self.given.cancelled() and self.given.exception() is None


@dataclass(slots=True)
class _Pace:
    """How fast a queue moves: decaying sums of seconds, of weights that had their turn, and of turns."""

    since: float = 0.0
    last: float = 0.0
    seconds: float = 0.0
    weight: float = 0.0
    turns: float = 0.0

    def begin(self, now: float) -> None:
        """The queue is not empty any more."""
        self.since = self.last = now

    def turn(self, weight: float, now: float) -> None:
        """An item of this weight had its turn."""
        self.seconds = self.seconds * PACE_DECAY + now - self.last
        self.weight = self.weight * PACE_DECAY + weight
        self.turns = self.turns * PACE_DECAY + 1
        self.last = now

    def needed(self, weight: float, now: float) -> float:
        """The seconds in which so much has its turn; 0 where too little was seen to tell. A queue that rests counts."""
        return weight * (self.seconds + now - self.last) / self.weight if self.turns >= LEAST_TURNS else 0.0


class Gate:
    """`places` that callers hold for a while, one caller at most so many of them as `of_one` says.

    While `is_narrow` says so, it has `narrow` places, and one caller at most half of them; who is inside stays there.
    """

    def __init__(
        self,
        places: int,
        of_one: int,
        narrow: int = 0,
        is_narrow: Callable[[], bool] = _never,
        *,
        standing: float = inf,
    ) -> None:
        """`standing` is a weight: of what waits in a queue that stands, no more is ahead of a call that comes in."""
        self._places, self._of_one, self._narrow, self._is_narrow = places, of_one, narrow, is_narrow
        self._standing, self._pace = standing, _Pace()
        self._held = 0
        self._waiting: FairQueue[_Place] = FairQueue()
        self._inside: Counter[str] = Counter()

    def __len__(self) -> int:
        """The calls that wait."""
        return len(self._waiting)

    @asynccontextmanager
    async def place(self, caller: str, weight: float, seconds: float, *, spare: float = 0.0) -> AsyncIterator[None]:
        """Hold a place while the block runs. Raises as `enter` does."""
        await self.enter(caller, weight, seconds, spare=spare)
        try:
            yield
        finally:
            self.leave(caller)

    async def enter(self, caller: str, weight: float, seconds: float, *, spare: float = 0.0) -> None:
        """Return with a place, which `leave` gives back. Raises `Overloaded` if there is or will be none in time."""
        if self._has_room and self._may_enter(caller):
            self._take(caller)
        else:
            self._require_turn(caller, weight, deadline.end(seconds, spare))
            place = _Place(caller, weight, asyncio.get_running_loop().create_future())
            with metrics.WAIT.took():
                await self._wait(place, seconds, spare)

    def _require_turn(self, caller: str, weight: float, end: float) -> None:
        """Raise `Overloaded` where the call would have no turn before `end`, or makes a queue longer that stands."""
        now = asyncio.get_running_loop().time()
        if not self._waiting:
            self._pace.begin(now)
            return
        ahead = self._waiting.ahead(caller, weight)
        late = now + self._pace.needed(ahead, now) - end
        if late > 0:
            raise Overloaded("this call would have no turn in its time, as too many wait; nothing was decided", late)
        if ahead > self._standing and now - self._pace.since > STANDING_SECONDS:
            longer = self._pace.needed(ahead - self._standing, now)
            raise Overloaded("too many calls wait here, and do not get fewer; nothing was decided", longer)

    async def _wait(self, place: _Place, seconds: float, spare: float) -> None:
        self._waiting.put(place.caller, place, place.weight)
        try:
            await deadline.settled(place.given, seconds, spare=spare)
        except TimeoutError:
            raise Overloaded("this call had no turn in its time, as too many wait; nothing was decided") from None
        except BaseException:
            if place.is_given:  # and the call was cancelled before it saw that
                self.leave(place.caller)
            raise
        finally:
            self._waiting.withdraw(place.caller, place)

    def _take(self, caller: str) -> None:
        self._held += 1
        self._inside[caller] += 1

    def leave(self, caller: str) -> None:
        """Give a place back; it goes to those who wait and have a turn."""
        self._held -= 1
        self._inside[caller] -= 1
        if not self._inside[caller]:
            del self._inside[caller]
        while self._has_room and (place := self._waiting.take(lambda one: self._may_enter(one.caller))) is not None:
            if not place.given.done():
                self._take(place.caller)
                self._pace.turn(place.weight, asyncio.get_running_loop().time())
                place.given.set_result(None)

    @property
    def _has_room(self) -> bool:
        return self._held < (self._narrow if self._is_narrow() else self._places)

    def _may_enter(self, caller: str) -> bool:
        return self._inside[caller] < ((self._narrow + 1) // 2 if self._is_narrow() else self._of_one)

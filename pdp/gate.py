"""Lets a number of calls in at a time. The others wait, and callers take turns."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pdp import deadline, metrics
from pdp.errors import Overloaded
from pdp.fair import FairQueue


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A place that is waited for. `given` is done once it is the caller's."""

    caller: str
    given: asyncio.Future[None]

    @property
    def is_given(self) -> bool:
        return self.given.done() and not self.given.cancelled() and self.given.exception() is None


class Gate:
    """`places` that callers hold for a while, one caller at most so many of them as `of_one` says.

    While `is_narrow` says so, it has `narrow` places, and one caller at most half of them; who is inside stays there.
    """

    def __init__(self, places: int, of_one: int, narrow: int = 0, is_narrow: Callable[[], bool] = _never) -> None:
        self._places, self._of_one, self._narrow, self._is_narrow = places, of_one, narrow, is_narrow
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
        """Return with a place, which `leave` gives back. Raises `Overloaded` if there is none in time."""
        if self._has_room and self._may_enter(caller):
            self._take(caller)
        else:
            with metrics.WAIT.took():
                await self._wait(_Place(caller, asyncio.get_running_loop().create_future()), weight, seconds, spare)

    async def _wait(self, place: _Place, weight: float, seconds: float, spare: float) -> None:
        self._waiting.put(place.caller, place, weight)
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
                place.given.set_result(None)

    @property
    def _has_room(self) -> bool:
        return self._held < (self._narrow if self._is_narrow() else self._places)

    def _may_enter(self, caller: str) -> bool:
        return self._inside[caller] < ((self._narrow + 1) // 2 if self._is_narrow() else self._of_one)

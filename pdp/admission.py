"""Which calls come in, and when: a call is admitted whole or refused whole, before anything is done for it.

1. A caller may have as many questions here as there is room left for others, so that one caller takes half of
   the room at most, with any number of calls. A small call of a caller that has nothing here has a reserve of its own.
2. Where a caller's calls take most of their time, it may have fewer here, so that what is admitted is answered in time.
3. A call that is refused is told when its turn would be if all that were refused came back in their order.
4. A message of a stream is not refused but waits for its room, and its stream reads nothing meanwhile; callers take
   turns.
5. Of what is admitted so much is worked on at a time, small calls apart from large ones. The rest waits, and callers
   take turns. While small calls come, only a few large ones are worked on, so that no small one waits long.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pdp import deadline
from pdp.errors import Overloaded
from pdp.fair import FairQueue
from pdp.gate import Gate

log = logging.getLogger(__name__)

ROOM = 8192
"""Questions that are here at a time: a second's work, and with the requests of batches about 100 MB."""
RESERVE = 1024
"""Small calls beyond the room, of callers that have nothing here."""
SMALL, SMALL_BYTES = 64, 64 * 1024
"""Questions of a call that counts as small, and bytes of its message: many rows and wide tables take as long as many
questions."""
LEAST = 1000
"""Questions that a slow caller may have here all the same: one batch."""
PLACES, LARGE_PLACES, FEW_LARGE_PLACES = 128, 6, 2
"""Small and large calls that are worked on at a time, and large ones while small ones come. As measured, more of them
decide no more a second."""
SMALL_SECONDS = 0.25
"""Seconds after a small call for which large ones leave room for the next."""
WAIT_SECONDS, SPARE_SECONDS = 10.0, 1.0
"""Seconds that a call waits for its place, and seconds of its time that are kept for its work: at most a quarter."""
LONG, SHORT = 0.8, 0.5
"""Shares of its time: a call that used more makes its caller's room smaller, and one that used less makes it larger."""
SMALLER, LARGER = 0.7, 0.25
"""The caller's room after a long call, and what a short one adds for each of its questions."""
RATE = 4000.0
"""Questions a second that a refused caller is taken to get, as long as nothing is measured."""
WINDOW_SECONDS = 0.5
"""Seconds over which a refused caller's rate is measured."""
SOONEST_SECONDS, LATEST_SECONDS = 0.1, 5.0
"""Seconds after which a refused call may come back."""
COUNT_SECONDS = 60.0
"""Seconds for which refused calls are counted before their number is logged."""


@dataclass(slots=True)
class _Held:
    """What a caller has here and may have. Since it was refused: what it got, and the turn of who was refused last."""

    questions: int = 0
    limit: float = ROOM
    rate: float = RATE
    got: int = 0
    since: float = 0.0
    refused: float = 0.0
    turn: float = 0.0

    def has_room(self, questions: int, free: int) -> bool:
        """Whether a call of so many questions comes in where `free` more have room."""
        if not self.questions:
            return questions <= free + (RESERVE if questions <= SMALL else 0)
        return self.questions + questions <= min(free, self.limit)

    def refuse(self, questions: int, now: float) -> float:
        """The seconds after which a call that is refused now may come back."""
        if now - self.refused > LATEST_SECONDS:
            self.since, self.got = now, 0
        elif now - self.since > WINDOW_SECONDS:
            self.rate = max(self.got / (now - self.since), 1.0)
            self.since, self.got = now, 0
        self.refused = now
        turn = max(self.turn, now + SOONEST_SECONDS) + questions / self.rate
        self.turn = min(turn, now + LATEST_SECONDS)
        return self.turn - now

    def end(self, questions: int, used: float) -> None:
        """A call is over that used this share of its time."""
        if used > LONG:
            self.limit = max(min(self.limit, self.questions) * SMALLER, LEAST)
        elif used < SHORT:
            self.limit = min(self.limit + questions * LARGER, ROOM)
        self.questions -= questions
        self.got += questions


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A message of a stream that waits for its room. `given` is done once it has it."""

    caller: str
    questions: int
    given: asyncio.Future[None]


class Admission:
    """The room of one process, and who has what of it. `refused` counts the calls that found none."""

    def __init__(self) -> None:
        self._callers: dict[str, _Held] = {}
        self._questions = 0
        self._waiting: FairQueue[_Waiting] = FairQueue()
        self._small = Gate(PLACES, PLACES // 2)
        self._large = Gate(LARGE_PLACES, LARGE_PLACES // 2, FEW_LARGE_PLACES, lambda: self.has_small_calls)
        self._small_until = 0.0
        self.refused = self._told = 0
        self._tell_at = 0.0

    @property
    def has_small_calls(self) -> bool:
        """Whether a small call came just now, so that large work leaves room for the next."""
        return _now() < self._small_until

    @asynccontextmanager
    async def admitted(self, caller: str, questions: int, size: int = 0) -> AsyncIterator[None]:
        """Work on a call of this many questions, in a message of `size` bytes, when it is its turn.

        Raises `Overloaded` if the server already has as many questions as it takes.
        """
        self._admit(caller, questions)
        async with self._at_work(caller, questions, size):
            yield

    @asynccontextmanager
    async def admitted_in_turn(
        self, caller: str, questions: int, size: int, begin: Callable[[], None]
    ) -> AsyncIterator[None]:
        """The same for a message of a stream, which waits for its room; once it has that, `begin` begins its time."""
        await self._room(caller, questions)
        begin()
        async with self._at_work(caller, questions, size):
            yield

    @asynccontextmanager
    async def _at_work(self, caller: str, questions: int, size: int) -> AsyncIterator[None]:
        """Work when there is a place; then give the room back."""
        seconds, gate = deadline.left(), self._gate(questions, size)
        try:
            async with gate.place(caller, questions, WAIT_SECONDS, spare=SPARE_SECONDS):
                yield
        finally:
            self._leave(caller, questions, 1 - deadline.left() / max(seconds, 0.001))

    async def _room(self, caller: str, questions: int) -> None:
        """Take room, as soon as there is some and it is this caller's turn."""
        if not self._waiting and self._has_room(caller, questions):
            return self._take(caller, questions)
        waiting = _Waiting(caller, questions, asyncio.get_running_loop().create_future())
        self._waiting.put(caller, waiting, questions)
        self._let_in()
        try:
            await waiting.given
        except BaseException:
            if not self._waiting.withdraw(caller, waiting):  # it had its room, and was cancelled before it saw that
                self._leave(caller, questions, 0.0)
            raise

    def _let_in(self) -> None:
        """Give room to those who wait and have a turn."""
        while waiting := self._waiting.take(lambda one: self._has_room(one.caller, one.questions)):
            self._take(waiting.caller, waiting.questions)
            if not waiting.given.done():
                waiting.given.set_result(None)

    def _has_room(self, caller: str, questions: int) -> bool:
        return self._callers.get(caller, _Held()).has_room(questions, ROOM - self._questions)

    def _take(self, caller: str, questions: int) -> None:
        self._callers.setdefault(caller, _Held()).questions += questions
        self._questions += questions

    def _leave(self, caller: str, questions: int, used: float) -> None:
        held = self._callers[caller]
        self._questions -= questions
        held.end(questions, used)
        if held.limit >= ROOM:
            self._forget(caller, held)
        self._let_in()

    def _gate(self, questions: int, size: int) -> Gate:
        if questions > SMALL or size > SMALL_BYTES:
            return self._large
        self._small_until = _now() + SMALL_SECONDS
        return self._small

    def _admit(self, caller: str, questions: int) -> None:
        if not self._has_room(caller, questions):
            seconds = self._callers.setdefault(caller, _Held()).refuse(questions, _now())
            self._count()
            raise Overloaded("more calls are here than the server can answer; nothing was decided", seconds)
        self._take(caller, questions)

    def _forget(self, caller: str, held: _Held) -> None:
        if not held.questions and _now() - held.refused > LATEST_SECONDS:
            self._callers.pop(caller, None)

    def _count(self) -> None:
        """Count a refused call, and log how many there were once a minute at most."""
        self.refused += 1
        if _now() < self._tell_at:
            return
        if self._told < self.refused:
            log.warning("calls refused as there was no room for them: %d", self.refused - self._told)
        self._told, self._tell_at = self.refused, _now() + COUNT_SECONDS
        for caller, held in list(self._callers.items()):
            self._forget(caller, held)


def _now() -> float:
    return asyncio.get_running_loop().time()

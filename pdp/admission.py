"""Which calls come in, and when: a call is admitted whole or refused whole, before anything is done for it.

1. What `[limits]` let one caller ask comes first: a call costs one item before its message is read, and the others of a
   batch afterwards. Beyond it the caller is refused, whether there is room or not.
2. A caller may have as many questions here as there is room left for others, so that one caller takes half of
   the room at most, with any number of calls. A small call of a caller that has nothing here has a reserve of its own.
3. Where a caller's calls take most of their time, it may have fewer here, so that what is admitted is answered in time.
4. A call that is refused is told when its turn would be if all that were refused came back in their order; they are
   spread a little, so that they do not come together.
5. A message of a stream is not refused but waits for its room, and its stream reads nothing meanwhile; callers take
   turns.
6. Of what is admitted so much is worked on at a time, small calls apart from large ones. The rest waits, and callers
   take turns. While small calls come, only a few large ones are worked on, so that no small one waits long.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pdp import deadline
from pdp.allowance import Allowance
from pdp.errors import Overloaded
from pdp.gate import Gate
from pdp.in_turn import InTurn
from pdp.limits_settings import CallerLimits
from pdp.shedding import CallerOverLimit, Shedding

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
STANDING = PLACES + PLACES // 2
"""Small calls that may be ahead of one in a queue that stands, so that no answer takes three times as long as without
a queue."""
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
SPREAD = 0.2
"""The share of that time by which a refused call may come earlier, at random."""
OVER_SECONDS = 0.1
"""Seconds after which a caller may have fewer questions in flight than `[limits]` say."""
COUNT_SECONDS = 60.0
"""Seconds for which refused calls are counted before their number is logged, and callers are kept that have gone."""


@dataclass(slots=True)
class _Held:
    """What a caller has here and may have, and the questions of its latest call.

    Since it was refused: what it got, and the turn of who was refused last.
    """

    allowance: Allowance
    questions: int = 0
    latest: int = 1
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
        return (self.turn - now) * random.uniform(1 - SPREAD, 1)  # noqa: S311  # jitter

    def end(self, questions: int, used: float) -> None:
        """A call is over that used this share of its time."""
        if used > LONG:
            self.limit = max(min(self.limit, self.questions) * SMALLER, LEAST)
        elif used < SHORT:
            self.limit = min(self.limit + questions * LARGER, ROOM)
        self.questions -= questions
        self.got += questions

    def may_be_forgotten(self, now: float) -> bool:
        """Whether a caller that comes anew would have the same."""
        is_idle = not self.questions and now - self.refused > LATEST_SECONDS
        return is_idle and self.limit >= ROOM and self.allowance.is_full(now)


NO_LIMITS = CallerLimits()
"""What a configuration without `[limits]` lets one caller ask."""


class Admission:
    """The room of one process, and who has what of it. `refused` counts the calls that found none.

    `shedding` has the numbers of all calls that the edges refuse so.
    """

    def __init__(self, limits: CallerLimits = NO_LIMITS) -> None:
        self.shedding = Shedding()
        self._limits = limits
        self._callers: dict[str, _Held] = {}
        self._questions = 0
        self._in_turn = InTurn(self._has_room, self._take, self._give_back)
        self._small = Gate(PLACES, PLACES // 2, standing=STANDING)
        self._large = Gate(LARGE_PLACES, LARGE_PLACES // 2, FEW_LARGE_PLACES, lambda: self.has_small_calls)
        self._small_until = 0.0
        self.refused = self._told = 0
        self._tell_at = self._sweep_at = 0.0

    @property
    def has_small_calls(self) -> bool:
        """Whether a small call came just now, so that large work leaves room for the next."""
        return _now() < self._small_until

    def require(self, caller: str, *, has_room_of_its_own: bool = False) -> None:
        """Let a call of a caller come, before its message is read; it costs one item of the caller's rate.

        Raises `CallerOverLimit`, and `Overloaded` where the server is full. A call that waits for
        people, or is a stream, has room of its own.
        """
        held = self._held(caller)
        over = held.allowance.wait(1, _now()) if has_room_of_its_own else self._seconds_over(held, 1, 0)
        self._pay(caller, held, 1, over)
        if not has_room_of_its_own and not held.has_room(1, ROOM - self._questions):
            raise self._refused(caller, held, held.latest)

    @asynccontextmanager
    async def admitted(self, caller: str, questions: int, size: int = 0, *, paid: int = 0) -> AsyncIterator[None]:
        """Work on a call of this many questions, in a message of `size` bytes, when it is its turn.

        `paid` of them were taken from the caller's rate before: 1 by `require`, all by `wait`. Raises
        `CallerOverLimit`, or `Overloaded` if the server already has as many questions as it takes.
        """
        held = self._admit(caller, questions, paid)
        async with self._at_work(caller, held, questions, size):
            yield

    @asynccontextmanager
    async def admitted_in_turn(
        self, caller: str, questions: int, size: int, begin: Callable[[], None]
    ) -> AsyncIterator[None]:
        """The same for a message of a stream, which waits instead of being refused; then `begin` begins its time."""
        await self.wait(caller, questions)
        await self._in_turn.enter(caller, questions)
        begin()
        async with self._at_work(caller, self._held(caller), questions, size):
            yield

    @asynccontextmanager
    async def _at_work(self, caller: str, held: _Held, questions: int, size: int) -> AsyncIterator[None]:
        """Work when there is a place; then give the room back."""
        seconds, gate = deadline.left(), self._gate(questions, size)
        try:
            await self._enter(gate, caller, held, questions)
            try:
                yield
            finally:
                gate.leave(caller)
        finally:
            self._give_back(caller, questions, 1 - deadline.left() / max(seconds, 0.001))

    def _has_room(self, caller: str, questions: int) -> bool:
        return self._held(caller).has_room(questions, ROOM - self._questions)

    def _take(self, caller: str, questions: int) -> None:
        self._held(caller).questions += questions
        self._questions += questions

    def _give_back(self, caller: str, questions: int, used: float = 0.0) -> None:
        held = self._held(caller)
        self._questions -= questions
        held.end(questions, used)
        self._forget(caller, held)
        self._in_turn.let_in()

    async def wait(self, caller: str, questions: int) -> None:
        """Return when `[limits]` let so many further questions come, and pay them: meanwhile a stream reads no more."""
        while True:
            held = self._held(caller)
            over = self._seconds_over(held, questions, 0)
            if over <= 0:
                break
            await asyncio.sleep(over)
        held.allowance.spend(questions, _now())

    async def _enter(self, gate: Gate, caller: str, held: _Held, questions: int) -> None:
        try:
            await gate.enter(caller, questions, WAIT_SECONDS, spare=SPARE_SECONDS)
        except Overloaded as full:
            again = max(self._refused(caller, held, questions).retry_seconds or 0, full.retry_seconds or 0)
            raise Overloaded(full.sentence, min(again, LATEST_SECONDS)) from None

    def _gate(self, questions: int, size: int) -> Gate:
        if questions > SMALL or size > SMALL_BYTES:
            return self._large
        self._small_until = _now() + SMALL_SECONDS
        return self._small

    def _admit(self, caller: str, questions: int, paid: int) -> _Held:
        held = self._held(caller)
        held.latest = questions
        if paid < questions:
            self._pay(caller, held, questions - paid, self._seconds_over(held, questions, paid))
        if not held.has_room(questions, ROOM - self._questions):
            raise self._refused(caller, held, questions)
        self._take(caller, questions)
        return held

    def _held(self, caller: str) -> _Held:
        held = self._callers.get(caller)
        if held is None:
            self._sweep()
            allowance = Allowance(self._limits.items_a_second, self._limits.most_at_once)
            held = self._callers[caller] = _Held(allowance)
        return held

    def _pay(self, caller: str, held: _Held, questions: int, over: float) -> None:
        """Take questions from the caller's rate. `over`: the seconds after which they may come."""
        if over > 0:
            self.shedding.name(caller)
            again = over * random.uniform(1, 1 + SPREAD)  # noqa: S311  # jitter
            raise CallerOverLimit("you ask more than this server lets one caller ask; nothing was decided", again)
        held.allowance.spend(questions, _now())

    def _seconds_over(self, held: _Held, questions: int, paid: int) -> float:
        """The seconds after which so many further questions may come within the caller's limits."""
        if held.questions and held.questions + questions > self._limits.items_in_flight:
            return OVER_SECONDS
        return held.allowance.wait(questions, _now(), paid)

    def _refused(self, caller: str, held: _Held, questions: int) -> Overloaded:
        self.shedding.name(caller)
        seconds = held.refuse(questions, _now())
        self._count()
        return Overloaded("more calls are here than the server can answer; nothing was decided", seconds)

    def _forget(self, caller: str, held: _Held) -> None:
        if held.may_be_forgotten(_now()):
            self._callers.pop(caller, None)

    def _count(self) -> None:
        """Count a refused call, and log how many there were once a minute at most."""
        self.refused += 1
        if _now() < self._tell_at:
            return
        if self._told < self.refused:
            log.warning("calls refused as there was no room for them: %d", self.refused - self._told)
        self._told, self._tell_at = self.refused, _now() + COUNT_SECONDS

    def _sweep(self) -> None:
        """Forget callers that have nothing here, once a minute at most."""
        if _now() < self._sweep_at:
            return
        self._sweep_at = _now() + COUNT_SECONDS
        for caller, held in list(self._callers.items()):
            self._forget(caller, held)


def _now() -> float:
    return asyncio.get_running_loop().time()

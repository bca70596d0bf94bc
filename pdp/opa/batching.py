"""Calls that are in flight together become one OPA query.

Starts are paced so that batches form (OPA answers before gRPC hands over the next calls, so merely keeping one query
outstanding gives batches of one to four), while a lone caller never waits. A query that fails or is late is asked again
outside the pacing: caller by caller, then in halves, until the culprit stands alone. What is late even by itself waits
for its turn in a lane where one question is asked at a time, so that only OPA at leisure convicts. A culprit's caller
is asked in that lane for a minute, and less and less often while all it asks is late, so that nobody pays for a
stranger's poison. While OPA does not answer its health check nothing is asked again.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakValueDictionary

from pdp import deadline
from pdp.errors import EngineUnavailable, Overloaded, PdpError, PolicyInvalid
from pdp.opa.queries import OpaLate

MAX_ITEMS = 128
MAX_BYTES = 512 * 1024
MAX_OUTSTANDING = 2
MAX_WAITING = 4096
PACE_SECONDS = 0.006
CROWD_DECAY = 0.9
QUARANTINE_SECONDS = 60.0
REST_SECONDS, LONGEST_REST_SECONDS = 0.5, 30.0
"""After a late answer its caller is not asked for; twice as long each time until one is in time."""
WAIT_SECONDS = 10.0
RECORD_SECONDS = 0.03
"""Left of a call's time when nobody has answered, to record that."""
_ONES_FAULT = frozenset({"builtin_error", "conflict", "wrong_type"})
"""Problems of a whole query that a single item can cause."""


class Engine(Protocol):
    """What the batcher asks; `Opa` is it."""

    async def decisions(self, inputs: Sequence[bytes], explained: Sequence[bool]) -> list[Any]:
        """One raw answer an input, or an error for all."""

    async def is_healthy(self) -> bool:
        """Whether it answers at all."""


@dataclass(frozen=True, slots=True)
class Question:
    """One decision to ask for. `caller` is who pays where it turns out to be poison."""

    input: bytes
    caller: str
    explain: bool = False


_UNANSWERED = object()


@dataclass(slots=True, eq=False)
class _Group:
    """The questions of one call; `answers` fills up, an error in the place of the item that it belongs to."""

    questions: Sequence[Question]
    done: asyncio.Future[None]
    answers: list[Any] = field(init=False)
    missing: int = field(init=False)

    def __post_init__(self) -> None:
        self.answers = [_UNANSWERED] * len(self.questions)
        self.missing = len(self.questions)

    def settle(self, index: int, answer: Any) -> None:
        self.answers[index] = answer
        self.missing -= 1
        if not self.missing and not self.done.done():
            self.done.set_result(None)


@dataclass(slots=True)
class _Quarantine:
    """Of one caller: how long it lasts, and until when nothing is asked because the last answers were late."""

    until: float
    rests_until: float = 0.0
    rest: float = REST_SECONDS


@dataclass(frozen=True, slots=True)
class _Item:
    """A question of a group, by its index."""

    group: _Group
    index: int

    @property
    def question(self) -> Question:
        return self.group.questions[self.index]

    @property
    def is_waited_for(self) -> bool:
        return not self.group.done.done()

    def settle(self, answer: Any) -> None:
        self.group.settle(self.index, answer)


class Batcher:
    """Collects questions and asks them together. One to an event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[_Item] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._outstanding = 0
        self._crowd = 0.0
        self._last_start = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._quarantine: dict[str, _Quarantine] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._lane = asyncio.Lock()

    async def ask(self, questions: Sequence[Question]) -> list[Any]:
        """One raw answer a question, in order; a `PdpError` instance in the place of one that has none."""
        if not questions:
            return []
        if len(self._waiting) >= MAX_WAITING:
            raise Overloaded("too many questions wait for OPA; try again with fewer at once")
        group = _Group(questions, asyncio.get_running_loop().create_future())
        self._waiting.extend(self._admitted([_Item(group, index) for index in range(len(questions))]))
        self._schedule()
        with suppress(TimeoutError):
            await deadline.settled(group.done, WAIT_SECONDS, spare=RECORD_SECONDS)
        late = EngineUnavailable("OPA did not answer in time; nothing was allowed") if group.missing else None
        return [late if answer is _UNANSWERED else answer for answer in group.answers]

    def _schedule(self) -> None:
        """Start a query now, or set the timer for when the pace allows it."""
        if not self._waiting or self._timer is not None or self._outstanding >= MAX_OUTSTANDING:
            return
        loop = asyncio.get_running_loop()
        alone = self._outstanding == 0 and self._crowd <= 1
        wait = 0.0 if alone else self._last_start + PACE_SECONDS - loop.time()
        self._timer = loop.call_later(max(wait, 0.0), self._start)

    def _start(self) -> None:
        self._timer = None
        items = self._admitted(self._next())
        if items:
            self._last_start = self._now()
            self._crowd = max(len(items), self._crowd * CROWD_DECAY)
            self._outstanding += 1
            self._spawn(self._query(items))
        self._schedule()

    def _next(self) -> list[_Item]:
        """What one query holds: a large one takes OPA longer than a query gets."""
        items: list[_Item] = []
        size = 0
        while self._waiting and len(items) < MAX_ITEMS and size < MAX_BYTES:
            items.append(self._waiting.popleft())
            size += len(items[-1].question.input)
        return items

    def _admitted(self, items: Sequence[_Item]) -> list[_Item]:
        """Those that may be asked together; the lane gets what is in quarantine, nobody what nobody waits for."""
        together = []
        for item in items:
            if item.is_waited_for and self._is_quarantined(item.question.caller):
                self._spawn(self._ask_alone(item))
            elif item.is_waited_for:
                together.append(item)
        return together

    async def _query(self, items: Sequence[_Item]) -> None:
        try:
            failure = await self._try(items)
        finally:
            self._outstanding -= 1
            self._schedule()
        if failure is not None:
            await self._isolate(items, failure)

    async def _try(self, items: Sequence[_Item]) -> PdpError | None:
        """Ask and settle; or say why there is no answer for any of them."""
        questions = [item.question for item in items]
        try:
            answers = await self._engine.decisions(
                [question.input for question in questions], [question.explain for question in questions]
            )
        except (PolicyInvalid, EngineUnavailable) as error:
            return error
        for item, answer in zip(items, answers, strict=True):
            item.settle(answer)
        return None

    async def _isolate(self, items: Sequence[_Item], failure: PdpError) -> None:
        """Ask again in smaller parts until the culprit stands alone; give up at once where it is nobody's fault."""
        if not await self._is_ones_fault(failure):
            for item in items:
                item.settle(failure)
        elif len(parts := _by_caller(items)) > 1:
            await asyncio.gather(*(self._ask_again(part) for part in parts))
        elif isinstance(failure, OpaLate):
            await asyncio.gather(*(self._ask_alone(item) for item in items))
        elif len(items) > 1:
            middle = len(items) // 2
            await asyncio.gather(self._ask_again(items[:middle]), self._ask_again(items[middle:]))
        else:
            self._convict(items[0], failure)

    async def _is_ones_fault(self, failure: PdpError) -> bool:
        """Whether one item can be why the whole query has no answer."""
        if isinstance(failure, OpaLate):
            return await self._engine.is_healthy()
        return isinstance(failure, PolicyInvalid) and failure.problem in _ONES_FAULT

    async def _ask_again(self, items: Sequence[_Item]) -> None:
        together = self._admitted(items)
        failure = await self._try(together) if together else None
        if failure is not None:
            await self._isolate(together, failure)

    async def _ask_alone(self, item: _Item) -> None:
        """In the lane: one question at a time, the callers in turn."""
        caller = item.question.caller
        turn = self._turns.setdefault(caller, asyncio.Lock())
        async with turn, self._lane:
            if not item.is_waited_for:
                return
            quarantine = self._quarantine.get(caller)
            if quarantine and self._now() < quarantine.rests_until:
                item.settle(OpaLate("this caller's last questions took OPA too long; it is asked again in a moment"))
                return
            failure = await self._try([item])
            if failure is None and quarantine:
                quarantine.rest = REST_SECONDS
            elif failure is not None and await self._is_ones_fault(failure):
                self._convict(item, failure)
            elif failure is not None:
                item.settle(failure)

    def _convict(self, item: _Item, failure: PdpError) -> None:
        now = self._now()
        quarantine = self._quarantine.setdefault(item.question.caller, _Quarantine(now))
        quarantine.until = now + QUARANTINE_SECONDS
        if isinstance(failure, OpaLate):
            quarantine.rests_until = now + quarantine.rest
            quarantine.rest = min(2 * quarantine.rest, LONGEST_REST_SECONDS)
        item.settle(failure)

    def _is_quarantined(self, caller: str) -> bool:
        quarantine = self._quarantine.get(caller)
        if quarantine is None:
            return False
        if quarantine.until < self._now():
            del self._quarantine[caller]
            return False
        return True

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _by_caller(items: Sequence[_Item]) -> list[list[_Item]]:
    parts: dict[str, list[_Item]] = {}
    for item in items:
        parts.setdefault(item.question.caller, []).append(item)
    return list(parts.values())

"""Makes one OPA query of the calls that are in flight together, in which callers have equal shares.

1. The starts of queries are paced, so that batches form. OPA answers before gRPC hands over the next calls: without a
   pace, a query holds one to four questions. A caller that is alone never waits.
2. A query that fails or is late is asked again in smaller parts, outside the pacing: by caller and kind, then in
   halves, until one question stands alone. That question gets the error, and its caller's questions of that kind go
   into quarantine.
3. A question that is late is asked again in the quarantine's lane, where OPA does nothing else. Only a late answer
   there convicts it. So no caller pays for the questions of another, and no plain question for a slow one.
4. If OPA does not answer its health check, nothing is asked again, and every question gets the error.
5. Callers take turns by OPA's time for their questions: what one caller sends waits behind its own. A call that ends
   takes back what was not asked yet. How much may wait at all is for `pdp.admission` to say.
6. Beside large calls the small ones have queries of their own, which wait for the crowd of small calls alone.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from pdp import call_summary, crowd, deadline, metrics, traces
from pdp.errors import EngineUnavailable, PdpError, PolicyInvalid
from pdp.fair import FairQueue
from pdp.opa.estimate import Estimate, is_small
from pdp.opa.quarantine import Quarantine
from pdp.opa.queries import About, Answers, OpaLate, is_undefined
from pdp.opa.waiting import UNANSWERED, Group, Item, Piece, Question, begun, by, pieces

MAX_ITEMS = 128
"""Questions in one query. At the measured 40 µs of OPA's time for each, it takes about 5 ms of a query's 250."""
MAX_BYTES = 512 * 1024
"""Bytes of input at which a query takes no further question: a larger one takes OPA longer than a query may."""
MAX_OUTSTANDING = 2
"""Queries that OPA works on at one time. As measured, two give batches 12 % more than one, and single calls nothing."""
SMALL_OUTSTANDING = 3
"""The same with one that holds nothing of large calls."""
PACE_SECONDS = 0.012
"""Seconds between the starts of two queries while there is a crowd that does not bring enough questions before.

Measured with 32 calls in flight: without a pace a query holds 1.4 to 4 questions and OPA needs 144 µs for each; with
4 ms it holds 17 and needs 60 µs.
"""
MANY_PACE_SECONDS = 0.008
"""The same at least, while the crowd is larger than `crowd.MANY`, however many questions wait."""
WAIT_SECONDS = 10.0
"""Seconds that a question waits for its answer, if its call does not end before."""
RECORD_SECONDS = 0.03
"""Seconds of a call's time that are kept to record that OPA did not answer."""
SET_SECONDS = 0.02
"""Estimated seconds of OPA's time at which a query takes no further question. A stranger's question waits for no more,
and on a machine that is busy a query ends long before its 250 ms."""
_OPA_ITEMS = metrics.BATCH_ITEMS.at("opa")
_ONES_FAULT = frozenset({"builtin_error", "conflict", "wrong_type"})
"""Problems of a whole query that one question can cause."""


class Asks(Protocol):
    """Asks OPA the questions of a batch; `queries.Opa` does."""

    async def answers(
        self, about: About, inputs: Sequence[bytes], explained: Sequence[bool], *, lineages: Sequence[bytes]
    ) -> Answers:
        """One raw answer for each input, or an error for all of them."""

    async def is_healthy(self) -> bool:
        """Whether OPA answers at all."""


class Batcher:
    """Collects questions and asks them together. Each event loop has its own."""

    def __init__(self, engine: Asks) -> None:
        self._engine = engine
        self._waiting: FairQueue[Piece] = FairQueue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._estimate = Estimate()
        self._outstanding = 0
        self._small = 0
        self._asked = self._small_asked = 0
        self._crowd = self._small_crowd = 0.0
        self._last_start = 0.0
        self._timer: asyncio.Handle | None = None
        self._due = 0.0
        self._quarantine = Quarantine(self._now)

    async def ask(self, questions: Sequence[Question]) -> list[Any]:
        """One raw answer for each question, in order. A question without an answer gets a `PdpError` instance."""
        if not questions:
            return []
        done = asyncio.get_running_loop().create_future()
        group = Group(questions, done, is_small(questions), call_summary.span())
        caller, of_byte = questions[0].suspect.caller, self._estimate.of_byte(questions[0].about)
        parts = [*pieces(self._admitted([Item(group, index) for index in range(len(questions))]), of_byte)]
        small = len(parts) if group.is_small else 0
        for piece in parts:
            self._waiting.put(caller, piece, piece.seconds)
        self._small += small
        self._asked, self._small_asked = self._asked + len(parts), self._small_asked + small
        self._crowd, self._small_crowd = max(self._asked, self._crowd), max(self._small_asked, self._small_crowd)
        self._schedule()
        late: PdpError = EngineUnavailable("OPA did not answer in time; nothing was allowed")
        with deadline.spent_on(deadline.Stage.POLICY):
            try:
                await deadline.settled(group.done, WAIT_SECONDS, spare=RECORD_SECONDS)
            except TimeoutError:
                late = deadline.missed(late)
            finally:
                self._asked, self._small_asked = self._asked - len(parts), self._small_asked - small
                if group.missing:
                    for piece in parts:
                        self._small -= self._waiting.withdraw(caller, piece) and piece.is_of_small_call
        return [late if answer is UNANSWERED else answer for answer in group.answers]

    async def each(self, questions: Sequence[Question]) -> list[Any]:
        """The same, where each answer is needed: raises the first error instead."""
        answers = await self.ask(questions)
        for answer, question in zip(answers, questions, strict=True):
            if isinstance(answer, PdpError):
                raise answer
            if is_undefined(answer):
                raise PolicyInvalid("undefined", f"data.pdp.{question.about} has no answer; load the core of Placet")
        return answers

    def _schedule(self) -> None:
        """Start a query now, or set the timer to the time at which the pace allows it."""
        if not self._waiting or self._outstanding >= (SMALL_OUTSTANDING if self._small else MAX_OUTSTANDING):
            return
        loop, now = asyncio.get_running_loop(), self._now()
        at = now if self._is_worth_a_query else max(self._last_start + PACE_SECONDS, now)
        if (self._small_crowd if self._is_beside_large else self._crowd) > crowd.MANY:
            at = max(self._last_start + MANY_PACE_SECONDS, at)
        if self._timer is not None:
            if self._due <= at:
                return
            self._timer.cancel()
        self._timer, self._due = loop.call_at(at, self._start), at

    @property
    def _is_worth_a_query(self) -> bool:
        """Whether nobody else comes whom it pays to wait for: the caller is alone, or enough of the crowd are here."""
        if self._crowd <= 1:
            return not self._outstanding
        if self._is_beside_large:
            return self._small >= crowd.worth(self._small_crowd)
        if self._outstanding >= MAX_OUTSTANDING:
            return False
        return len(self._waiting) >= crowd.worth(self._crowd)

    @property
    def _is_beside_large(self) -> bool:
        """Whether questions of small calls wait while there are large ones."""
        return bool(self._small) and self._asked > self._small_asked

    def _start(self) -> None:
        self._timer, is_beside_large = None, self._is_beside_large
        self._begin(self._admitted(self._next()))
        if is_beside_large and self._outstanding < MAX_OUTSTANDING:
            self._begin(self._admitted(self._next()))
        self._schedule()

    def _begin(self, items: Sequence[Item]) -> None:
        if items:
            self._last_start = self._now()
            begun(items)
            self._crowd = max(self._asked, self._crowd * crowd.DECAY)
            self._small_crowd = max(self._small_asked, self._small_crowd * crowd.DECAY)
            for alike in by(items, lambda item: item.question.about):
                self._outstanding += 1
                self._spawn(self._query(alike))

    def _next(self) -> list[Item]:
        """The items of the next query, callers in turns."""
        only_small, items = self._is_beside_large or self._outstanding >= MAX_OUTSTANDING, list[Item]()
        size, seconds = 0, 0.0
        while len(items) < MAX_ITEMS and size < MAX_BYTES and seconds < SET_SECONDS:
            piece = self._waiting.take(lambda piece: piece.is_of_small_call or not only_small)
            if piece is None:
                break
            self._small -= piece.is_of_small_call
            items += piece.items
            size += piece.size
            seconds += piece.seconds
        return items

    def _admitted(self, items: Sequence[Item]) -> list[Item]:
        """The items that may be asked together.

        An item that is in quarantine goes into the lane. An item that no call waits for any more is dropped.
        """
        together = []
        for item in items:
            if item.is_waited_for and self._quarantine.holds(item.question.suspect):
                self._spawn(self._ask_alone(item))
            elif item.is_waited_for:
                together.append(item)
        return together

    async def _query(self, items: Sequence[Item]) -> None:
        try:
            failure = await self._try(items)
        finally:
            self._outstanding -= 1
            self._schedule()
        if failure is not None:
            await self._isolate(items, failure)

    async def _try(self, items: Sequence[Item]) -> PdpError | None:
        """Ask and settle all items, which are about the same; or return the error, if none of them has an answer."""
        questions = [item.question for item in items]
        _OPA_ITEMS.observe(len(items))
        try:
            with metrics.OPA.took(), traces.shared(traces.QUERY, (item.group.span for item in items), len(items)):
                answers = await self._engine.answers(
                    questions[0].about,
                    [question.input for question in questions],
                    [question.explain for question in questions],
                    lineages=[question.lineage for question in questions],
                )
        except (PolicyInvalid, EngineUnavailable) as error:
            return error
        if answers.seconds:
            self._estimate.learn(questions, answers.seconds)
        for item, answer in zip(items, answers, strict=True):
            item.settle(answer)
        return None

    async def _isolate(self, items: Sequence[Item], failure: PdpError) -> None:
        """Ask again in smaller parts until the faulty item stands alone. Give up at once if no item can be at fault."""
        if not await self._is_ones_fault(failure):
            for item in items:
                item.settle(failure)
        elif len(parts := by(items, lambda item: item.question.suspect)) > 1:
            await asyncio.gather(*(self._ask_again(part) for part in parts))
        elif isinstance(failure, OpaLate):
            await asyncio.gather(*(self._ask_alone(item) for item in items))
        elif len(items) > 1:
            middle = len(items) // 2
            await asyncio.gather(self._ask_again(items[:middle]), self._ask_again(items[middle:]))
        else:
            self._convict(items[0], failure)

    async def _is_ones_fault(self, failure: PdpError) -> bool:
        """Whether one item can be the reason why the whole query has no answer."""
        if isinstance(failure, OpaLate):
            return await self._engine.is_healthy()
        return isinstance(failure, PolicyInvalid) and failure.problem in _ONES_FAULT

    async def _ask_again(self, items: Sequence[Item]) -> None:
        together = self._admitted(items)
        failure = await self._try(together) if together else None
        if failure is not None:
            await self._isolate(together, failure)

    async def _ask_alone(self, item: Item) -> None:
        """Ask one item in the quarantine's lane."""
        suspect = item.question.suspect
        async with self._quarantine.lane(suspect.caller):
            if not item.is_waited_for:
                return
            if self._quarantine.rests(suspect):
                item.settle(
                    OpaLate("this caller's last questions of this kind took OPA too long; try again in a moment")
                )
                return
            failure = await self._try([item])
            if failure is None:
                self._quarantine.answered(suspect)
            elif await self._is_ones_fault(failure):
                self._convict(item, failure)
            else:
                item.settle(failure)

    def _convict(self, item: Item, failure: PdpError) -> None:
        self._quarantine.convict(item.question.suspect, late=isinstance(failure, OpaLate))
        item.settle(failure)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def quarantined(self) -> int:
        """The kinds of questions that are in quarantine now."""
        return len(self._quarantine)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

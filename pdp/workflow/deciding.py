"""The home of a decision: gRPC handlers, masking and every other face call it and only translate.

canonical request -> view of the data -> judge (OPA) -> settle (approvals) -> record (durable) -> grant
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from pdp import call_summary, deadline, metrics
from pdp.audit.record import Entry
from pdp.deadline import OutOfTime
from pdp.decision import Effect, Verdict, opa_input, verdict
from pdp.errors import EngineUnavailable, PdpError, PolicyInvalid, TooManyPending
from pdp.grant import Grantor
from pdp.instrument import Count
from pdp.opa.batching import Batcher
from pdp.opa.quarantine import Suspect
from pdp.opa.queries import OpaLate, is_undefined
from pdp.opa.waiting import Question
from pdp.recording.delivery import Delivery
from pdp.recording.writer import Writer
from pdp.store.database import Database
from pdp.turns import Turns
from pdp.workflow.answer import Ask, Decided, Failed, error_record
from pdp.workflow.checking import Checking, Faults, Unsaid
from pdp.workflow.informing import Informing
from pdp.workflow.lineage_views import LineageViews
from pdp.workflow.settlement import Settlement

Fits: TypeAlias = Callable[[Sequence[Ask | Failed], Sequence[Verdict | PdpError]], Awaitable[None]]
"""Raises `AnswerTooLarge` where the answers would not fit, given the verdicts on those that are questions."""

_COUNTS: Mapping[Effect | None, Count] = {
    None: metrics.DECISIONS.at("error"),
    **{effect: metrics.DECISIONS.at(effect.lower()) for effect in Effect},
}
"""Counts decisions by effect, and what is not one."""


class Deciding:
    """Decides questions, one or many at a time."""

    def __init__(
        self,
        *,
        realm: str,
        person_types: frozenset[str],
        faults: Faults,
        batcher: Batcher,
        settlement: Settlement,
        delivery: Delivery,
        writer: Writer,
        grantor: Grantor,
        database: Database,
        turns: Turns,
        lineage: LineageViews,
        unsaid: Unsaid = lambda _, __: None,
        counts_rules: bool = False,
    ) -> None:
        """`unsaid` hears of each request without an `expected_digest`, and the caller's identity.

        `counts_rules` says that decisions are counted by their rules, too.
        """
        checking = Checking(realm, faults, turns, unsaid)
        self.checked, self.checked_within, self.checked_json = (
            checking.checked,
            checking.checked_within,
            checking.checked_json,
        )
        self.checked_candidate = checking.checked_candidate
        self.checked_each, self.require_whole = checking.checked_each, checking.require_whole
        self._informing, self.lineage = Informing(lineage), lineage
        self._person_types = person_types
        self._batcher, self._settlement, self._delivery = batcher, settlement, delivery
        self._writer, self._grantor, self._database, self._turns = writer, grantor, database, turns
        self._recording: set[asyncio.Task[None]] = set()
        self._counts_rules = counts_rules

    async def decide_one(self, ask: Ask, fits: Fits | None = None) -> Decided:
        """The decision on one question. Raises the error of one that has none."""
        [outcome] = await self.decide([ask], fits=fits)
        if isinstance(outcome, Failed):
            raise outcome.error
        return outcome

    @staticmethod
    def question(ask: Ask) -> Question:
        """What the policy is asked for a verdict on a question that is `informed`."""
        asked = opa_input(ask.canonical.json, ask.caller, ask.now_ns)
        return Question(asked, _suspect(ask), ask.request.explain, lineage=ask.view.json)

    async def informed(self, asks: Sequence[Ask | Failed]) -> list[Ask | Failed]:
        """Each with what is known of its data; one of which that cannot be said fails."""
        return await self._informing.informed(asks)

    async def informed_one(self, ask: Ask) -> Ask:
        """The same of one question. What it fails with is recorded and raised."""
        [informed] = await self._informing.informed([ask])
        if isinstance(informed, Failed):
            await self._record([informed])
            raise informed.error
        return informed

    async def decide(
        self,
        asks: Sequence[Ask | Failed],
        stops_at: Callable[[Effect], bool] = lambda _: False,
        fits: Fits | None = None,
    ) -> list[Decided | Failed]:
        """Judge all, settle in order, record; what failed before stays as it is.

        Where `fits` raises, nothing is settled. Nothing is behind the first effect at which `stops_at` says so, where
        the list ends. What was settled is recorded, also where the call ends before all of it is.
        """
        outcomes: list[Decided | Failed] = []
        with self._writer.admitted(len(asks)):
            asks = await self._informing.informed(asks)
            verdicts = await self._judge([ask for ask in asks if isinstance(ask, Ask)])
            if fits:
                await fits(asks, verdicts)
            try:
                with metrics.SETTLE.took():
                    await self._settle_each(asks, verdicts, stops_at, outcomes)
            except BaseException:
                self._record_all_the_same(outcomes)
                raise
            await self._record(outcomes)
        self._summarize(outcomes)
        return await self._with_grants(outcomes)

    async def still_lacking(self, ask: Ask, verdict: Verdict, approval_id: str) -> Verdict | None:
        """Why an approval that was used does not meet what the policy requires now: see `Settlement`."""
        return await self._settlement.still_lacking(ask, verdict, approval_id)

    async def judged(self, asks: Sequence[Ask]) -> list[Verdict | PdpError]:
        """What the policy says of each, which is `informed`, or its error.

        Nothing is settled, and the caller records what it finds.
        """
        with self._writer.admitted(1):
            return await self._judge(asks)

    async def _judge(self, asks: Sequence[Ask]) -> list[Verdict | PdpError]:
        """The policy's verdict on each; an error in the place of one that has none."""
        questions, verdicts = list[Question](), list[Verdict | PdpError]()
        for index, ask in enumerate(asks):
            questions.append(self.question(ask))
            await self._turns.behind(index, ask.caller.identity)
        for index, answer in enumerate(await self._batcher.ask(questions)):
            verdicts.append(self.verdict(answer))
            await self._turns.behind(index, asks[index].caller.identity)
        return verdicts

    def verdict(self, answer: object) -> Verdict | PdpError:
        """What an answer to a `question` says, or its error."""
        if isinstance(answer, PdpError):
            return answer
        if is_undefined(answer):
            return PolicyInvalid("undefined", "the policy has no answer to this request")
        try:
            return verdict(answer, self._person_types)
        except PolicyInvalid as error:
            return error

    async def _settle_each(
        self,
        asks: Sequence[Ask | Failed],
        verdicts: Iterable[Verdict | PdpError],
        stops_at: Callable[[Effect], bool],
        outcomes: list[Decided | Failed],
    ) -> None:
        """Settle into `outcomes`, which hold what is settled wherever this ends.

        The call's time is looked at before each further one: `asyncio.wait_for` of 3.11, in MongoDB's driver, may
        swallow the cancellation at its end.
        """
        judged = iter(verdicts)
        for index, ask in enumerate(asks):
            if index:
                deadline.require(0.0)
            outcomes.append(await self._settle(ask, next(judged)) if isinstance(ask, Ask) else ask)
            if stops_at(outcomes[-1].answered):
                break
            if isinstance(ask, Ask):
                await self._turns.behind(index, ask.caller.identity)

    async def _settle(self, ask: Ask, judged: Verdict | PdpError) -> Decided | Failed:
        """Settle; a question that OPA could not answer, or that is one too many for people, is recorded as that."""
        try:
            if isinstance(judged, PdpError):
                raise judged
            return Decided(ask, await self._settlement.settle(ask, judged))
        except (PolicyInvalid, EngineUnavailable, OutOfTime, TooManyPending) as error:
            _count_error(error)
            return Failed(error, [error_record(ask, error)])
        except PdpError as error:
            return Failed(error)

    async def _record(self, outcomes: Sequence[Decided | Failed]) -> None:
        """No record, no answer."""
        caller = next((outcome.ask.caller.identity for outcome in outcomes if isinstance(outcome, Decided)), "")
        steps = [outcome.answer.step for outcome in outcomes if isinstance(outcome, Decided)]
        entries = [entry for outcome in outcomes for entry in _entries(outcome)]
        await self._delivery.write([step for step in steps if step is not None], entries, caller)

    def _record_all_the_same(self, outcomes: Sequence[Decided | Failed]) -> None:
        """Record what was settled for a call that is over; of an approval's step, a sweep does it if this fails."""

        async def record() -> None:
            with suppress(PdpError):
                await self._record(outcomes)

        task = asyncio.get_running_loop().create_task(record(), context=Context())
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)

    def _summarize(self, outcomes: Sequence[Decided | Failed]) -> None:
        """Count what was decided, and note it for the call's summary."""
        for outcome in outcomes:
            _COUNTS[outcome.answered if isinstance(outcome, Decided) else None].add()
            if self._counts_rules and isinstance(outcome, Decided):
                for reason in outcome.answer.verdict.reasons:
                    metrics.RULES.admit(reason.rule, metrics.MOST_RULES).add()
        match outcomes:
            case [Decided() as decided]:
                call_summary.decided(1, decided.answered.value, decided.answer.decision_id)
            case [_, _, *_]:
                call_summary.decided(len(outcomes))

    async def _with_grants(self, outcomes: list[Decided | Failed]) -> list[Decided | Failed]:
        """The same with their proofs. MongoDB is asked for its time only where a plain allow wants one."""
        wanted = any(isinstance(outcome, Decided) and outcome.wants_grant for outcome in outcomes)
        now = await self._database.now() if wanted else None
        return [self._with_grant(outcome, now) if isinstance(outcome, Decided) else outcome for outcome in outcomes]

    def _with_grant(self, decided: Decided, now: datetime | None) -> Decided:
        """For a use as of the use, so that a repeat gives the same bytes; for a plain allow as of `now`."""
        ask, answer = decided.ask, decided.answer
        used = answer.approval.approval if answer.approval and answer.used else None
        at = used.closed_at if used else now if decided.wants_grant else None
        if at is None:
            return decided
        grant = self._grantor.grant(
            caller=ask.caller.identity,
            decision_id=answer.decision_id,
            approval_id=used.id if used else "",
            digest=ask.canonical.digest,
            at=at,
        )
        return replace(decided, grant=grant)


def _suspect(ask: Ask) -> Suspect:
    return Suspect(ask.caller.identity, ask.request.action.name, ask.request.resource.type)


def _count_error(error: PdpError) -> None:
    """Count a question that the policy gave no answer to."""
    if isinstance(error, PolicyInvalid):
        metrics.ENGINE_ERRORS.at(error.problem).add()
    elif isinstance(error, EngineUnavailable):
        metrics.ENGINE_ERRORS.at("late" if isinstance(error, OpaLate) else "unavailable").add()


def _entries(outcome: Decided | Failed) -> Sequence[Entry]:
    return outcome.answer.entries if isinstance(outcome, Decided) else outcome.entries

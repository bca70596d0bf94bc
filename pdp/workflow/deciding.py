"""The home of a decision: gRPC handlers, masking and every other face call it and only translate.

canonical request -> judge (OPA) -> settle (approvals) -> record (durable) -> grant
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from pdp import canonical, sent
from pdp.audit import event
from pdp.audit.record import Entry
from pdp.authzen_question import Asked
from pdp.bad_fields import MAX_NAMED, BadFields
from pdp.caller import Caller, identity
from pdp.deadline import OutOfTime
from pdp.decision import Effect, Verdict, opa_input, verdict
from pdp.errors import EngineUnavailable, InvalidRequest, PdpError, PolicyInvalid, TooManyPending
from pdp.grant import Grantor
from pdp.opa.batching import Batcher
from pdp.opa.quarantine import Suspect
from pdp.opa.queries import is_undefined
from pdp.opa.waiting import Question
from pdp.recording.delivery import Delivery
from pdp.recording.writer import Writer
from pdp.store.database import Database
from pdp.turns import Turns
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Subject
from pdp.workflow.answer import Ask, Decided, Failed
from pdp.workflow.repeat import checked_attempt
from pdp.workflow.settlement import Settlement

Faults: TypeAlias = Callable[[Mapping[str, Any]], Sequence[tuple[str, str]]]
"""(Field path, what is wrong) for each attribute of a canonical request that the policy's schemas do not take."""


Unsaid: TypeAlias = Callable[[AuthorizeRequest, str], None]
"""Hears of a request that does not say its digest, and of its caller's identity."""


Fits: TypeAlias = Callable[[Sequence[Ask | Failed], Sequence[Verdict | PdpError]], Awaitable[None]]
"""Raises `AnswerTooLarge` where the answers would not fit, given the verdicts on those that are questions."""


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
        unsaid: Unsaid = lambda _, __: None,
    ) -> None:
        """`unsaid` hears of each request without an `expected_digest`, and the caller's identity."""
        self._unsaid = unsaid
        self._realm, self._person_types, self._faults = realm, person_types, faults
        self._batcher, self._settlement, self._delivery = batcher, settlement, delivery
        self._writer, self._grantor, self._database, self._turns = writer, grantor, database, turns
        self._recording: set[asyncio.Task[None]] = set()

    def checked(self, request: AuthorizeRequest, caller: Caller) -> Ask:
        """Whether all of it arrived, every check of shape, and whether this caller may ask in these names.

        Raises `RequestDiffers`, `DigestRequired`, `InvalidRequest` and `NotAllowed`.
        """
        return self.checked_within(request, caller, self.require_whole(request, caller))

    def require_whole(self, request: AuthorizeRequest, caller: Caller) -> canonical.Canonical | None:
        """Raise `RequestDiffers` or `DigestRequired` unless this is what its caller meant, as far as that is said.

        Then return the canonical form of what it meant.
        """
        if not request.expected_digest:
            self._unsaid(request, caller.identity)
        return sent.require_whole(request, self._realm, required=caller.requires_digest)

    def checked_within(
        self, sent_request: AuthorizeRequest, caller: Caller, whole: canonical.Canonical | None = None
    ) -> Ask:
        """`checked` for what is a request's that was checked, with members that the server has added.

        `whole` is the canonical form of what was sent, where it is known: it is not made twice.
        """
        with BadFields() as bad:
            bad.tried(canonical.refuse_unknown_fields, sent_request)
            request = _with_vouched(sent_request, caller)
            _try_switches(bad, request)
            known = whole if request is sent_request else None
            bound = known or bad.tried(canonical.canonical, request, self._realm)
        return self._allowed(Ask(request, caller, bound, time.time_ns()))

    def checked_json(self, asked: Asked, caller: Caller) -> Ask:
        """`checked` for a question that came in AuthZEN's JSON, whose shape was checked as it was read."""
        if not asked.request.expected_digest:
            self._unsaid(asked.request, caller.identity)
        with BadFields() as bad:
            _try_switches(bad, asked.request)
            bound = bad.tried(asked.canonical, self._realm)
        sent.require_digest(asked.request, bound, required=caller.requires_digest)
        whole = asked.joined(caller.vouched)
        if whole is not asked:
            bound = whole.canonical(self._realm)
        ask = Ask(whole.request, caller, bound, time.time_ns(), supports=asked.supports, opens=asked.opens)
        return self._allowed(ask)

    def _allowed(self, ask: Ask) -> Ask:
        """The question, if the policy's schemas take it and its caller may ask it."""
        if faults := self._faults(ask.canonical.members):
            raise InvalidRequest.fields(faults[:MAX_NAMED])
        request = ask.request
        ask.caller.may_speak_for(identity(request.subject), [identity(subject) for subject in request.on_behalf_of])
        return ask

    async def checked_each(self, checks: Iterable[Callable[[], Ask]], caller: Caller) -> list[Ask | Failed]:
        """What each check gives; a bad question fails alone."""
        asks: list[Ask | Failed] = []
        for index, check in enumerate(checks):
            try:
                asks.append(check())
            except PdpError as error:
                asks.append(Failed(error))
            await self._turns.behind(index, caller.identity)
        return asks

    async def decide_one(self, ask: Ask, fits: Fits | None = None) -> Decided:
        """The decision on one question. Raises the error of one that has none."""
        [outcome] = await self.decide([ask], fits=fits)
        if isinstance(outcome, Failed):
            raise outcome.error
        return outcome

    @staticmethod
    def question(ask: Ask) -> Question:
        """What the policy is asked for a verdict."""
        return Question(opa_input(ask.canonical.json, ask.caller, ask.now_ns), _suspect(ask), ask.request.explain)

    def denies(self, answer: object) -> bool:
        """Whether this answer to a `question` denies, whoever approves; it settles nothing."""
        judged = self._verdict(answer)
        return isinstance(judged, PdpError) or judged.effect is Effect.DENY

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
            verdicts = await self._judge([ask for ask in asks if isinstance(ask, Ask)])
            if fits:
                await fits(asks, verdicts)
            try:
                await self._settle_each(asks, verdicts, stops_at, outcomes)
            except BaseException:
                self._record_all_the_same(outcomes)
                raise
            await self._record(outcomes)
        return await self._with_grants(outcomes)

    async def _judge(self, asks: Sequence[Ask]) -> list[Verdict | PdpError]:
        """The policy's verdict on each; an error in the place of one that has none."""
        questions, verdicts = list[Question](), list[Verdict | PdpError]()
        for index, ask in enumerate(asks):
            questions.append(self.question(ask))
            await self._turns.behind(index, ask.caller.identity)
        for index, answer in enumerate(await self._batcher.ask(questions)):
            verdicts.append(self._verdict(answer))
            await self._turns.behind(index, asks[index].caller.identity)
        return verdicts

    def _verdict(self, answer: object) -> Verdict | PdpError:
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
        """Settle into `outcomes`, which hold what is settled wherever this ends."""
        judged = iter(verdicts)
        for index, ask in enumerate(asks):
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
            return Failed(error, [event.error(ask.caller, ask.canonical, error)])
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


def _try_switches(bad: BadFields, request: AuthorizeRequest) -> None:
    """What a question says beside its canonical form."""
    if request.request_id:
        bad.tried(canonical.checked_id, request.request_id, "request_id")
    bad.tried(checked_attempt, request.attempt_id)
    bad.tried(canonical.checked_text, request.justification, "justification")


def _suspect(ask: Ask) -> Suspect:
    return Suspect(ask.caller.identity, ask.request.action.name, ask.request.resource.type)


def _entries(outcome: Decided | Failed) -> Sequence[Entry]:
    return outcome.answer.entries if isinstance(outcome, Decided) else outcome.entries


def _with_vouched(request: AuthorizeRequest, caller: Caller) -> AuthorizeRequest:
    """Everyone who stands in the caller's token joins the chain: a request can add to it, never remove."""
    named = {(subject.type, subject.id) for subject in request.on_behalf_of}
    missing = [principal for principal in dict.fromkeys(caller.vouched) if principal not in named]
    if not missing:
        return request
    joined = AuthorizeRequest()
    joined.CopyFrom(request)
    joined.on_behalf_of.extend(Subject(type=kind, id=identifier) for kind, identifier in missing)
    return joined

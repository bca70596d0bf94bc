"""DecisionService: authenticate -> canonical request -> OPA -> settle approval -> append record -> answer."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pdp import canonical, identifier
from pdp.audit import event
from pdp.audit.record import Entry, Kind
from pdp.caller import Caller
from pdp.decision import Verdict, opa_input, verdict
from pdp.errors import EngineUnavailable, InvalidRequest, NotFound, PdpError, PolicyInvalid, TooManyPending
from pdp.grant import Grantor
from pdp.opa.batching import Batcher, Question
from pdp.opa.queries import is_undefined
from pdp.policy.live import Policy
from pdp.recording.delivery import Delivery
from pdp.recording.writer import Writer
from pdp.service import message
from pdp.service.batch import Batch, item_error
from pdp.service.record import stored_record
from pdp.store.batches import Batches
from pdp.store.database import Database
from pdp.v1.decision_pb2 import (
    AuthorizeRequest,
    AuthorizeResponse,
    BatchAuthorizeRequest,
    BatchAuthorizeResponse,
    BatchAuthorizeResult,
    GetDecisionRequest,
    GetDecisionResponse,
)
from pdp.v1.request_pb2 import Effect, Subject
from pdp.workflow.answer import Ask, Settled
from pdp.workflow.settlement import Settlement

SLICE = 64
"""So many items of a batch are worked on between two chances for others."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question, and what must be in the log before anybody hears of it."""

    result: Settled | PdpError
    ask: Ask | None = None
    entries: Sequence[Entry] = ()

    @property
    def effect(self) -> Effect:
        """As the contract has it; an error is a deny."""
        return message.effect("DENY" if isinstance(self.result, PdpError) else self.result.verdict.effect)

    @property
    def wants_grant(self) -> bool:
        """Whether this is an allow without an approval that is to be proved all the same."""
        if self.ask is None or isinstance(self.result, PdpError) or self.result.granted:
            return False
        wanted = self.ask.request.want_grant and not self.ask.request.dry_run
        return wanted and self.effect == Effect.EFFECT_ALLOW


class DecisionService:
    """May this happen?"""

    def __init__(
        self,
        *,
        realm: str,
        person_types: frozenset[str],
        policy: Policy,
        batcher: Batcher,
        settlement: Settlement,
        delivery: Delivery,
        writer: Writer,
        grantor: Grantor,
        batches: Batches,
        database: Database,
    ) -> None:
        self._realm, self._person_types, self._policy = realm, person_types, policy
        self._batcher, self._settlement, self._delivery = batcher, settlement, delivery
        self._writer, self._grantor, self._batches, self._database = writer, grantor, batches, database

    async def Authorize(self, request: AuthorizeRequest, caller: Caller) -> AuthorizeResponse:
        """One decision."""
        ask = self.checked(request, caller)
        with self._writer.admitted(1):
            answers = await self._judge([ask])
            outcome = await self._settle(ask, answers[0])
            await self._record([outcome])
        return self._answer(outcome, await self._grants_at([outcome]))

    async def BatchAuthorize(self, request: BatchAuthorizeRequest, caller: Caller) -> BatchAuthorizeResponse:
        """Many decisions, settled in order; what a bad item gets is its own."""
        batch = Batch(request)
        asks = await self._asks(batch, caller)
        with self._writer.admitted(len(asks)):
            answers = iter(await self._judge([ask for ask in asks if isinstance(ask, Ask)]))
            outcomes: list[Outcome] = []
            for index, ask in enumerate(asks):
                outcomes.append(await self._settle(ask, next(answers)) if isinstance(ask, Ask) else Outcome(ask))
                if batch.stops_at(outcomes[-1].effect):
                    break
                await _breathe(index)
            await self._record(outcomes)
        granted_at = await self._grants_at(outcomes)
        results = [self._result(outcome, granted_at) for outcome in outcomes]
        undecided = BatchAuthorizeResult(decision=AuthorizeResponse())
        return BatchAuthorizeResponse(results=results + [undecided] * (len(asks) - len(results)))

    async def GetDecision(self, request: GetDecisionRequest, caller: Caller) -> GetDecisionResponse:
        """A decision of the caller's own, from the log."""
        uuid = identifier.uuid_bytes(request.decision_id)
        batch = await self._batches.holding(uuid) if uuid else None
        stored = stored_record(batch, identifier.record_id(request.decision_id)) if batch else None
        if stored is None or stored.members["kind"] != Kind.DECISION or stored.caller != caller.identity:
            raise NotFound("DECISION_NOT_FOUND", "this caller has no such decision")
        return stored.decision()

    def checked(self, request: AuthorizeRequest, caller: Caller) -> Ask:
        """Every check of shape, and whether this caller may ask in these names."""
        canonical.refuse_unknown_fields(request)
        request = _with_vouched(request, caller)
        if request.request_id:
            canonical.checked_id(request.request_id, "request_id")
        canonical.checked_text(request.justification, "justification")
        bound = canonical.canonical(request, self._realm)
        if faults := self._policy.attributes.faults(request.resource.type, bound.resource_properties):
            raise InvalidRequest(f"{faults[0][0]}: {faults[0][1]}", violations=faults)
        chain = [f"{subject.type}:{subject.id}" for subject in request.on_behalf_of]
        caller.may_speak_for(f"{request.subject.type}:{request.subject.id}", chain)
        return Ask(request, caller, bound, time.time_ns())

    async def _asks(self, batch: Batch, caller: Caller) -> list[Ask | PdpError]:
        asks: list[Ask | PdpError] = []
        for index, item in enumerate(batch.items()):
            try:
                asks.append(self.checked(item, caller))
            except PdpError as error:
                asks.append(error)
            await _breathe(index)
        return asks

    async def _judge(self, asks: Sequence[Ask]) -> list[Verdict | PdpError]:
        """The policy's verdict on each, in slices; an error in the place of one that has none."""
        questions = [
            Question(opa_input(ask.canonical.json, ask.caller, ask.now_ns), ask.caller.identity, ask.request.explain)
            for ask in asks
        ]
        if len(questions) <= SLICE:
            return [self._verdict(answer) for answer in await self._batcher.ask(questions)]
        slices = [questions[at : at + SLICE] for at in range(0, len(questions), SLICE)]
        answers = await asyncio.gather(*(self._batcher.ask(part) for part in slices))
        return [self._verdict(answer) for part in answers for answer in part]

    def _verdict(self, answer: object) -> Verdict | PdpError:
        if isinstance(answer, PdpError):
            return answer
        if is_undefined(answer):
            return PolicyInvalid("undefined", "the policy has no answer to this request")
        try:
            return verdict(answer, self._person_types)
        except PolicyInvalid as error:
            return error

    async def _settle(self, ask: Ask, answer: Verdict | PdpError) -> Outcome:
        """Settle; a question that OPA could not answer, or that is one too many for people, is recorded as that."""
        try:
            if isinstance(answer, PdpError):
                raise answer
            settled = await self._settlement.settle(ask, answer)
        except (PolicyInvalid, EngineUnavailable, TooManyPending) as error:
            return Outcome(error, ask, [event.error(ask.caller, ask.canonical, error)])
        except PdpError as error:
            return Outcome(error, ask)
        return Outcome(settled, ask, settled.entries)

    async def _record(self, outcomes: Sequence[Outcome]) -> None:
        """No record, no answer."""
        await self._writer.append([entry for outcome in outcomes for entry in outcome.entries])
        for outcome in outcomes:
            if isinstance(outcome.result, Settled) and outcome.result.step is not None:
                self._delivery.delivered(outcome.result.step)

    async def _grants_at(self, outcomes: Sequence[Outcome]) -> datetime | None:
        """MongoDB's time, where a plain allow wants a grant."""
        return await self._database.now() if any(outcome.wants_grant for outcome in outcomes) else None

    def _answer(self, outcome: Outcome, granted_at: datetime | None) -> AuthorizeResponse:
        ask, settled = outcome.ask, outcome.result
        if ask is None or isinstance(settled, PdpError):
            raise settled if isinstance(settled, PdpError) else AssertionError
        final = settled.verdict
        return AuthorizeResponse(
            decision_id=settled.decision_id,
            effect=outcome.effect,
            reasons=message.reasons(final.reasons),
            obligations=message.obligations(final.obligations),
            policy_revision=final.revision,
            request_digest=ask.canonical.digest,
            on_behalf_of=ask.request.on_behalf_of,
            approval=message.approval(settled.approval) if settled.approval else None,
            grant=self._grant(ask, settled, granted_at if outcome.wants_grant else None),
            fired=message.fired(final),
            dry_run=ask.request.dry_run,
        )

    def _grant(self, ask: Ask, settled: Settled, granted_at: datetime | None) -> str:
        """For a use as of the use, so that a repeat gives the same bytes; for a plain allow as of `granted_at`."""
        used = settled.approval.approval if settled.approval and settled.granted else None
        at = used.closed_at if used else granted_at
        if at is None:
            return ""
        return self._grantor.grant(
            caller=ask.caller.identity,
            decision_id=settled.decision_id,
            approval_id=used.id if used else "",
            digest=ask.canonical.digest,
            at=at,
        )

    def _result(self, outcome: Outcome, granted_at: datetime | None) -> BatchAuthorizeResult:
        if isinstance(outcome.result, PdpError):
            return BatchAuthorizeResult(error=item_error(outcome.result))
        answer = self._answer(outcome, granted_at)
        if answer.HasField("approval"):  # the caller has its request; with it, answers may be too large or too deep
            answer.approval.ClearField("request")
            for review in answer.approval.reviews:
                review.ClearField("suggestion")
        return BatchAuthorizeResult(decision=answer)


def _with_vouched(request: AuthorizeRequest, caller: Caller) -> AuthorizeRequest:
    """Whoever stands in the caller's token joins the chain: a request can add to it, never remove."""
    named = {(subject.type, subject.id) for subject in request.on_behalf_of}
    missing = [principal for principal in dict.fromkeys(caller.vouched) if principal not in named]
    if not missing:
        return request
    joined = AuthorizeRequest()
    joined.CopyFrom(request)
    joined.on_behalf_of.extend(Subject(type=kind, id=identifier) for kind, identifier in missing)
    return joined


async def _breathe(index: int) -> None:
    """A chance for others after every slice."""
    if index % SLICE == SLICE - 1:
        await asyncio.sleep(0)

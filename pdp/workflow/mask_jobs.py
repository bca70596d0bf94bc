"""A mask job: planned, decided as any other action, ready before its decision is used, and then begun.

    form -> plan -> verdict -> quota reserved, content opened, answer measured -> decision used, with the claim in it

1. What fails before the decision is used uses nothing: the approval stands as it stood, and the quota is given back.
2. Nothing is reserved or opened for a call that is denied or waits for people.
"""

import asyncio
from collections.abc import Mapping
from contextvars import Context
from dataclasses import dataclass, replace
from typing import Any

import masker
from pdp import deadline, identifier
from pdp.caller import Caller
from pdp.decision import Effect
from pdp.errors import (
    Conflict,
    DecisionUsed,
    EngineUnavailable,
    KeyRefused,
    MaskPlanRefused,
    PdpError,
    PolicyInvalid,
    StoreUnavailable,
)
from pdp.masking.job import Job, Progress, Reservation
from pdp.masking.keys import MaskKeys
from pdp.masking.threads import Threads
from pdp.opa.batching import Batcher
from pdp.recording.writer import Writer
from pdp.requirement import allowance
from pdp.store.database import WAIT_SECONDS
from pdp.store.domains import Domains
from pdp.store.mask_uses import MaskUses
from pdp.store.quotas import Limits, Quotas
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.workflow.answer import Answer, Ask, Decided, error_record
from pdp.workflow.deciding import Deciding
from pdp.workflow.mask_plans import MaskPlans, Planned
from pdp.workflow.mask_work import Continued, Work

ATTEMPTS = 3
"""Plans that are made of one job before it fails: a policy that changes twice within one call is a rare accident."""
USE_SECONDS = 0.2
"""Seconds that the use of an approval and its records may take: two writes, which take about 20 ms."""
RECORD_SECONDS = 0.03
"""Seconds that the records of an answer may take, at least."""
_REFUSALS = (MaskPlanRefused, PolicyInvalid, EngineUnavailable, KeyRefused)
_RECORDED_ELSEWHERE = (PolicyInvalid, EngineUnavailable, StoreUnavailable)
"""What `Deciding` records if it is raised before the decision is used, and what cannot be recorded."""


@dataclass(slots=True)
class _Attempt:
    """One call on its way to its decision: its progress once it is ready, and its claim."""

    work: Work
    ask: Ask
    keys: masker.Keyring
    planned: Planned
    claim: str
    progress: Progress | None = None


class MaskJobs:
    """Makes jobs of what callers ask for."""

    def __init__(
        self,
        *,
        person_types: frozenset[str],
        deciding: Deciding,
        batcher: Batcher,
        keys: MaskKeys,
        domains: Domains,
        uses: MaskUses,
        quotas: Quotas,
        limits: Limits,
        writer: Writer,
        threads: Threads,
    ) -> None:
        self._deciding, self._plans = deciding, MaskPlans(person_types, deciding, batcher, domains, threads)
        self._keys, self._domains, self._uses, self._writer, self._threads = keys, domains, uses, writer, threads
        self._quotas, self._limits, self._giving_back = quotas, limits, set[asyncio.Task[None]]()
        self.require_whole = deciding.require_whole

    def check(self, request: AuthorizeRequest, caller: Caller) -> None:
        """Raise what `decide` raises first, for the form of the request alone."""
        self._deciding.checked(request, caller)

    async def decide(self, work: Work, request: AuthorizeRequest, caller: Caller) -> tuple[Decided, Progress | None]:
        """The decision on this work, and the job at work where it is allowed.

        Raises what deciding raises, why there is no plan, what `work` raises, `QuotaExceeded`, `Conflict`, and
        `DecisionUsed` where another job began under this decision. Each of them leaves everything as it was.
        """
        attempt = await self._attempt(work, request, caller)
        if isinstance(attempt, Decided):
            return attempt, None
        try:
            decided = await self._deciding.decide_one(
                replace(
                    attempt.ask,
                    ready=lambda answer: self._ready(attempt, answer),
                    continues=work.continued is not None,
                )
            )
            progress = attempt.progress if decided.effect is Effect.ALLOW else None
            if progress is not None:
                await self._begun(attempt, decided)
                progress.decided(decided.answer.decision_id, attempt.claim)
        except DecisionUsed as refused:
            await self._writer.append([error_record(attempt.ask, refused)])
            raise
        finally:
            await self._given_back(attempt)
        return decided, progress

    async def plan(
        self, work: Work, request: AuthorizeRequest, caller: Caller
    ) -> tuple[Decided, masker.MaskPlan | None]:
        """The decision as a dry run, and the plan unless it is a deny. Raises as `decide` does."""
        request.dry_run = True
        attempt = await self._attempt(work, request, caller)
        if isinstance(attempt, Decided):
            return attempt, None
        decided = await self._deciding.decide_one(attempt.ask)
        if decided.effect is Effect.DENY:
            return decided, None
        planned = await self._confirmed(attempt, decided.answer.verdict.revision)
        await self._domains.claim(planned.used)
        return decided, planned.plan

    async def _attempt(self, work: Work, request: AuthorizeRequest, caller: Caller) -> "_Attempt | Decided":
        """The planned call, with its content parsed; the deny where the policy denies what cannot be planned."""
        ask = await self._deciding.informed_one(self._deciding.checked(request, caller))
        keys = await self._threads.read(caller.identity, self._keys.current, 0)
        try:
            planned = await self._plans.planned(work, ask, keys)
        except _REFUSALS as refused:
            return await self._denied(ask, refused)
        if work.content is not None and not planned.is_denied:
            await self._threads.read(caller.identity, work.content, work.size)
        return _Attempt(work, self._with_context(ask, planned.context), keys, planned, identifier.new(work.claims))

    async def _ready(self, attempt: _Attempt, answer: Answer) -> str:
        """Make the job ready, once, under the allow that would be answered; returns its claim."""
        try:
            await self._continue(attempt, answer)
            if attempt.progress is None:
                planned = await self._confirmed(attempt, answer.judged_by or answer.verdict.revision)
                await self._domains.claim(planned.used)
                attempt.progress = self._progress(attempt, planned, answer)
                await attempt.work.begin(attempt.progress, Decided(attempt.ask, answer))
                _require_time(answer)
        except _RECORDED_ELSEWHERE:
            raise
        except PdpError as refused:
            await self._writer.append([error_record(attempt.ask, refused)])
            raise
        return attempt.claim

    async def _continue(self, attempt: _Attempt, answer: Answer) -> None:
        """Take the claim that this call goes on with; what was ready for a new one is given back."""
        continued = attempt.work.continued
        held = await continued.held(attempt.ask, answer) if continued else ""
        if held and held != attempt.claim:
            await self._given_back(attempt)
            attempt.claim, attempt.progress = held, None

    def _progress(self, attempt: _Attempt, planned: Planned, answer: Answer) -> Progress:
        work, caller = attempt.work, attempt.ask.caller
        job = Job(work.action, caller, planned.persons, planned.plan, attempt.keys, work.shape, planned.context)
        used = answer.approval.approval.requirements if answer.approval and answer.used else ()
        allowed = allowance(used) if work.action == "unmask" else 0
        return Progress(job, Reservation(self._quotas, self._limits, job, allowed), self._threads.of(caller.identity))

    async def _given_back(self, attempt: _Attempt) -> None:
        """Give back what is reserved and not kept: also of a call that was cancelled, or whose time is over.

        The call waits a second for it at most; it is tried for longer.
        """
        if attempt.progress is not None:
            task = asyncio.get_running_loop().create_task(attempt.progress.undecided(), context=Context())
            self._giving_back.add(task)
            task.add_done_callback(self._giving_back.discard)
            await asyncio.wait({task}, timeout=WAIT_SECONDS)

    async def _begun(self, attempt: _Attempt, decided: Decided) -> None:
        """Claim a decision that was given before: its use does not hold the claim. Raises `DecisionUsed`."""
        if attempt.work.continued is not None:
            await self._taken(attempt, attempt.work.continued, decided)
        elif decided.answer.used and decided.answer.step is None:
            await self._uses.begin(decided.answer.decision_id, attempt.work.action, attempt.claim)

    async def _taken(self, attempt: _Attempt, continued: Continued, decided: Decided) -> None:
        """Keep the work of the claim. Where that may have failed, its quota stays counted: another call may go on."""
        try:
            await continued.take(decided, attempt.claim)
        except Conflict:
            raise
        except BaseException:
            if attempt.progress is not None:
                attempt.progress.decided(decided.answer.decision_id, attempt.claim)
            raise

    def _with_context(self, ask: Ask, context: Mapping[str, Any]) -> Ask:
        """The question about this very data, where the decision is bound to it."""
        if not context:
            return ask
        request = _copy(ask.request)
        request.context.update(context)
        return replace(self._deciding.checked_within(request, ask.caller), lineage=ask.lineage)

    async def _confirmed(self, attempt: _Attempt, revision: str) -> Planned:
        """The plan of the very policy revision that decided. Raises `Conflict`.

        OPA may have reloaded between plan and decision. A plan by the old rules must not run under a decision by the
        new ones, so it is made again, as long as the decision is bound to the same data.
        """
        planned = attempt.planned
        for _ in range(ATTEMPTS):
            if planned.plan.policy_revision == revision:
                return planned
            again = await self._plans.planned(attempt.work, attempt.ask, attempt.keys)
            if again.context != planned.context:
                break
            planned = again
        raise Conflict("the policy changed meanwhile; ask again")

    async def _denied(self, ask: Ask, refused: PdpError) -> Decided:
        """The deny, where the policy denies anyway; else why there is no plan, recorded and raised."""
        request = _copy(ask.request)
        request.dry_run = True
        decided = await self._deciding.decide_one(replace(ask, request=request))
        if decided.effect is Effect.DENY:
            return decided
        await self._writer.append([error_record(ask, refused)])
        raise refused


def _require_time(answer: Answer) -> None:
    """Raise `OutOfTime` where an approval might be used, or records made, and the answer come too late."""
    deadline.require(USE_SECONDS if answer.used else RECORD_SECONDS)


def _copy(request: AuthorizeRequest) -> AuthorizeRequest:
    copied = AuthorizeRequest()
    copied.CopyFrom(request)
    return copied

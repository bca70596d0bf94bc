"""Verdict -> answer: opens, resumes or uses an approval where the policy asks for people.

    evaluate -> ready -> compare-and-set (step and outbox in one update) -> records durable -> answer

What the server itself does under an allow is made ready before anything is used for it (`Ask.ready`). Died before the
compare-and-set: nothing happened. Died after: the same attempt gets the answer, or a sweep delivers the records.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pdp import identifier
from pdp.approval import (
    OPEN,
    ApprovalAt,
    Opening,
    State,
)
from pdp.audit import event
from pdp.canonical import differing_paths
from pdp.decision import Effect, Verdict
from pdp.errors import InvalidRequest, NotFound
from pdp.lineage.seen import kept
from pdp.opa.batching import Batcher
from pdp.quorum import (
    suggesters,
)
from pdp.recording.delivery import OLD_SEAL, Delivery
from pdp.recording.uses import Uses
from pdp.store.approvals import Approvals, RequestIdTaken
from pdp.workflow.answer import Answer, Ask, answer_without_step, decision_record
from pdp.workflow.ends import ended, request_id_reused, why_ended
from pdp.workflow.integrity import Integrity
from pdp.workflow.linked import LinkedPrincipals
from pdp.workflow.repeat import Repeats, is_repeat
from pdp.workflow.retrying import retried
from pdp.workflow.review_limits import ReviewLimits, denied_again
from pdp.workflow.reviewers import Reviewers
from pdp.workflow.using import Using

UNKNOWN_RULE = "pdp.approval_unknown"
"""The rule of a deny because the caller does not have the approval that it names."""


class Settlement:
    """Settles one question after the other; all state is MongoDB's."""

    def __init__(
        self,
        approvals: Approvals,
        batcher: Batcher,
        delivery: Delivery,
        uses: Uses,
        integrity: Integrity,
        reviewers: Reviewers,
        limits: ReviewLimits,
        linked: LinkedPrincipals,
    ) -> None:
        self._approvals, self._batcher, self._delivery, self._integrity = approvals, batcher, delivery, integrity
        self._reviewers, self._limits, self._linked = reviewers, limits, linked
        self._repeats = Repeats(delivery, uses, integrity)
        self._using = Using(approvals, batcher, delivery, integrity)

    async def settle(self, ask: Ask, verdict: Verdict) -> Answer:
        """Turn the policy's verdict into the answer.

        Raises `NotFound`, `InvalidRequest`, `RequestIdReused`, `ApprovalTampered`, `Conflict`, `StoreUnavailable` and
        what OPA may raise.
        """
        existing, unknown = await self._found(ask)
        if verdict.effect is not Effect.NEEDS_APPROVAL:
            # Today's policy decides. Where it allows, an approval is not needed: it stays unused, for a day when it is.
            answer = answer_without_step(ask, verdict)
            if verdict.effect is Effect.ALLOW and not (ask.request.dry_run or answer.withheld):
                await ask.claim(answer)
            return answer
        if unknown:
            return answer_without_step(ask, verdict.denied(UNKNOWN_RULE, "the caller has no such approval"))
        verdict = replace(verdict, principals=await self._linked.of(ask.canonical.json, verdict.principals))
        principals = existing.approval.principals if existing else await self._requesters(ask, verdict)
        if existing is None or existing.state is State.PENDING:
            # A pending approval is judged again, because the people who could review it may have left meanwhile.
            pointless = await self._pointless(ask, verdict, existing, principals)
            if pointless is not None:
                return pointless
        if existing is not None:
            return await self._resume(ask, verdict, existing)
        if ask.request.dry_run or not ask.opens:
            return answer_without_step(ask, verdict)
        return await retried(lambda: self._pending_or_new(ask, verdict, principals))

    async def still_lacking(self, ask: Ask, verdict: Verdict, approval_id: str) -> Verdict | None:
        """Why an approval that was used does not meet what the policy requires now; None where it does.

        It is the check of the use, for work that goes on. Nothing is settled. Raises `ApprovalTampered`, and `NotFound`
        where there is no such approval of this caller.
        """
        approval = (await self._approvals.of_its_caller(ask.caller.identity, approval_id)).approval
        await self._integrity.require(approval, ask.caller)
        verdict = replace(verdict, principals=await self._linked.of(ask.canonical.json, verdict.principals))
        return await self._using.lacking(ask, verdict, approval)

    async def _found(self, ask: Ask) -> tuple[ApprovalAt | None, bool]:
        """The approval that the question names, and whether it is unknown, for whom that is not an error."""
        try:
            return await self._existing(ask), False
        except NotFound:
            if not ask.tells_unknown:
                raise
            return None, True

    async def _existing(self, ask: Ask) -> ApprovalAt | None:
        """The approval that the request id or the approval id names."""
        request, caller = ask.request, ask.caller.identity
        if request.request_id:
            existing = await self._approvals.by_request_id(caller, request.request_id)
            if existing is not None:
                if existing.approval.digest != ask.canonical.digest:
                    raise request_id_reused(existing.approval, ask.canonical.json, self._integrity.sealer)
                return existing
        return await self._of_caller(ask, "approval_id", request.approval_id) if request.approval_id else None

    async def _of_caller(self, ask: Ask, field: str, approval_id: str) -> ApprovalAt:
        return await self._approvals.of_its_caller(ask.caller.identity, approval_id, f"leave {field} out to open one")

    async def _pointless(
        self, ask: Ask, verdict: Verdict, existing: ApprovalAt | None, principals: Sequence[str]
    ) -> Answer | None:
        """A deny where asking people leads nowhere: too few could approve, or one of them has just denied it."""
        judged = await self._reviewers.or_deny(verdict, ask, principals)
        if judged.effect is Effect.DENY:
            return answer_without_step(ask, judged, existing)
        if existing is None and (denial := await self._limits.denial(ask.caller.identity, ask.canonical.digest)):
            return answer_without_step(ask, denied_again(verdict, denial.approval), denial)
        return None

    async def _requesters(self, ask: Ask, verdict: Verdict) -> Sequence[str]:
        """The new approval's requester principals.

        They are today's, those who suggested this very request, and everyone who took part in what it supersedes. Each
        approval holds those of the one before, so one step back is the whole chain.
        """
        suggested: set[str] = set()
        for held in await self._approvals.suggesting([ask.canonical.digest]):
            await self._integrity.require(held.approval, ask.caller)
            suggested |= suggesters(held.approval, ask.canonical.digest)
        if not ask.request.supersedes:
            return sorted({*verdict.principals, *suggested}) if suggested else verdict.principals
        before = (await self._of_caller(ask, "supersedes", ask.request.supersedes)).approval
        await self._integrity.require(before, ask.caller)
        if not before.was_sent_back:
            raise InvalidRequest.field("supersedes", "names an approval that no reviewer sent back; leave it out")
        return sorted({*verdict.principals, *before.principals, *suggesters(before), *suggested})

    async def _pending_or_new(self, ask: Ask, verdict: Verdict, principals: Sequence[str]) -> Answer | None:
        """The caller's pending approval for the same request, or else a new one; None where others were faster."""
        pending = await self._approvals.pending(ask.caller.identity, ask.canonical.digest)
        if pending is None:
            await self._limits.admit(ask.caller.identity, ask.canonical.digest, ask.canonical.json)
            return await self._open(ask, verdict, principals)
        if self._is_open_and_old(pending):
            await self._delivery.end_old(pending.approval)
            return None
        if pending.state is State.PENDING:
            await self._delivery.deliver(pending.approval)
            return answer_without_step(ask, verdict, pending)
        await self._delivery.expire(pending)
        return None

    async def _open(self, ask: Ask, verdict: Verdict, principals: Sequence[str]) -> Answer | None:
        """A new approval; None where others were faster."""
        opening = self._opening(ask, verdict, principals, await self._approvals.now())
        records = [
            decision_record(ask, verdict, opening.decision_id, opening.id),
            event.approval_created(opening, ask.caller, ask.canonical, verdict),
        ]
        try:
            opened = await self._approvals.open(opening, ask.request.request_id, records)
        except RequestIdTaken:
            existing = await self._existing(ask)
            return await self._resume(ask, verdict, existing) if existing else None
        if opened is None:
            return None
        held = ApprovalAt(opened, opened.created_at)
        return Answer(verdict, opening.decision_id, records, held, step=opened)

    def _opening(self, ask: Ask, verdict: Verdict, principals: Sequence[str], now: datetime) -> Opening:
        unsealed = Opening(
            id=identifier.new("apr"),
            caller=ask.caller.identity,
            request=ask.canonical.json,
            digest=ask.canonical.digest,
            justification=ask.request.justification,
            requirements=verdict.requirements,
            principals=tuple(principals),
            decision_id=identifier.new("dec"),
            policy_revision=verdict.revision,
            supersedes=ask.request.supersedes,
            sealed_at=now,
            lineage=kept(ask.view),
        )
        return replace(unsealed, seal=self._integrity.sealer.frozen(unsealed))

    async def _resume(self, ask: Ask, verdict: Verdict, existing: ApprovalAt) -> Answer:
        """What an existing approval means to this request, trying again while others change it."""

        async def again() -> Answer | None:
            changed = await self._existing(ask)
            return await self._apply(ask, verdict, changed) if changed else None

        answer = await self._apply(ask, verdict, existing)
        return await retried(again) if answer is None else answer

    async def _apply(self, ask: Ask, verdict: Verdict, existing: ApprovalAt) -> Answer | None:
        """What an approval in its present state means to this request; None where another call changed it."""
        approval = existing.approval
        if approval.digest != ask.canonical.digest:
            paths = ", ".join(differing_paths(approval.request, ask.canonical.json))
            why = f"the approval is for another request; it differs in: {paths}"
            return answer_without_step(ask, verdict.denied("pdp.approval_mismatch", why), existing)
        if self._is_open_and_old(existing):
            return await self._end_old(ask, verdict, existing)
        if existing.state is State.PENDING or not ask.uses:
            await self._delivery.deliver(approval)
            return answer_without_step(ask, verdict, existing)
        match existing.state:
            case State.APPROVED:
                return await self._using.use(ask, verdict, existing)
            case State.CONSUMED if is_repeat(ask, existing):
                return await self._repeats.answer(ask, verdict, existing)
        await self._delivery.deliver(approval)  # the answer names what ended it, so that is in the log first
        why = why_ended(existing, ask.request, self._integrity.sealer)
        return answer_without_step(ask, ended(verdict, existing.state, why), existing)

    def _is_open_and_old(self, held: ApprovalAt) -> bool:
        return held.state in OPEN and self._integrity.sealer.is_old(held.approval)

    async def _end_old(self, ask: Ask, verdict: Verdict, existing: ApprovalAt) -> Answer | None:
        if ask.request.dry_run:
            return answer_without_step(ask, ended(verdict, State.VOIDED, OLD_SEAL), existing)
        await self._delivery.end_old(existing.approval)
        return None

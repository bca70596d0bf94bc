"""Verdict -> answer: opens, resumes or uses an approval where the policy asks for people.

    evaluate -> compare-and-set (step and outbox in one update) -> records durable -> answer

Died before the compare-and-set: nothing happened. Died after: the same `request_id` finishes it, or a sweep delivers
the records.
"""

from collections.abc import Sequence
from datetime import timedelta

from pdp import grant, identifier
from pdp.approval import Approval, PolicyReview, State, satisfied, suggesters
from pdp.approval import Verdict as ReviewVerdict
from pdp.audit import event
from pdp.canonical import differing_paths, kind
from pdp.decision import Effect, Verdict, policy_review, review_input
from pdp.errors import Conflict, InvalidRequest, NotFound, RequestIdReused
from pdp.opa.queries import Opa
from pdp.recording.delivery import Delivery
from pdp.store.approvals import Approvals, Found, Opening, RequestIdTaken
from pdp.workflow.answer import Ask, Settled, decided, plain
from pdp.workflow.integrity import Integrity
from pdp.workflow.review_limits import Fatigue, denied_again
from pdp.workflow.reviewers import Reach

ATTEMPTS = 16
"""How often a step is tried again after somebody else changed the approval."""

_ENDS = {
    State.DENIED: "a reviewer denied it",
    State.EXPIRED: "its time ran out",
    State.CONSUMED: "it was used; an approval fits one action, once",
    State.CANCELLED: "its caller withdrew it",
    State.REVOKED: "it was revoked",
    State.VOIDED: "the policy asks for more than its reviews gave",
}
_SENT_BACK = "a reviewer asks for changes; send the new request with `supersedes` set to this approval"


class Settlement:
    """Settles one question after the other; all state is MongoDB's."""

    def __init__(
        self,
        approvals: Approvals,
        opa: Opa,
        delivery: Delivery,
        integrity: Integrity,
        reach: Reach,
        fatigue: Fatigue,
    ) -> None:
        self._approvals, self._opa, self._delivery, self._integrity = approvals, opa, delivery, integrity
        self._reach, self._fatigue = reach, fatigue

    async def settle(self, ask: Ask, verdict: Verdict) -> Settled:
        """Turn the policy's verdict into the answer.

        Raises `NotFound`, `InvalidRequest`, `RequestIdReused`, `ApprovalTampered`, `Conflict`, `StoreUnavailable` and
        what OPA may raise.
        """
        found = await self._named(ask)
        if verdict.effect is not Effect.NEEDS_APPROVAL:
            return plain(ask, verdict)
        principals = found.approval.principals if found else await self._barred(ask, verdict)
        if found is None or found.state is State.PENDING:
            refused = await self._refused(ask, verdict, found, principals)
            if refused is not None:
                return refused
        if found is None:
            return plain(ask, verdict) if ask.request.dry_run else await self._open(ask, verdict, principals)
        return await self._resume(ask, verdict, found)

    async def _named(self, ask: Ask) -> Found | None:
        """The approval that the request id or the approval id names."""
        request, caller = ask.request, ask.caller.identity
        if request.request_id:
            found = await self._approvals.by_request_id(caller, request.request_id)
            if found is not None:
                _same_request(ask, found.approval)
                return found
        if not request.approval_id:
            return None
        return await self._own(ask, "approval_id", request.approval_id)

    async def _own(self, ask: Ask, field: str, approval_id: str) -> Found:
        found = await self._approvals.get(approval_id)
        if found is None or found.approval.caller != ask.caller.identity:
            raise NotFound("APPROVAL_NOT_FOUND", f"this caller has no such approval; leave {field} out to open one")
        return found

    async def _refused(
        self, ask: Ask, verdict: Verdict, found: Found | None, principals: Sequence[str]
    ) -> Settled | None:
        """A deny where asking people leads nowhere: too few could approve, or one of them has just denied it."""
        judged = await self._reach.judged(verdict, ask.canonical.json, ask.caller, ask.now_ns, principals)
        if judged.effect is Effect.DENY:
            return plain(ask, judged, found)
        if found is None and (denial := await self._fatigue.denial(ask.caller.identity, ask.canonical.digest)):
            return plain(ask, denied_again(verdict, denial.approval), denial)
        return None

    async def _barred(self, ask: Ask, verdict: Verdict) -> Sequence[str]:
        """The new approval's requester principals: today's, and whoever had a hand in what it supersedes.

        Each approval holds those of the one before, so one step back is the whole chain.
        """
        if not ask.request.supersedes:
            return verdict.principals
        before = (await self._own(ask, "supersedes", ask.request.supersedes)).approval
        await self._integrity.require(before, ask.caller)
        if not before.was_sent_back:
            raise InvalidRequest.field("supersedes", "names an approval that no reviewer sent back; leave it out")
        return sorted({*verdict.principals, *before.principals, *suggesters(before)})

    async def _open(self, ask: Ask, verdict: Verdict, principals: Sequence[str]) -> Settled:
        """A new approval, or the one that this caller has pending for the same request."""
        await self._fatigue.admit(ask.caller.identity, ask.canonical.digest, principals)
        for _ in range(ATTEMPTS):
            opening = self._opening(ask, verdict, principals)
            try:
                opened = await self._approvals.open(opening)
            except RequestIdTaken:
                found = await self._named(ask)
                if found is not None:
                    return await self._resume(ask, verdict, found)
                continue
            if opened is not None:
                seen = Found(opened, opened.created_at)
                return Settled(verdict, opening.decision_id, opening.outbox, seen, step=opened)
            pending = await self._approvals.pending(ask.caller.identity, ask.canonical.digest)
            if pending is None:
                continue
            if pending.state is State.PENDING:
                await self._delivery.deliver(pending.approval)
                return plain(ask, verdict, pending)
            await self._delivery.expire(pending)
        raise Conflict("this request's approvals change faster than they can be read; try again")

    def _opening(self, ask: Ask, verdict: Verdict, principals: Sequence[str]) -> Opening:
        approval_id, decision_id = identifier.new("apr"), identifier.new("dec")
        supersedes = ask.request.supersedes
        seal = self._integrity.sealer.frozen(
            approval_id=approval_id,
            request_digest=ask.canonical.digest,
            caller=ask.caller.identity,
            principals=principals,
            supersedes=supersedes,
            requirements=verdict.requirements,
        )
        created = event.approval_created(
            approval_id, ask.caller, ask.canonical, verdict, principals=principals, supersedes=supersedes
        )
        return Opening(
            id=approval_id,
            caller=ask.caller.identity,
            request=ask.canonical.json,
            digest=ask.canonical.digest,
            justification=ask.request.justification,
            request_id=ask.request.request_id,
            requirements=verdict.requirements,
            principals=principals,
            decision_id=decision_id,
            policy_revision=verdict.revision,
            kind=kind(ask.canonical.json),
            supersedes=supersedes,
            seal=seal,
            outbox=[decided(ask, verdict, decision_id, approval_id), created],
        )

    async def _resume(self, ask: Ask, verdict: Verdict, found: Found) -> Settled:
        """What an existing approval means to this request, trying again while others change it."""
        for _ in range(ATTEMPTS):
            settled = await self._with_approval(ask, verdict, found)
            if settled is not None:
                return settled
            again = await self._named(ask)
            if again is None:
                break
            found = again
        raise Conflict("this approval changes faster than it can be read; try again")

    async def _with_approval(self, ask: Ask, verdict: Verdict, found: Found) -> Settled | None:
        approval, state = found.approval, found.state
        if approval.digest != ask.canonical.digest:
            paths = ", ".join(differing_paths(approval.request, ask.canonical.json))
            return plain(
                ask,
                verdict.denied("pdp.approval_mismatch", f"the approval is for another request; it differs in: {paths}"),
                found,
            )
        if state is State.PENDING:
            await self._delivery.deliver(approval)
            return plain(ask, verdict, found)
        if state is State.APPROVED:
            return await self._use(ask, verdict, found)
        if state is State.CONSUMED and _is_repeat(ask, found):
            await self._integrity.require(approval, ask.caller)
            if ask.request.dry_run:
                return plain(ask, verdict.allowed(), found)
            used_by = approval.used_by or {}
            step = approval if approval.outbox else None
            return Settled(verdict.allowed(), used_by["decision_id"], approval.outbox, found, step, granted=True)
        why = _SENT_BACK if approval.was_sent_back else _ENDS[state]
        return plain(ask, verdict.denied(f"pdp.approval_{state.lower()}", f"the approval does not count: {why}"), found)

    async def _use(self, ask: Ask, verdict: Verdict, found: Found) -> Settled | None:
        """Use an approved approval, or void it where the current policy asks for more than its reviews give."""
        approval = found.approval
        await self._integrity.require(approval, ask.caller)
        await self._delivery.deliver(approval)
        today = await self._review_again(ask, verdict, approval)
        principals = {*approval.principals, *verdict.principals, *today.principals}
        if not satisfied(verdict.requirements, today.reviewers, principals):
            return await self._void(ask, verdict, found)
        allowed = verdict.allowed()
        if ask.request.dry_run:
            return plain(ask, allowed, found)
        decision_id = identifier.new("dec")
        entries = [
            decided(ask, allowed, decision_id, approval.id),
            event.approval_consumed(approval, decision_id, ask.request.request_id, verdict.revision),
        ]
        try:
            consumed = await self._approvals.consume(approval, decision_id, ask.request.request_id, entries)
        except RequestIdTaken:  # by another approval, this very moment: that one is looked at next
            return None
        if consumed is None:
            return None
        return Settled(allowed, decision_id, entries, Found(consumed, found.now), consumed, granted=True)

    async def _review_again(self, ask: Ask, verdict: Verdict, approval: Approval) -> PolicyReview:
        """Ask the current policy about all recorded reviewers under its current requirements."""
        reviews = [review for review in approval.reviews if review.verdict is ReviewVerdict.APPROVE]
        question = review_input(ask.canonical.json, ask.caller, verdict.requirements, reviews, ask.now_ns)
        answer = await self._opa.review(question)
        return policy_review(answer, [review.reviewer for review in reviews], len(verdict.requirements))

    async def _void(self, ask: Ask, verdict: Verdict, found: Found) -> Settled | None:
        denied = verdict.denied("pdp.approval_voided", f"the approval does not count: {_ENDS[State.VOIDED]}")
        if ask.request.dry_run:
            return plain(ask, denied, found)
        decision_id = identifier.new("dec")
        entries = [
            decided(ask, denied, decision_id, found.approval.id),
            event.approval_closed(found.approval, State.VOIDED, verdict.revision),
        ]
        voided = await self._approvals.void(found.approval, entries)
        if voided is None:
            return None
        return Settled(denied, decision_id, entries, Found(voided, found.now), voided)


def _same_request(ask: Ask, approval: Approval) -> None:
    if approval.digest != ask.canonical.digest:
        paths = differing_paths(approval.request, ask.canonical.json)
        raise RequestIdReused(
            "request_id names another request of this caller; take a new one for a new request",
            violations=[(path, "differs from the request that took this request_id") for path in paths],
        )


def _is_repeat(ask: Ask, found: Found) -> bool:
    """Whether this is the very use again, while its grant lives."""
    approval, request_id = found.approval, ask.request.request_id
    if approval.used_by is None or approval.closed_at is None or not request_id:
        return False
    lives = found.now < approval.closed_at + timedelta(seconds=grant.LIFETIME_SECONDS)
    return lives and approval.used_by["request_id"] == request_id

"""One person's verdict on an approval: who may give it, and what it changes.

read -> policy: whom does this person fit -> compare-and-set (review and outbox) -> records durable -> answer
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from pdp.approval import Approval, Eligibility, PolicyReview, Review, State, Verdict, approvers, satisfied
from pdp.audit import event
from pdp.authn import Caller
from pdp.decision import policy_review, review_input
from pdp.delivery import Delivery
from pdp.errors import AlreadyReviewed, ApprovalNotPending, Conflict, DigestMismatch, NotAllowed, NotFound
from pdp.fatigue import refuse_together
from pdp.opa import Opa
from pdp.store.approvals import Approvals, Found

ATTEMPTS = 64
"""One of those who collide always gets through, so this many may review at once."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An approval as one caller sees it. `obstacle` says why the caller may not review it; empty where it may."""

    found: Found
    answer: PolicyReview
    obstacle: str

    @property
    def eligibility(self) -> Eligibility:
        """The policy's word on the caller."""
        return self.answer.reviewers[0]


class Reviewing:
    """Reads for reviewers, and their verdicts."""

    def __init__(self, approvals: Approvals, opa: Opa, delivery: Delivery) -> None:
        self._approvals, self._opa, self._delivery = approvals, opa, delivery

    async def seen_by(self, caller: Caller, approval_id: str) -> Seen:
        """The approval, if it is any of this caller's business: its own, to review, or asked in its name.

        Raises `NotFound`, also for the approvals of others.
        """
        found = await self._approvals.get(approval_id)
        if found is None:
            raise _not_found()
        seen = await self._seen(caller, found)
        own = found.approval.caller == caller.identity
        if not own and not seen.eligibility.fits and caller.identity not in _principals(seen):
            raise _not_found()
        return seen

    async def queue(self, caller: Caller, candidates: Iterable[Found]) -> list[Found]:
        """Those of `candidates` that the caller may review now."""
        seen = [await self._seen(caller, found) for found in candidates]
        return [one.found for one in seen if not one.obstacle]

    async def review(
        self,
        caller: Caller,
        approval_id: str,
        expected_digest: str,
        verdict: Verdict,
        reason: str,
        *,
        together: bool = False,
    ) -> Found:
        """Record a verdict, `together` with others in one command; the approval afterwards.

        Raises `NotFound`, `NotAllowed`, `DigestMismatch`, `ApprovalNotPending`, `AlreadyReviewed`, `Conflict`,
        `ReviewIndividually`.
        """
        for _ in range(ATTEMPTS):
            seen = await self.seen_by(caller, approval_id)
            _check(caller, seen, expected_digest)
            if together:
                refuse_together(seen.found.approval, seen.eligibility.fits)
            await self._delivery.deliver(seen.found.approval)
            reviewed = await self._step(caller, seen, verdict, reason)
            if reviewed is not None:
                await self._delivery.deliver(reviewed)
                return Found(reviewed, seen.found.now)
        raise Conflict("too many reviews of this approval at once; read it again and retry")

    async def _step(self, caller: Caller, seen: Seen, verdict: Verdict, reason: str) -> Approval | None:
        approval, eligibility = seen.found.approval, seen.eligibility
        review = Review(
            reviewer=caller.identity,
            person=eligibility.person,
            groups=caller.groups,
            verdict=verdict,
            reason=reason,
            at=seen.found.now,
            fits=eligibility.fits,
            claims=caller.claims,
        )
        after = _after(approval, eligibility, verdict, _principals(seen))
        records = [event.approval_reviewed(approval, review, after, seen.answer.revision)]
        if after is State.DENIED:
            records.append(event.approval_closed(approval, after, seen.answer.revision))
        return await self._approvals.review(approval, review, after, records)

    async def _seen(self, caller: Caller, found: Found) -> Seen:
        approval = found.approval
        requester = Caller.requester(approval.caller)
        question = review_input(approval.request, requester, approval.requirements, [caller], time.time_ns())
        answer = policy_review(await self._opa.review(question), [caller.identity], len(approval.requirements))
        return Seen(found, answer, _obstacle(caller, found, answer))


def _after(approval: Approval, reviewer: Eligibility, verdict: Verdict, principals: Iterable[str]) -> State:
    """Where this verdict leaves the approval."""
    if verdict is Verdict.DENY:
        return State.DENIED
    done = satisfied(approval.requirements, [*approvers(approval), reviewer], principals)
    return State.APPROVED if done else State.PENDING


def _principals(seen: Seen) -> set[str]:
    """Frozen at creation and as of today: whoever is in either must not review."""
    return {*seen.found.approval.principals, *seen.answer.principals}


def _obstacle(caller: Caller, found: Found, answer: PolicyReview) -> str:
    approval, eligibility = found.approval, answer.reviewers[0]
    principals = {*approval.principals, *answer.principals}
    if caller.identity in principals or eligibility.person in principals:
        return "you are one of the requester's principals: nobody reviews their own action"
    if caller.kind != "person":
        return "only a person reviews"
    if not eligibility.fits:
        return "you fit none of its requirements"
    if found.state is not State.PENDING:
        return f"it is {found.state}"
    if any(eligibility.person in (review.person, review.reviewer) for review in approval.reviews):
        return "you have reviewed it"
    return ""


def _check(caller: Caller, seen: Seen, expected_digest: str) -> None:
    """Raise what stands in the way of the caller's review."""
    approval = seen.found.approval
    principals = _principals(seen)
    if caller.identity in principals or seen.eligibility.person in principals:
        raise NotAllowed("REVIEWER_IS_REQUESTER", f"{caller.identity}: {seen.obstacle}")
    if not seen.eligibility.fits:
        raise NotAllowed("REVIEWER_NOT_ELIGIBLE", f"{caller.identity}: {seen.obstacle}")
    if seen.found.state is not State.PENDING:
        raise ApprovalNotPending(
            f"this approval is {seen.found.state}; it takes no more reviews", state=seen.found.state
        )
    if expected_digest != approval.digest:
        raise DigestMismatch("expected_digest is not this approval's; show the request again and review what it shows")
    if seen.obstacle:
        raise AlreadyReviewed("you have reviewed this approval; a review is never changed")


def _not_found() -> NotFound:
    return NotFound("APPROVAL_NOT_FOUND", "there is no approval with this id that you requested or may review")

"""One person's verdict on an approval: who may give it, and what it changes.

read -> policy: whom does this person fit -> compare-and-set (review and outbox) -> records durable -> answer
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pdp.approval import Approval, Eligibility, PolicyReview, Review, State, Verdict, after_verdict
from pdp.audit import event
from pdp.caller import Caller
from pdp.canonical import kind
from pdp.decision import policy_review, review_input
from pdp.errors import (
    AlreadyReviewed,
    ApprovalChanged,
    ApprovalNotApproved,
    ApprovalNotPending,
    Conflict,
    DigestMismatch,
    NotAllowed,
    NotFound,
)
from pdp.opa.queries import Opa
from pdp.recording.delivery import Delivery
from pdp.store.approvals import Approvals, Found
from pdp.workflow.integrity import Integrity
from pdp.workflow.review_limits import refuse_together

CLOSED_BY_VERDICT = (State.DENIED, State.REVOKED)
ATTEMPTS = 64
"""One of those who collide always gets through, so this many may review at once."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a reviewer says, and about what: the digest, and the version unless 0, of what was displayed.

    `suggestion` is a canonical request, or empty; `together` with others in one command.
    """

    verdict: Verdict
    reason: str
    expected_digest: str
    expected_version: int = 0
    suggestion: bytes = b""
    together: bool = False


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

    def __init__(self, approvals: Approvals, opa: Opa, delivery: Delivery, integrity: Integrity) -> None:
        self._approvals, self._opa, self._delivery, self._integrity = approvals, opa, delivery, integrity

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

    async def last_approved(self, caller: Caller, seen: Seen) -> Found | None:
        """What the requester got approved last of the same kind, where this caller fits that, too."""
        approval = seen.found.approval
        last = await self._approvals.last_approved(approval, kind(approval.request))
        return last if last and (await self._seen(caller, last)).eligibility.fits else None

    async def review(self, caller: Caller, approval_id: str, said: Said) -> Found:
        """Record a verdict; the approval afterwards.

        Raises `NotFound`, `NotAllowed`, `ApprovalChanged`, `DigestMismatch`, `ApprovalNotPending`, `AlreadyReviewed`,
        `ApprovalTampered`, `ReviewIndividually`, `Conflict`.
        """
        for _ in range(ATTEMPTS):
            seen = await self.seen_by(caller, approval_id)
            _check(caller, seen, said)
            if said.together:
                refuse_together(seen.found.approval, seen.eligibility.fits)
            await self._integrity.require(seen.found.approval, caller)
            await self._delivery.deliver(seen.found.approval)
            reviewed = await self._step(caller, seen, said)
            if reviewed is not None:
                await self._delivery.deliver(reviewed)
                return Found(reviewed, seen.found.now)
        raise Conflict("too many reviews of this approval at once; read it again and retry")

    async def revoke(self, caller: Caller, approval_id: str, reason: str) -> Found:
        """Take an APPROVED approval back; the approval afterwards.

        Raises `NotFound`, `NotAllowed`, `ApprovalNotApproved`, `Conflict`.
        """
        for _ in range(ATTEMPTS):
            seen = await self.seen_by(caller, approval_id)
            if not seen.eligibility.fits:
                raise NotAllowed("REVIEWER_NOT_ELIGIBLE", f"{caller.identity}: you fit none of its requirements")
            approval, state = seen.found.approval, seen.found.state
            if state is not State.APPROVED:
                raise ApprovalNotApproved(f"this approval is {state}; only an APPROVED one is taken back", state=state)
            closed = await self._delivery.close(approval, State.REVOKED, caller.identity, reason, seen.answer.revision)
            if closed is not None:
                return Found(closed, seen.found.now)
        raise Conflict("this approval changes faster than it can be read; try again")

    async def _step(self, caller: Caller, seen: Seen, said: Said) -> Approval | None:
        approval, eligibility, revision = seen.found.approval, seen.eligibility, seen.answer.revision
        unsigned = Review(
            reviewer=caller.identity,
            person=eligibility.person,
            groups=caller.groups,
            verdict=said.verdict,
            reason=said.reason,
            at=seen.found.now,
            fits=eligibility.fits,
            policy_revision=revision,
            suggestion=said.suggestion,
            claims=caller.claims,
        )
        signature = self._integrity.sealer.review(approval.id, approval.digest, unsigned)
        review = replace(unsigned, signature=signature)
        after = after_verdict(approval, eligibility, said.verdict, _principals(seen))
        records = [event.approval_reviewed(approval, review, after, revision)]
        if after in CLOSED_BY_VERDICT:
            words = {"closed_by": review.reviewer, "reason": review.reason}
            records.append(event.approval_closed(approval, after, revision, **words))
        return await self._approvals.review(approval, review, after, records)

    async def _seen(self, caller: Caller, found: Found) -> Seen:
        approval = found.approval
        requester = Caller.requester(approval.caller)
        question = review_input(approval.request, requester, approval.requirements, [caller], time.time_ns())
        answer = policy_review(await self._opa.review(question), [caller.identity], len(approval.requirements))
        return Seen(found, answer, _obstacle(caller, found, answer))


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
    return "you have reviewed it" if _has_reviewed(approval, eligibility) else ""


def _has_reviewed(approval: Approval, reviewer: Eligibility) -> bool:
    return any(reviewer.person in (review.person, review.reviewer) for review in approval.reviews)


def _check(caller: Caller, seen: Seen, said: Said) -> None:
    """Raise what stands in the way of the caller's review."""
    approval = seen.found.approval
    principals = _principals(seen)
    if caller.identity in principals or seen.eligibility.person in principals:
        raise NotAllowed("REVIEWER_IS_REQUESTER", f"{caller.identity}: {seen.obstacle}")
    if not seen.eligibility.fits:
        raise NotAllowed("REVIEWER_NOT_ELIGIBLE", f"{caller.identity}: {seen.obstacle}")
    if said.expected_version not in (0, approval.version):
        raise _changed(seen.found)
    is_late_denial = seen.found.state is State.APPROVED and said.verdict is Verdict.DENY
    if seen.found.state is not State.PENDING and not is_late_denial:
        raise ApprovalNotPending(
            f"this approval is {seen.found.state}; it takes no more reviews", state=seen.found.state
        )
    if said.expected_digest != approval.digest:
        raise DigestMismatch("expected_digest is not this approval's; show the request again and review what it shows")
    if _has_reviewed(approval, seen.eligibility):
        raise AlreadyReviewed("you have reviewed this approval; a review is never changed, but you may revoke it")


def _changed(found: Found) -> ApprovalChanged:
    """Says what the approval is by now; never a value of it."""
    reviews = len(found.approval.reviews)
    return ApprovalChanged(
        f"this approval changed since it was displayed: it is {found.state} with {reviews} "
        f"review{'' if reviews == 1 else 's'} by now; show it again and review what it shows",
        state=found.state,
        reviews=str(reviews),
        version=str(found.approval.version),
    )


def _not_found() -> NotFound:
    return NotFound("APPROVAL_NOT_FOUND", "there is no approval with this id that you requested or may review")

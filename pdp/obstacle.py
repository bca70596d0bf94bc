"""Why a caller may not review an approval. Pure: the policy's word comes in."""

from dataclasses import dataclass

from pdp.approval import (
    ApprovalAt,
    ReviewVerdict,
    State,
)
from pdp.caller import Caller
from pdp.quorum import (
    PolicyReview,
    barred,
)

_BEHIND = "you are one of the people behind this request, and people do not review their own actions"
_SUGGESTED = "you suggested it when you sent an earlier request back, and people do not review their own suggestions"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a caller may not review an approval: a stable code, and the sentence for the caller."""

    code: str
    sentence: str

    @property
    def is_personal(self) -> bool:
        """Whether it lies in who the caller is, so that it stays when the approval changes."""
        return self.code in {"REVIEWER_IS_REQUESTER", "PERSON_REQUIRED", "REVIEWER_NOT_ELIGIBLE"}


def obstacle(
    held: ApprovalAt, answer: PolicyReview, caller: Caller, verdict: ReviewVerdict = ReviewVerdict.APPROVE
) -> Obstacle | None:
    """What stands in the way of this verdict, the most lasting first; None where the caller may give it.

    `answer` is the policy's word on this caller alone. A denial may come late, to an approval that is APPROVED.
    """
    approval, reviewer = held.approval, answer.reviewers[0]
    takes_verdict = held.state is State.PENDING or (held.state is State.APPROVED and verdict is ReviewVerdict.DENY)
    if barred(approval, answer) & {reviewer.identity, reviewer.person}:
        has_suggested = answer.suggesters & {reviewer.identity, reviewer.person}
        return Obstacle("REVIEWER_IS_REQUESTER", _SUGGESTED if has_suggested else _BEHIND)
    if not caller.is_person:
        return Obstacle("PERSON_REQUIRED", "only a person reviews, as itself")
    if not reviewer.fits:
        return Obstacle("REVIEWER_NOT_ELIGIBLE", "you fit none of its requirements")
    if not takes_verdict:
        return Obstacle("APPROVAL_NOT_PENDING", f"it is {held.state}")
    if any(reviewer.person in (review.person, review.reviewer) for review in approval.reviews):
        return Obstacle("ALREADY_REVIEWED", "you have reviewed it")
    return None

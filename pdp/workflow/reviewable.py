"""An approval as one caller sees it, and whether that caller's verdict on what was displayed may count."""

from collections.abc import Sequence
from dataclasses import dataclass

from pdp.approval import (
    ApprovalAt,
    ReviewVerdict,
)
from pdp.assertion import Assertion
from pdp.caller import Caller
from pdp.channel import Channel
from pdp.errors import (
    AlreadyReviewed,
    ApprovalChanged,
    ApprovalNotPending,
    DigestMismatch,
    InvalidRequest,
    NotAllowed,
)
from pdp.lineage.seen import NOTHING_TO_SHOW
from pdp.lineage.view import View
from pdp.lineage_errors import LineageChanged
from pdp.obstacle import Obstacle, obstacle
from pdp.quorum import (
    Eligibility,
    PolicyReview,
)

SHOWN_BYTES = 2048
"""Bytes of a view that an error carries: its details travel in HTTP trailers, of which clients accept 8 KiB."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What a reviewer sends: the verdict, and the digest and the version of what was displayed.

    `suggestion` is a canonical request, or empty; `together` says that it was sent with others in one command.
    `expected_lineage` is the digest of what was displayed of the data, empty where there was nothing. `channel` is
    where it came from; a chat has the `account` that sent it, and the `view_digest` of what was rendered there;
    `passkey` is what the reviewer's passkey signed.
    """

    verdict: ReviewVerdict
    reason: str
    expected_digest: str
    expected_version: int
    suggestion: bytes = b""
    together: bool = False
    expected_lineage: str = ""
    channel: Channel = Channel.API
    account: str = ""
    view_digest: str = ""
    passkey: Assertion | None = None


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """An approval as one caller sees it, with the policy's word on the caller, and what is known of its data today.

    `before` is the sent-back approval that it answers, as far as that was read.
    """

    held: ApprovalAt
    answer: PolicyReview
    caller: Caller
    lineage: View
    before: ApprovalAt | None = None

    @property
    def eligibility(self) -> Eligibility:
        """Which requirements the caller fits, and as which person."""
        return self.answer.reviewers[0]

    @property
    def obstacle(self) -> Obstacle | None:
        """Why the caller may not approve it; None where it may."""
        return obstacle(self.held, self.answer, self.caller)


@dataclass(frozen=True, slots=True)
class Read:
    """An approval as it is stored, those in which somebody suggested its request, and the one that it answers."""

    held: ApprovalAt
    suggested: Sequence[ApprovalAt]
    before: ApprovalAt | None = None


def require_reviewable(view: ApprovalView, submission: Submission) -> None:
    """Raise what stands in the way of this verdict, or where it is on something other than what was displayed."""
    approval, state = view.held.approval, view.held.state
    found = obstacle(view.held, view.answer, view.caller, submission.verdict)
    if found is not None and found.is_personal:
        raise NotAllowed(found.code, f"{view.caller.identity}: {found.sentence}")
    if submission.expected_version != approval.version:
        raise _changed(view.held)
    if found is not None and found.code == "APPROVAL_NOT_PENDING":
        raise ApprovalNotPending(f"this approval is {state}; it takes no more reviews", state=state)
    if submission.expected_digest != approval.digest:
        raise DigestMismatch("expected_digest is not this approval's; show the request again and review what it shows")
    if view.lineage.state not in NOTHING_TO_SHOW:
        _require_lineage(view.lineage, submission.expected_lineage)
    if found is not None:
        raise AlreadyReviewed("you have reviewed this approval; a review is never changed, but you may revoke it")


def _require_lineage(now: View, expected: str) -> None:
    """Raise unless the reviewer was shown what is known of the data now."""
    if not expected:
        raise InvalidRequest.field("expected_lineage", "is required; send the digest of the lineage that was displayed")
    if expected != now.digest:
        raise LineageChanged(
            "what is known of the data changed since it was displayed; show it again and review what it shows",
            lineage_digest=now.digest,
            lineage=now.json.decode() if len(now.json) <= SHOWN_BYTES else "",
        )


def _changed(held: ApprovalAt) -> ApprovalChanged:
    """Says what the approval is by now; never a value of it."""
    reviews = len(held.approval.reviews)
    return ApprovalChanged(
        f"this approval changed since it was displayed: it is {held.state} with {reviews} "
        f"review{'' if reviews == 1 else 's'} by now; show it again and review what it shows",
        state=held.state,
        reviews=str(reviews),
        version=str(held.approval.version),
    )

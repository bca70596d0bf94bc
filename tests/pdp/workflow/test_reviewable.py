"""A verdict counts on what was displayed, and on nothing else."""

from dataclasses import replace

import pytest

from pdp.approval import (
    ApprovalAt,
    ReviewVerdict,
    State,
)
from pdp.caller import Caller
from pdp.errors import AlreadyReviewed, ApprovalChanged, ApprovalNotPending, DigestMismatch, NotAllowed, PdpError
from pdp.quorum import (
    Eligibility,
    PolicyReview,
)
from pdp.workflow.lineage_views import OFF
from pdp.workflow.reviewable import ApprovalView, Submission, require_reviewable
from tests.pdp.specimens import REQUEST, T0, approval, review

BOB = Caller("user:bob", "person", frozenset(), (), b"{}")


def seen(state: State = State.PENDING, fits: tuple[int, ...] = (0,), caller: Caller = BOB) -> ApprovalView:
    given = PolicyReview((Eligibility(caller.identity, caller.identity, fits),), frozenset(), "r1")
    return ApprovalView(ApprovalAt(approval(state), T0), given, caller, OFF)


VERDICT = Submission(ReviewVerdict.APPROVE, "read it", REQUEST.digest, 1)


def test_a_verdict_on_what_was_displayed_counts() -> None:
    require_reviewable(seen(), VERDICT)


@pytest.mark.parametrize(
    ("view", "verdict", "error"),
    [
        (seen(), replace(VERDICT, expected_digest="x"), DigestMismatch),
        (seen(), replace(VERDICT, expected_version=2), ApprovalChanged),
        (seen(State.CANCELLED), VERDICT, ApprovalNotPending),
        (seen(fits=()), VERDICT, NotAllowed),
        (seen(caller=Caller("user:alice", "person", frozenset(), (), b"{}")), VERDICT, NotAllowed),
    ],
)
def test_any_other_does_not(view: ApprovalView, verdict: Submission, error: type[PdpError]) -> None:
    with pytest.raises(error):
        require_reviewable(view, verdict)


def test_nobody_reviews_twice() -> None:
    view = seen()
    held = replace(view.held.approval, reviews=(review("bob", person="user:bob"),))
    with pytest.raises(AlreadyReviewed):
        require_reviewable(replace(view, held=ApprovalAt(held, T0)), VERDICT)

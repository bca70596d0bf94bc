"""Who may still review, who may not and why, and where too few people are left."""

import pytest

from pdp.v1.approval_pb2 import Approval, ApprovalReview, EligibleReviewers, GetApprovalResponse, Requirement
from pdp.v1.request_pb2 import Request
from pdp.view.progress import MAX_NAMED, Why, barred, needs, too_few


def left(count: int, *names: str, approved: int = 0, is_open: bool = False, state: str = "PENDING") -> list[object]:
    held = Approval(
        state=f"APPROVAL_STATE_{state}", requirements=[Requirement(rule="r", count=count, approved=approved)]
    )
    people = EligibleReviewers(rule="r", identities=names, open=is_open)
    found = too_few(GetApprovalResponse(approval=held, eligible=[people]))
    return [(one.missing, one.named, one.is_open) for one in found]


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (left(1), [(1, 0, False)]),
        (left(3, "user:bob", approved=1), [(2, 1, False)]),
        (left(1, is_open=True), [(1, 0, True)]),
        (left(2, "user:bob", is_open=True), []),
        (left(1, "user:bob"), []),
        (left(1, approved=1), []),
        (left(900, *(f"user:{number}" for number in range(MAX_NAMED))), []),
        (left(1, state="DENIED"), []),
    ],
)
def test_too_few_people_are_left(found: list[object], wanted: list[object]) -> None:
    assert found == wanted


def test_who_is_behind_the_request_counts_as_that_and_not_as_reviewer() -> None:
    held = Approval(
        requester_principals=["user:alice", "user:bob"],
        reviews=[ApprovalReview(reviewer="user:bob"), ApprovalReview(reviewer="user:carol")],
    )
    assert {one.identity.text: one.why for one in barred(held)} == {
        "user:alice": Why.REQUESTER,
        "user:bob": Why.REQUESTER,
        "user:carol": Why.REVIEWED,
    }


def test_who_suggested_it_is_not_called_behind_it() -> None:
    wrote = ApprovalReview(reviewer="user:bob", suggestion=Request())
    back = Approval(requester_principals=["user:alice"], reviews=[wrote, ApprovalReview(reviewer="user:carol")])
    held = Approval(requester_principals=["slack:T1/UBOB", "user:alice", "user:bob"])
    assert {one.identity.text: one.why for one in barred(held, back)} == {
        "user:alice": Why.REQUESTER,
        "user:bob": Why.SUGGESTED,
        "slack:T1/UBOB": Why.SUGGESTED,
    }
    back.caller = "agent:other"
    assert {one.identity.text: one.why for one in barred(held, back)}["slack:T1/UBOB"] is Why.REQUESTER
    back.caller = ""
    back.requester_principals.append("user:bob")
    assert {one.identity.text: one.why for one in barred(held, back)}["user:bob"] is Why.REQUESTER


def test_more_than_is_needed_misses_nobody() -> None:
    assert needs(Requirement(count=1, approved=3)).missing == 0

"""Who decided on an approval and when, in each state of it."""

from typing import Any

import pytest
from google.protobuf import json_format

from pdp.v1.approval_pb2 import Approval
from pdp.view.decided import decided

NINE, TEN, NOON = (f"2026-01-01T{hour}:00:00Z" for hour in ("09", "10", "12"))
YES = [
    {"reviewer": "user:bob", "verdict": "VERDICT_APPROVE", "reviewedAt": NINE},
    {"reviewer": "user:carol", "verdict": "VERDICT_APPROVE", "reviewedAt": TEN},
]


def steps(state: str, **members: Any) -> list[tuple[str, list[str], int | None]]:
    """Each step with its people and its hour."""
    held = json_format.ParseDict({"state": f"APPROVAL_STATE_{state}", **members}, Approval())
    return [(one.what, [who.text for who in one.who], one.at.hour if one.at else None) for one in decided(held)]


def both(approved: int = 2) -> list[dict[str, Any]]:
    return [{"rule": "r", "count": 2, "approved": approved}]


def test_what_waits_was_decided_by_nobody() -> None:
    assert steps("PENDING", reviews=YES[:1], requirements=both(1)) == [("pending", [], None)]


def test_who_approved_is_named_with_the_time_of_the_last() -> None:
    assert steps("APPROVED", reviews=YES, requirements=both()) == [("approved", ["user:bob", "user:carol"], 10)]


@pytest.mark.parametrize(
    ("state", "word", "by"),
    [
        ("CONSUMED", "used", ""),
        ("EXPIRED", "expired", ""),
        ("REVOKED", "revoked", "user:erin"),
        ("VOIDED", "voided", ""),
    ],
)
def test_what_ended_after_it_was_approved_says_both(state: str, word: str, by: str) -> None:
    ended = (word, [by] if by else [], 12)
    found = steps(state, reviews=YES, requirements=both(), closedAt=NOON, closedBy=by)
    assert found == [("approved", ["user:bob", "user:carol"], 10), ended]


def test_one_yes_of_two_is_not_called_approved() -> None:
    assert steps("EXPIRED", reviews=YES[:1], requirements=both(1), closedAt=NOON) == [("expired", [], 12)]
    no = {"reviewer": "user:erin", "verdict": "VERDICT_DENY", "reviewedAt": NOON}
    found = steps("DENIED", reviews=[*YES[:1], no], requirements=both(1), closedAt=NOON, closedBy="user:erin")
    assert found == [("denied", ["user:erin"], 12)]


def test_what_was_sent_back_is_called_so() -> None:
    back = {"reviewer": "user:erin", "verdict": "VERDICT_CHANGES_REQUESTED", "reviewedAt": NOON}
    found = steps("DENIED", reviews=[back], requirements=both(0), closedAt=NOON, closedBy="user:erin")
    assert found == [("sent back", ["user:erin"], 12)]
    assert steps("CANCELLED", requirements=both(0), closedAt=NOON, closedBy="agent:bot") == [
        ("cancelled", ["agent:bot"], 12)
    ]

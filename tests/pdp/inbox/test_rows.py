"""Rows of a list: what a person sees of each approval, and that nobody's text deceives in them."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf import json_format

from pdp.inbox.rows import age, told
from pdp.v1.approval_pb2 import Approval

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def held(number: int = 1, **members: object) -> Approval:
    """An approval as a list has it; `members` are proto JSON."""
    asked = {
        "subject": {"type": "agent", "id": "report-bot"},
        "onBehalfOf": [{"type": "user", "id": "alice"}],
        "action": {"name": "export"},
        "resource": {"type": "table", "id": "customers"},
        "context": {"rows": number},
    }
    whole: dict[str, object] = {
        "approvalId": f"apr_{number:032x}",
        "state": "APPROVAL_STATE_PENDING",
        "version": 3,
        "request": asked,
        "requestDigest": f"digest{number}",
        "caller": "agent:report-bot",
        "requirements": [{"rule": "export", "count": 2, "approved": 1}],
        "createdAt": "2026-01-01T23:57:00Z",
        "expiresAt": "2026-01-03T00:00:00Z",
        **members,
    }
    return json_format.ParseDict(whole, Approval())


def test_row_says_what_for_whom_how_far_and_how_old() -> None:
    first, second = told([held(1), held(2, caller="agent:other\u202e")], NOW)
    assert first.does.text == "export table:customers"
    assert first.whose.text == "agent:report-bot for user:alice"
    assert second.whose.text == r'agent:report-bot for user:alice, asked by "agent:other\u{202e}"'
    assert [(leaf.label.text, leaf.text.text) for leaf in (*first.what, *second.what)] == [
        ("context.rows", "1"),
        ("context.rows", "2"),
    ]
    [needs] = first.needs
    assert (needs.rule.text, needs.approved, needs.people) == ("export", 1, 2)
    assert (first.age, first.version, first.state) == ("3 min", 3, "PENDING")
    assert first.ends_at == datetime(2026, 1, 3, tzinfo=UTC)


def test_row_of_an_unmasking_begins_with_what_it_opens() -> None:
    context = {
        "tokens_sha256": "x",
        "count": 1200,
        "columns": [f"c{number}" for number in range(7)],
        "column_domains": ["ids", ""],
        "domains": ["ids", "names"],
    }
    asked = {
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": "unmask"},
        "resource": {"type": "table", "id": "customers"},
        "context": context,
    }
    [row] = told([held(request=asked, caller="user:alice")], NOW)
    assert row.does.text == "unmask table:customers (1,200 values)"
    opens = [one.text for one in row.opens]
    assert opens == ["column c0 (ids)", *(f"column c{number}" for number in range(1, 5)), "domain names", "and 2 more"]


@pytest.mark.parametrize(
    ("ago", "said"), [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (86_400 * 3 + 1, "3 d")]
)
def test_age_is_in_its_largest_unit(ago: int, said: str) -> None:
    assert age(NOW - timedelta(seconds=ago), NOW) == said

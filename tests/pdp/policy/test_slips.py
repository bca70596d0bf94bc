"""Calls that do not ask what their author means are found."""

from pathlib import Path

import pytest

from tests.pdp.policy.test_never import found

GROUPS = {"data.json": {"groups": {"staff": ["user:bob"]}, "from": 1798761600, "unread": ["from"]}}
SLIPS = {
    "seconds": "input.now < 1798761600",
    "milliseconds, turned": "1798761600000 > input.now",
    "seconds in data": "input.now >= data.from",
    "a value with itself": "rows := input.context.rows\n\trows == input.context.rows",
    "the first place left out": 'indexof(input.resource.id, "secret") > 0',
    "the first place left out, turned": '0 < indexof(input.resource.id, "secret")',
    "a beginning of the wrong text": 'startswith("prod-", input.resource.id)',
    "a part of the wrong text": 'contains("secret", input.resource.id)',
    "a text for the pattern": 'regex.match(input.resource.id, "^prod")',
    "a pattern of the caller": "regex.match(input.resource.id, data.blocked[0])",
    "capitals in small letters": 'startswith(lower(input.resource.id), "HR_")',
    "a range downwards": "input.context.rows in numbers.range(22, 6)",
    "too few values": 'sprintf("%s:%s", [input.subject.id]) == "a:b"',
    "too many values": 'sprintf("%s", [input.subject.id, input.subject.type]) == "a"',
    "an id for an identity": 'data.pdp.is_member(input.subject.id, "staff")',
    "a name for an identity": 'data.pdp.is_member("bob", "staff")',
    "the group first": 'data.pdp.is_member("user:bob", input.caller.identity)',
}
FINE = {
    "nanoseconds": "input.now < 1798761600000000000",
    "never": "input.now < 0",
    "a time": 'input.now < time.parse_rfc3339_ns("2027-01-01T00:00:00Z")',
    "a difference": "input.now - input.context.rows > 1000",
    "two items": "some i, j\n\tdata.blocked[i] == data.blocked[j]\n\ti != j",
    "any place": 'indexof(input.resource.id, "secret") >= 0',
    "a beginning": 'startswith(input.resource.id, "prod-")',
    "small letters": 'startswith(lower(input.resource.id), "hr_1")',
    "a pattern of data": "some pattern in data.blocked\n\tregex.match(pattern, input.resource.id)",
    "a pattern about the caller": 'glob.match(sprintf("home/%s/*", [input.subject.id]), ["/"], input.resource.id)',
    "a range": "input.context.rows in numbers.range(6, 22)",
    "a format": 'sprintf("%5.1f of %d%%", [input.context.rows, 5]) == "5.0 of 5%"',
    "a place by its number": 'sprintf("%[1]s:%[1]s", [input.subject.id]) == "a:a"',
    "an identity": 'data.pdp.is_member(input.caller.identity, "staff")',
    "a made identity": 'data.pdp.is_member(sprintf("user:%s", [input.subject.id]), "staff")',
}


@pytest.mark.parametrize("body", SLIPS.values(), ids=SLIPS.keys())
def test_slip_is_refused(body: str, tmp_path: Path) -> None:
    more = GROUPS if "data.from" in body or "is_member" in body else {}
    assert set(found(tmp_path, body, **more)[0]) == {"slip"}


@pytest.mark.parametrize("body", FINE.values(), ids=FINE.keys())
def test_what_is_meant_is_fine(body: str, tmp_path: Path) -> None:
    more = GROUPS if "is_member" in body else {}
    assert found(tmp_path, body, **more)[0] == []

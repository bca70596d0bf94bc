"""Statements that are true whatever a request says are found."""

from pathlib import Path

import pytest

from tests.pdp.policy.test_never import found

LIB = """package lib.h

names contains name if some name in data.blocked

listed := [name | some name in data.blocked]

others contains name if {
	some name in data.blocked
	name != input.subject.id
}

entry := data.named[input.subject.id]

default level := 3

level := 1 if input.subject.id == "a"

free if {
	some name in data.blocked
	name != input.subject.id
}

free_by_index if input.subject.id != data.blocked[_]

free_negated if {
	some name in data.blocked
	not name == input.subject.id
}

another if {
	some name in data.blocked
	name != input.subject.id
	name == input.resource.id
}
"""
ASKS_NOTHING = {
    "a list in data": "data.blocked",
    "no list in data": "not data.blocked",
    "a set": "not data.lib.h.names",
    "a comprehension": "data.lib.h.listed",
    "a default": "not data.lib.h.level",
    "a count": "not count(data.lib.h.names)",
    "a place": 'not indexof(input.subject.id, "-prod")',
    "within a comprehension": "count([1 | data.lib.h.names]) > 0",
    "another item": "not data.lib.h.free",
    "another item by its index": "not data.lib.h.free_by_index",
    "another item, denied": "not data.lib.h.free_negated",
}
ASKS = {
    "a count": "count(data.lib.h.names) > 0",
    "an item of an object": "data.named[input.subject.id]",
    "a rule that may have no value": "not data.lib.h.entry",
    "the others": "count(data.lib.h.others) > 1",
    "an item that more is asked of": "not data.lib.h.another",
    "none of the items": "not input.subject.id in data.blocked",
    "what is printed": '$"{data.lib.h.names}" == "{}"',
    "a comparison that restricts": "some name in data.blocked\n\tname != input.subject.id",
}


def rules(folder: Path, body: str) -> list[str]:
    """The library's own rules decide nothing, unless the body reads them, and that is no matter here."""
    return found(folder, body, **{"lib/h.rego": LIB})[0]


@pytest.mark.parametrize("body", ASKS_NOTHING.values(), ids=ASKS_NOTHING.keys())
def test_statement_that_asks_nothing_is_refused(body: str, tmp_path: Path) -> None:
    assert rules(tmp_path, body) == ["always-true"]


@pytest.mark.parametrize("body", ASKS.values(), ids=ASKS.keys())
def test_statement_that_asks_is_fine(body: str, tmp_path: Path) -> None:
    assert rules(tmp_path, body) == []

"""A rule that restricts says something of every name that a caller may send."""

from pathlib import Path
from typing import Any

import pytest

from tests.pdp.policy.test_never import found

TABLES = {"limits": {"EUR": 10, "USD": 12}, "teams": {"a": {"closed": True}}, "closed": {"de": True}}
TEXT, NUMBER = {"type": "string"}, {"type": "number"}
CHOSEN = {
    "a limit": "input.context.rows > data.limits[input.context.name]",
    "a step below": "data.teams[input.context.name].closed",
    "by a variable": "name := input.context.name\n\tlimit := data.limits[name]\n\tinput.context.rows > limit",
    "by object.get": 'name := object.get(input.context, "name", "EUR")\n\tinput.context.rows > data.limits[name]',
    "all data": "input.subject.id in data[input.context.name].closed",
}
FINE = {
    "whether it is there": "data.closed[input.context.name]",
    "a default": "input.context.rows > object.get(data.limits, input.context.name, 0)",
    "listed in the body": 'name := input.context.name\n\tname in {"EUR"}\n\tinput.context.rows > data.limits[name]',
    "what is asked about": "input.context.rows > data.limits[input.resource.id]",
}


def check(folder: Path, body: str, name: dict[str, Any]) -> list[str]:
    context = {"type": "object", "properties": {"rows": NUMBER, "name": name}}
    data = {**TABLES, "unread": [*TABLES]}
    return found(folder, body, **{"data.json": data, "schema/context/export.json": context})[0]


@pytest.mark.parametrize("body", CHOSEN.values(), ids=CHOSEN.keys())
def test_data_that_a_caller_chooses_is_refused(body: str, tmp_path: Path) -> None:
    assert check(tmp_path, body, TEXT) == ["chosen-data"]


@pytest.mark.parametrize("body", FINE.values(), ids=FINE.keys())
def test_what_counts_for_every_name_is_fine(body: str, tmp_path: Path) -> None:
    assert check(tmp_path, body, TEXT) == []


def test_names_that_the_schema_lists_are_fine(tmp_path: Path) -> None:
    assert check(tmp_path, CHOSEN["a limit"], {"enum": ["EUR", "USD"]}) == []

"""Texts that a builtin never makes are found where they are compared with what it makes."""

from pathlib import Path

import pytest

from pdp.policy.forms import verbs
from tests.pdp.policy.test_never import found

LISTS = {"data.json": {"tables": ["crm.people", "HR"], "barred": ["user:bot"], "unread": ["tables", "barred"]}}
PERSON = "[input.subject.type, input.subject.id]"
NEVER = {
    "capitals of lower": 'lower(input.resource.id) == "Payroll"',
    "small letters of upper": 'upper(input.resource.id) in {"HR", "crm"}',
    "a blank at the end": 'trim_space(input.resource.id) == "hr "',
    "behind a variable": 'name := lower(input.resource.id)\n\tname == "Payroll"',
    "another sign between": f'sprintf("%s/%s", {PERSON}) == "user:bot"',
    "other parts": f'concat(":", {PERSON}) == "bot"',
    "a written part": 'concat(":", ["user", input.subject.id]) == "agent:bot"',
    "a whole of a piece": 'split(input.resource.id, ".")[0] == "crm.people"',
    "a whole of any piece": 'some part in split(input.resource.id, ".")\n\tpart == "crm.people"',
}
IN_DATA = {
    "an item": "lower(input.resource.id) in data.tables",
    "each item": "some table in data.tables\n\ttable == lower(input.resource.id)",
    "an identity": f'sprintf("%s/%s", {PERSON}) in data.barred',
}
MAY_BE = {
    "lower": 'lower(input.resource.id) == "payroll-1"',
    "an identity": f'sprintf("%s:%s", {PERSON}) == "user:bot"',
    "a percent sign": 'sprintf("%s%%", [input.subject.id]) == "5%"',
    "a place by its number": 'sprintf("%[1]s:%[1]s", [input.subject.id]) == "a:a"',
    "a joined identity": f'concat(":", {PERSON}) == "user:a:b"',
    "a piece": 'split(input.resource.id, ".")[0] == "crm"',
    "a list of unknown parts": 'concat(":", data.blocked) == "bot"',
    "data as it is": "input.resource.id in data.tables",
}


@pytest.mark.parametrize("body", NEVER.values(), ids=NEVER.keys())
def test_text_that_is_never_made_is_refused(body: str, tmp_path: Path) -> None:
    assert [code for code in found(tmp_path, body)[0] if code != "odd-text"] == ["never-equal"]


@pytest.mark.parametrize("body", IN_DATA.values(), ids=IN_DATA.keys())
def test_item_of_data_that_is_never_made_is_refused(body: str, tmp_path: Path) -> None:
    refused = found(tmp_path, body, **LISTS)[0]
    assert refused
    assert set(refused) <= {"never-in", "never-equal"}


@pytest.mark.parametrize("body", MAY_BE.values(), ids=MAY_BE.keys())
def test_text_that_may_be_made_is_fine(body: str, tmp_path: Path) -> None:
    more = LISTS if "data.tables" in body else {}
    assert found(tmp_path, body, **more)[0] == []


def test_places_of_a_format_are_counted() -> None:
    assert [verbs(form) for form in ("", "%s", "%5.2f of %d%%", "100%%")] == [0, 1, 2, 0]

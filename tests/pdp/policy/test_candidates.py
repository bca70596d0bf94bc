"""What `data.search` may be."""

import json
from pathlib import Path
from typing import Any

import pytest

from pdp.policy.check import findings_in
from pdp.policy.sources import rego
from tests.pdp.policy.test_authzen import OPA

RULES = """package policy

allow contains {"rule": "all", "reason": "x"} if {
	input.action.name == "read"
	input.resource.type == "table"
	input.resource.properties.labels == []
}
"""
SCHEMA = {
    "type": "object",
    "properties": {"labels": {"type": "array", "items": {"type": "string"}}},
    "required": ["labels"],
}


def found(folder: Path, search: Any, *, listed: bool = False, key: str = "search") -> list[str]:
    if listed:
        (folder / "schema/resource").mkdir(parents=True)
        (folder / "schema/resource/table.json").write_text(json.dumps(SCHEMA))
    (folder / "policy.rego").write_text(RULES)
    (folder / "data.json").write_text(json.dumps({key: search}))
    return [str(one) for one in findings_in(OPA, [folder], full=False)]


@pytest.mark.parametrize(
    "search",
    [
        {},
        {"subjects": {"user": ["alice", {"id": "bob", "properties": {"team": "x"}}]}},
        {"resources": {"table": ["a", {"id": "b"}]}, "actions": ["read", {"name": "write"}]},
        {"subjects": {}, "resources": {"table": []}, "actions": []},
    ],
)
def test_candidates_that_a_search_can_read_are_fine(tmp_path: Path, search: Any) -> None:
    assert found(tmp_path, search) == []


@pytest.mark.parametrize(
    ("search", "path", "says"),
    [
        ([], "search", "subjects, resources, actions"),
        ({"subject": {}}, "search.subject", "is `subjects` meant?"),
        ({"subjects": ["alice"]}, "search.subjects", "one key for each type"),
        ({"subjects": {"user": "alice"}}, "search.subjects.user", "a list of texts"),
        ({"subjects": {"a:b": []}}, "search.subjects.a:b", '":"'),
        ({"resources": {"table": [7]}}, "search.resources.table[0]", "`id`"),
        ({"resources": {"table": [{"name": "a"}]}}, "search.resources.table[0]", "`id`"),
        ({"resources": {"table": ["a", {"id": "b", "tags": []}]}}, "search.resources.table[1]", "`tags`"),
        ({"resources": {"table": [{"id": "b", "properties": []}]}}, "search.resources.table[0]", "not an object"),
        ({"resources": {"table": ["a", {"id": "a"}]}}, "search.resources.table[1]", "twice"),
        ({"resources": {"table": [""]}}, "search.resources.table[0]", "is required"),
        ({"actions": {"read": {}}}, "search.actions", "a list of texts"),
        ({"actions": [{"id": "read"}]}, "search.actions[0]", "`name`"),
    ],
)
def test_what_no_search_could_read_is_found(tmp_path: Path, search: Any, path: str, says: str) -> None:
    [finding] = found(tmp_path, search)
    assert f"`data.{path}`" in finding
    assert says in finding
    assert "[bad-search]" in finding


def test_properties_are_held_to_the_schema_of_the_type(tmp_path: Path) -> None:
    search = {"resources": {"table": ["a", {"id": "b", "properties": {"labels": ["x"]}}, {"id": "c", "properties": {}}]}}
    findings = found(tmp_path, search, listed=True)
    assert ["search.resources.table[0]" in findings[0], "search.resources.table[2]" in findings[1]] == [True, True]
    assert len(findings) == 2


def test_misspelt_search_is_named_beside_what_is_meant(tmp_path: Path) -> None:
    [finding] = found(tmp_path, {"actions": ["read"]}, key="serach")
    assert "is `search` meant?" in finding


def test_reference_policy_is_fine() -> None:
    assert findings_in(OPA, [rego()], full=False) == []

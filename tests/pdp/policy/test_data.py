"""The data of a policy: it lies where its folder says, speaks for no rule, and the people in it are people."""

import json
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdp.environment import Environment
from pdp.policy.data import documents, merged, misplaced, misspelt
from pdp.policy.sources import Source
from pdp.process import toolcache

LEAF = st.integers(0, 3)
TREE = st.recursive(LEAF, lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=2), max_leaves=6)
DOCUMENT = st.dictionaries(st.sampled_from("abc"), TREE, max_size=3)


def source(content: Any = None, path: str = "data.json") -> Source:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Source("policy", PurePosixPath(path), f"shown/{path}", raw)


def read(*sources: Source) -> tuple[list[Any], list[str]]:
    found, findings = documents(toolcache.opa(Environment.read().tool_cache), sources)
    return [document for _, document in found], [finding.rule for finding in findings]


def test_json_lies_at_the_path_of_its_folder() -> None:
    assert read(source({"x": 1}), source({"y": 2}, "roles/deep/data.json")) == (
        [{"x": 1}, {"roles": {"deep": {"y": 2}}}],
        [],
    )


@pytest.mark.parametrize("path", ["data.yaml", "roles/data.yml"])
def test_yaml_is_read_as_opa_reads_it(path: str) -> None:
    [document], findings = read(source(b"on: true\ngroups:\n  a: [user:bob]\n", path))
    inner = document["roles"] if path.startswith("roles") else document
    assert inner["groups"] == {"a": ["user:bob"]}
    assert not findings


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"1", b"null", b'"x"', b'{"a":1}}'])
def test_file_that_is_no_object_is_found(content: bytes) -> None:
    assert read(source(content)) == ([], ["bad-data"])
    assert read(source(b"a: [", "data.yaml")) == ([], ["bad-data"])


def test_other_files_are_no_data() -> None:
    names = ("policy.rego", "notes.json", "schema/data.json", "cases.yaml")
    assert read(*(source({}, name) for name in names)) == ([], [])


def naive(left: Any, right: Any) -> Any:
    """The union, leaf by leaf; `ValueError` where both say something at one path."""
    if not isinstance(left, dict) or not isinstance(right, dict):
        raise ValueError  # noqa: TRY004  # a conflict, not a type
    keys = [*left, *(key for key in right if key not in left)]
    return {
        key: naive(left[key], right[key]) if key in left and key in right else left.get(key, right.get(key))
        for key in keys
    }


@given(DOCUMENT, DOCUMENT)
def test_documents_are_united_or_conflict(left: dict[str, Any], right: dict[str, Any]) -> None:
    whole, findings = merged([(source(), left), (source(), right)])
    try:
        wanted = naive(left, right)
    except ValueError:
        assert [finding.rule for finding in findings] == ["conflicting-data"]
        assert whole == left
    else:
        assert whole == wanted
        assert not findings


def test_conflict_is_named_by_file_and_path() -> None:
    _, [finding] = merged([(source(), {"a": {"b": 1}}), (source({}, "x/data.json"), {"a": {"b": 2}})])
    assert finding.file == "shown/x/data.json"
    assert "`data.a.b`" in str(finding)


@pytest.mark.parametrize(
    ("document", "is_found"),
    [
        ({"pdp": {}}, True),
        ({"policy": {"allow": []}}, True),
        ({"system": 1}, True),
        ({"lib": {"time": {}}}, True),
        ({"lib": 1}, True),
        ({"lib": {"times": {}}}, False),
        ({"lib": {}}, False),
        ({"roles": {"policy": 1}}, False),
        ({}, False),
    ],
)
def test_data_where_rules_speak_is_found(document: dict[str, Any], *, is_found: bool) -> None:
    found = [finding.rule for finding in misplaced(source(), document, [("policy",), ("lib", "time")])]
    assert found == ["reserved-data"] * is_found


@pytest.mark.parametrize(
    ("document", "paths"),
    [
        ({}, []),
        ({"groups": {"a": ["user:bob"], "b": []}, "identities": {"agent:x": {"owners": ["user:bob"]}}}, []),
        ({"identities": {"slack:U1": {"same_as": ["user:bob"]}}}, []),
        ({"groups": ["user:bob"]}, ["groups"]),
        ({"groups": {"a": "user:bob"}}, ["groups.a"]),
        ({"groups": {"a": ["bob"]}}, ["groups.a"]),
        ({"groups": {"a": [1], "b": {}}}, ["groups.a", "groups.b"]),
        ({"identities": {"agent:x": ["user:bob"]}}, ["identities.agent:x"]),
        ({"identities": {"agent:x": {"owner": ["user:bob"]}}}, ["identities.agent:x.owner"]),
        ({"identities": {"agent:x": {"owners": "user:bob"}}}, ["identities.agent:x.owners"]),
        ({"identities": {"agent:x": {"owners": ["bob"], "same_as": [None]}}}, [".owners", ".same_as"]),
    ],
)
def test_people_are_lists_of_identities(document: dict[str, Any], paths: list[str]) -> None:
    found = list(misspelt(source(), document))
    assert [finding.rule for finding in found] == ["bad-people"] * len(paths)
    for path in paths:
        assert any(f"{path}`" in str(finding) for finding in found)

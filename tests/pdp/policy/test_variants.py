"""What a caller could say otherwise: each change of each kind of value, and nothing else changed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdp.policy.variants import changes, variants

REQUEST: dict[str, Any] = {
    "subject": {"type": "agent", "id": "bot", "properties": {}},
    "on_behalf_of": [{"type": "user", "id": "alice", "properties": {}}],
    "action": {"name": "export", "properties": {}},
    "resource": {"type": "table", "id": "t", "properties": {"tags": ["pii"], "two words": 1}},
    "context": {"rows": 5},
}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (
            "Ab",
            {
                ("other type", "{}"),
                ("null", "None"),
                ("true", "True"),
                ("0", "0"),
                ("-1", "-1"),
                ("empty list", "[]"),
                ("empty text", "''"),
                ("a list of it", "['Ab']"),
                ("blank around it", "' Ab '"),
                ("other case", "'AB'"),
                ("other case", "'ab'"),
            },
        ),
        ("12", {("other type", "12")}),
        ("1.5", {("other type", "1.5")}),
        (5, {("other type", "'5'"), ("a list of it", "[5]")}),
        (True, {("other type", "'true'")}),
        (["a", "b"], {("other type", "'a'"), ("other type", "{}"), ("one more member", "['a', 'b', 'unknown']")}),
        ({"a": 1}, {("other type", "[1]"), ("one more member", "{'a': 1, 'unknown': 'unknown'}")}),
        (None, {("other type", "{}"), ("a list of it", "[None]")}),
    ],
)
def test_each_kind_of_value_has_its_changes(value: Any, wanted: set[tuple[str, str]]) -> None:
    assert wanted <= {(change, repr(other)) for change, other in changes(value)}


def test_a_text_has_no_other_changes() -> None:
    assert len(list(changes("Ab"))) == 11  # those above


def test_paths_are_the_contracts_and_items_share_one() -> None:
    paths = {variant.path for variant in variants(REQUEST)}
    assert {
        "subject.type",
        "on_behalf_of[].id",
        "action.name",
        "resource.properties.tags",
        "resource.properties.tags[]",
        'resource.properties["two words"]',
        "context.rows",
        "context",
    } <= paths


def test_each_member_and_item_is_left_out_once() -> None:
    found = {each.path: each.request for each in variants(REQUEST) if each.change == "left out"}
    assert found["context.rows"]["context"] == {}
    assert found["resource.properties.tags[]"]["resource"]["properties"]["tags"] == []
    assert "context" not in found["context"]


def test_a_credential_vouches_for_subject_chain_and_caller_alone() -> None:
    asked = {**REQUEST, "caller": {"identity": "agent:bot", "kind": "workload", "groups": ["etl"]}}
    vouched = {variant.path.split(".")[0].split("[")[0] for variant in variants(asked) if variant.is_vouched}
    assert vouched == {"subject", "on_behalf_of", "caller"}


def test_a_number_in_place_of_a_number_is_marked_and_a_truth_is_none() -> None:
    marked = {(each.path, each.change) for each in variants(REQUEST) if each.is_number}
    assert marked == {(path, change) for path in ("context.rows", 'resource.properties["two words"]')
                      for change in ("0", "-1")}  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(REQUEST)), JSON))
def test_one_thing_is_changed_at_a_time(request: dict[str, Any]) -> None:
    for variant in variants(request):
        (changed,) = [name for name in request if variant.request.get(name, ...) is not request[name]]
        assert variant.path.startswith(changed)

"""What rules add to the five sets: read from OPA's syntax tree as far as written out, and held to its shape."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdp.duration import duration_ms
from pdp.policy.entry import COMPUTED, SHAPES, faults, literal
from pdp.policy.module import SETS

REASONED = {"rule": "one", "reason": "because"}
ASK = {**REASONED, "reviewers": {"groups": ["stewards"]}}
GOOD: dict[str, list[dict[str, Any]]] = {
    "deny": [REASONED],
    "allow": [REASONED],
    "obligation": [{**REASONED, "type": "log"}, {**REASONED, "type": "log", "properties": {"any": [1]}}],
    "mask": [REASONED, {**REASONED, "columns": ["a"], "domain": "customer", "anything": 1}],
    "needs_approval": [
        ASK,
        {**ASK, "individual_every": "30s", "summary": ["resource.id", 'context["two words"][0].x', COMPUTED]},
        {**ASK, "count": 2, "pending_for": "4h", "valid_for": "15m30s", "individual": True, "unmask_values": 10**6},
        {**ASK, "channels": ["web", "slack"], "passkey": True, "remind": ["30m", "2h", COMPUTED]},
        {**ASK, "channels": [COMPUTED, "web", COMPUTED], "remind": ["30h"], "pending_for": COMPUTED},
        {**ASK, "remind": [], "pending_for": "1m"},
        {**REASONED, "reviewers": {"identities": ["user:bob"]}},
        {**REASONED, "reviewers": {"claims": {"level": 3, "admin": True, "department": "hr"}}},
        {**REASONED, "reviewers": {"groups": [COMPUTED]}, "count": COMPUTED},
        {**REASONED, "reviewers": COMPUTED},
    ],
}


def node(value: Any) -> dict[str, Any]:
    """The term of a value, as OPA parses it."""
    if isinstance(value, list):
        return {"type": "array", "value": [node(item) for item in value]}
    if isinstance(value, dict):
        return {"type": "object", "value": [[node(key), node(item)] for key, item in value.items()]}
    if value is None:
        return {"type": "null"}
    names = {bool: "boolean", str: "string", int: "number"}
    return {"type": names.get(type(value), "ref"), "value": value}


SCALAR = st.none() | st.booleans() | st.text(max_size=5) | st.integers(-9, 9)
VALUE = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


@given(VALUE)
def test_what_is_written_out_is_read_as_it_is(value: Any) -> None:
    assert literal(node(value)) == value


def test_what_is_computed_is_left_to_evaluation() -> None:
    assert literal({"type": "var", "value": "x"}) is COMPUTED
    assert literal({"type": "array", "value": [node("a"), node(object())]}) == ["a", COMPUTED]
    assert literal({"type": "object", "value": [[{"type": "var", "value": "x"}, node(1)]]}) is COMPUTED


def test_every_set_that_is_read_has_a_shape() -> None:
    assert SHAPES.keys() == set(SETS)


@pytest.mark.parametrize(("name", "entry"), [(name, entry) for name, entries in GOOD.items() for entry in entries])
def test_good_entry_has_no_fault(name: str, entry: Any) -> None:
    assert list(faults(name, entry)) == []


@pytest.mark.parametrize("name", SHAPES)
def test_entry_that_is_computed_has_no_fault_and_one_that_is_no_object_has(name: str) -> None:
    assert list(faults(name, COMPUTED)) == []
    for entry in ("text", 1, None, ["rule"]):
        assert [rule for rule, _ in faults(name, entry)] == ["wrong-type"]


@pytest.mark.parametrize(("name", "entry"), [(name, entries[-1]) for name, entries in GOOD.items()])
def test_key_that_is_missing_is_named(name: str, entry: dict[str, Any]) -> None:
    for key in SHAPES[name].required:
        left = {other: value for other, value in entry.items() if other != key}
        [(rule, sentence)] = faults(name, left)
        assert rule == "missing-key"
        assert f"`{key}`" in sentence


@pytest.mark.parametrize("name", sorted(SHAPES.keys() - {"mask"}))
def test_key_that_is_unknown_is_named_but_for_parameters_of_a_mask(name: str) -> None:
    [(rule, sentence)] = faults(name, {**GOOD[name][0], "resaon": "x"})
    assert rule == "unknown-key"
    assert "`resaon`" in sentence


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("rule", ["", 1, None, []]),
        ("reviewers", ["bob", [], 1]),
        ("count", [0, -1, 1001, 1.5, "2", True, None]),
        ("pending_for", ["", "0s", "4", "h", "4d", "-4h", " 4h", "1h0.5m", 4, None]),
        ("valid_for", ["", "0h0m0s"]),
        ("individual", ["true", 0, 1, None]),
        ("individual_every", ["", "0s", 10, None]),
        (
            "summary",
            [[], "resource.id", ["input.resource.id"], ["resource."], ["context[x]"], ["who.x"], [1], ["context"] * 11],
        ),
        ("unmask_values", ["9", 0, -1, 1.5, True, None, 2**53]),
        ("channels", [[], "web", None, ["mail"], ["WEB"], ["web", "web"], [1], {"web": True}]),
        ("passkey", ["true", 1, None]),
        ("remind", ["30m", None, ["30"], ["0s"], [30], ["1m", "2m", "3m", "4m"], ["1m", "60s"], ["24h"], ["25h"]]),
    ],
)
def test_value_of_the_wrong_type_is_named(key: str, values: list[Any]) -> None:
    for value in values:
        [(rule, sentence)] = faults("needs_approval", {**ASK, key: value})
        assert rule == "wrong-type"
        assert f"`{key}`" in sentence


@pytest.mark.parametrize(
    ("reviewers", "rule"),
    [
        ({}, "missing-key"),
        ({"groups": []}, "wrong-type"),
        ({"groups": "stewards"}, "wrong-type"),
        ({"groups": ["stewards", ""]}, "wrong-type"),
        ({"identities": [1]}, "wrong-type"),
        ({"claims": {}}, "wrong-type"),
        ({"claims": {"level": [3]}}, "wrong-type"),
        ({"people": ["user:bob"]}, "unknown-key"),
    ],
)
def test_reviewers_who_could_be_nobody_are_found(reviewers: dict[str, Any], rule: str) -> None:
    assert [found for found, _ in faults("needs_approval", {**REASONED, "reviewers": reviewers})] == [rule]


def test_reminder_comes_while_people_may_still_review() -> None:
    for late, within in [("4h", "4h"), ("240m", "4h"), ("5h", "4h")]:
        [(rule, sentence)] = faults("needs_approval", {**ASK, "pending_for": within, "remind": ["1h", late]})
        assert (rule, sentence.split(",")[0]) == (
            "wrong-type",
            f"make `remind` {late} shorter than `pending_for`",
        )
    assert not list(faults("needs_approval", {**ASK, "pending_for": "4h", "remind": ["239m"]}))


@given(st.from_regex(r"([0-9]{1,3}[hms]){0,3}", fullmatch=True) | st.text("0123456789hms", max_size=6))
def test_check_takes_no_duration_that_the_server_does_not_read(text: str) -> None:
    if not list(faults("needs_approval", {**ASK, "pending_for": text})):
        assert duration_ms(text)


def test_misspelt_key_has_the_one_that_is_meant() -> None:
    (found,) = faults("needs_approval", {**ASK, "pendng_for": "4h"})
    assert found[1].startswith("write `pending_for` for `pendng_for`; ")

"""What each member of AuthZEN's envelope may be."""

import json
from typing import Any

import pytest

from pdp.authzen_reading import PARTS, Reading
from pdp.canonical import MAX_REQUEST_BYTES
from pdp.i_json import parsed


def read(name: str, value: Any) -> tuple[Any, list[str]]:
    """The part, and the paths at fault."""
    reading = Reading()
    part = reading.part(name, parsed(json.dumps({"a": value}))[0][1])
    return part, [path for path, _ in reading.bad]


@pytest.mark.parametrize("name", sorted(PARTS))
@pytest.mark.parametrize("value", [None, True, 1, "x", []])
def test_part_is_an_object(name: str, value: Any) -> None:
    assert name in read(name, value)[1]


@pytest.mark.parametrize("value", [None, True, 1, {}, [], "", "a\nb", "x" * 1025])
@pytest.mark.parametrize(
    ("name", "member"),
    [("subject", "type"), ("subject", "id"), ("resource", "type"), ("resource", "id"), ("action", "name")],
)
def test_names_are_texts_that_are_ids(name: str, member: str, value: Any) -> None:
    good = {"action": {"name": "a"}}.get(name, {"type": "a", "id": "b"})
    assert f"{name}.{member}" in read(name, {**good, member: value})[1]


@pytest.mark.parametrize("value", [None, True, 1, "x", []])
def test_properties_are_an_object(value: Any) -> None:
    assert read("action", {"name": "a", "properties": value})[1] == ["action.properties"]


def test_type_of_a_subject_ends_before_a_colon() -> None:
    assert read("subject", {"type": "a:b", "id": "c"})[1] == ["subject.type"]
    assert read("resource", {"type": "a:b", "id": "c"})[1] == []


def test_context_says_things_to_the_decision_point() -> None:
    context = {"run": 1, "supported_obligations": ["custom"], "approval": {"id": "apr_1", "approved_at": "x"}}
    part, bad = read("context", context)
    assert (part.members, part.supports, part.approval, bad) == ({"run": 1}, {"custom"}, "apr_1", [])


@pytest.mark.parametrize(
    ("context", "path"),
    [
        ({"supported_obligations": "custom"}, "context.supported_obligations"),
        ({"supported_obligations": [1]}, "context.supported_obligations"),
        ({"approval": "apr_1"}, "context.approval"),
        ({"approval": {}}, "context.approval"),
        ({"approval": {"id": 1}}, "context.approval"),
    ],
)
def test_what_it_says_has_a_form(context: Any, path: str) -> None:
    assert read("context", context)[1] == [path]


def test_part_weighs_what_it_holds() -> None:
    assert read("context", {})[0].weight == 0
    assert read("context", {"a": "x" * 1000})[0].weight > 1000
    assert read("context", {"a": "x" * MAX_REQUEST_BYTES})[1] == ["context.a"]


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ([], "options"),
        ({"dry_rnu": True}, "options.dry_rnu"),
        ({"want_grant": 1}, "options.want_grant"),
        ({"justification": None}, "options.justification"),
        ({"on_behalf_of": {}}, "options.on_behalf_of"),
        ({"on_behalf_of": [{"type": "a", "id": "b"}] * 33}, "options.on_behalf_of"),
        ({"on_behalf_of": [{"type": "a", "id": "b"}, 7]}, "options.on_behalf_of[1]"),
        ({"evaluations_semantic": "any"}, "options.evaluations_semantic"),
        ({"lineage_at_least": -1}, "options.lineage_at_least"),
        ({"lineage_at_least": "7"}, "options.lineage_at_least"),
        ({"lineage_at_least": True}, "options.lineage_at_least"),
        ({"lineage_at_least": 1.5}, "options.lineage_at_least"),
        ({"lineage_at_least": 2**53}, "options.lineage_at_least"),
    ],
)
def test_misspelt_option_must_not_act(options: Any, path: str) -> None:
    reading = Reading()
    reading.options(parsed(json.dumps({"a": options}))[0][1])
    assert path in [one for one, _ in reading.bad]


def test_option_of_a_route_is_kept_as_it_came() -> None:
    reading = Reading({"candidates"})
    assert reading.options(parsed('{"a":{"candidates":["x"]}}')[0][1]).others == {"candidates": ["x"]}
    assert reading.bad == []

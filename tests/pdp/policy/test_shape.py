"""Shapes: what is known of a value behind steps into schemas, documents and the answers of builtins."""

from typing import Any

import pytest

from pdp.policy.schema import UNKNOWN, resolved
from pdp.policy.shape import any_of, below, kinds, of_builtin, of_value

NUMBER = {"type": "number"}
TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        (UNKNOWN, set()),
        ({"type": "integer"}, {"number"}),
        ({"type": ["number", "null"]}, {"number", "null"}),
        ({"enum": [1, 2.5]}, {"number"}),
        ({"enum": [1, "2"]}, {"number", "string"}),
        ({"const": True}, {"boolean"}),
        ({"anyOf": [NUMBER, TEXT]}, {"number", "string"}),
        ({"anyOf": [NUMBER, UNKNOWN]}, set()),
    ],
)
def test_kinds_of_a_shape(shape: Any, wanted: set[str]) -> None:
    assert kinds(shape) == wanted


OBJECT = {"type": "object", "properties": {"a": NUMBER, "b": TEXT}}
CLOSED = {**OBJECT, "additionalProperties": False}
OTHER = {"type": "object", "properties": {"c": NUMBER}, "additionalProperties": False}
PAIR = {"type": "array", "prefixItems": [NUMBER, TEXT]}


@pytest.mark.parametrize(
    ("shape", "step", "wanted"),
    [
        (OBJECT, "a", NUMBER),
        (OBJECT, "c", UNKNOWN),
        (OBJECT, None, UNKNOWN),
        (CLOSED, "c", UNKNOWN),
        (CLOSED, None, {"anyOf": [NUMBER, TEXT]}),
        ({"type": "object", "additionalProperties": NUMBER}, "x", NUMBER),
        ({"type": "array", "items": NUMBER}, 3, NUMBER),
        ({"type": "array", "items": NUMBER}, None, NUMBER),
        (PAIR, 0, NUMBER),
        (PAIR, 1, TEXT),
        (PAIR, None, {"anyOf": [NUMBER, TEXT]}),
        (
            {"anyOf": [CLOSED, {"type": "object", "properties": {"c": NUMBER}, "additionalProperties": False}]},
            "c",
            NUMBER,
        ),
        ({"anyOf": [OBJECT, {"type": "object", "properties": {"c": NUMBER}}]}, "c", UNKNOWN),
        (UNKNOWN, "a", UNKNOWN),
    ],
)
def test_one_step_into_a_shape(shape: Any, step: str | int | None, wanted: Any) -> None:
    assert below(shape, step) == wanted


def test_one_unknown_choice_makes_all_unknown() -> None:
    assert any_of([NUMBER, NUMBER]) == NUMBER
    assert any_of([NUMBER, UNKNOWN]) == UNKNOWN
    assert any_of([]) == UNKNOWN


def test_document_is_known_whole() -> None:
    shape = of_value({"a": 1, "list": [1, 2.5], "mixed": [1, "2", None], "flag": True})
    assert below(below(shape, "list"), None) == NUMBER
    assert kinds(below(below(shape, "mixed"), 0)) == {"number", "string", "null"}
    assert kinds(below(shape, "flag")) == {"boolean"}


def test_answer_of_a_builtin_is_as_opa_declares_it() -> None:
    assert of_builtin({"type": "number"}) == NUMBER
    assert of_builtin({"type": "array", "static": [{"type": "number"}, {"type": "string"}]}) == PAIR
    assert kinds(of_builtin({"type": "any", "of": [{"type": "number"}, {"type": "string"}]})) == {"number", "string"}
    assert below(of_builtin({"type": "set", "of": {"type": "number"}}), None) == NUMBER
    assert of_builtin({"type": "any"}) == UNKNOWN


def test_references_of_a_schema_are_followed_inside_it_only() -> None:
    schema = {
        "type": "object",
        "properties": {
            "money": {"$ref": "#/$defs/money"},
            "self": {"$ref": "#"},
            "away": {"$ref": "http://127.0.0.1:9/x.json"},
            "one": {"oneOf": [{"$ref": "#/$defs/money"}, TEXT]},
        },
        "$defs": {"money": NUMBER},
    }
    whole = resolved(schema, schema)
    assert whole["properties"]["money"] == NUMBER
    assert whole["properties"]["away"] == UNKNOWN
    assert kinds(whole["properties"]["one"]) == {"number", "string"}
    assert "$defs" not in whole

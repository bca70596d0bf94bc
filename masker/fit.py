"""Which mask takes which type, and what comes out."""

from typing import Any

from masker.arrow import schema as arrow
from masker.kernels import date
from masker.path import parse
from masker.spec import Spec

# What each mask takes, and what comes out: `same` type, `text` or `number`. Nested types are taken whole.
_ANY = ("text", "binary", "integer", "decimal", "float", "bool", "date", "timestamp", "time", "null")
IDS = {"text": "text", "binary": "text", "integer": "text", "decimal": "text"}
_NUMBERS = ("integer", "decimal", "float")
_DATES = ("date", "timestamp")
OUTPUT: dict[str, dict[str, str]] = {
    "token": IDS,
    "pseudonym": IDS,
    "fpe": {"text": "same"},
    "email": {"text": "same"},
    "partial": {"text": "same"},
    "redact": dict.fromkeys(_ANY, "text") | {"null": "same"},
    "nullify": dict.fromkeys(_ANY, "same"),
    "clear": dict.fromkeys(_ANY, "same"),
    "json": {"text": "same"},
    "date_shift": dict.fromkeys((*_DATES, "text"), "same"),
    "generalize.bucket": dict.fromkeys((*_NUMBERS, "text"), "text"),
    "generalize.round": dict.fromkeys((*_NUMBERS, "text"), "same"),
    "generalize.clamp": dict.fromkeys((*_NUMBERS, "text"), "same"),
    "generalize.age": dict.fromkeys(_DATES, "number") | {"text": "same"},
    "generalize.zip3": {"text": "same"},
    "generalize.network": {"text": "same"},
    **{f"generalize.{period}": dict.fromkeys((*_DATES, "text"), "same") for period in date.PERIODS},
}

ADVICE = {
    ("fpe", "integer"): "; declare a zero-padded string",
    ("token", "float"): "; equal numbers need not be equal bytes",
    ("pseudonym", "float"): "; equal numbers need not be equal bytes",
}


def problem(spec: Spec, kind: str, data_type: Any) -> str:
    """What type and parameters together make wrong."""
    if spec.mask == "json":
        return _json_problem(spec)
    text_rule = spec.mask == "date_shift" or (spec.mask == "generalize" and spec["to"] not in {"zip3", "network"})
    wanted = dict(spec.params).get("format")
    if text_rule and (kind == "text") != (wanted is not None):
        return "a format belongs to a text column, and such a column needs one"
    numeric = spec.mask == "generalize" and spec["to"] in {"bucket", "round", "clamp"}
    if wanted and (wanted == "number") != numeric:
        return "the format does not fit the mask"
    if kind == "integer" and numeric:
        return _integer_problem(spec, data_type)
    return ""


def _integer_problem(spec: Spec, data_type: Any) -> str:
    given = [spec[name] for name in ("step", "least", "most") if spec[name] is not None]
    if any(type(number) is not int for number in given):
        return "whole numbers need whole parameters"
    low, high = arrow.integer_range(data_type)
    return "" if all(low <= number <= high for number in given) else f"a parameter does not fit {data_type}"


def _json_problem(spec: Spec) -> str:
    paths = {path: parse(path) for path, _, _ in spec.children}
    if any(steps is None for steps in paths.values()):
        return 'a json path is not written as a.b, a[] or ["odd.key"]'
    for path, _, child in spec.children:
        if "text" not in OUTPUT[row(child)]:
            return f"mask {row(child)} does not stand in json"
        wrong = problem(child, "text", None)
        entity = child["entity"] if child.mask == "date_shift" else None
        if wrong or (entity is not None and (entity not in paths or "[]" in entity)):
            return f"json path {path}: {wrong or 'the entity is no path outside lists'}"
    return ""


def row(spec: Spec) -> str:
    """Return the name of a spec's row in OUTPUT."""
    return f"generalize.{spec['to']}" if spec.mask == "generalize" else spec.mask

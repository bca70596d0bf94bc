"""Whether a mask fits a column: its type, and what type and parameters make wrong together."""

from typing import Any

from masker import methods
from masker.arrow import schema
from masker.path import parse
from masker.spec import Spec

ADVICE = {
    ("fpe", "integer"): "; declare a zero-padded string",
    ("token", "float"): "; equal numbers need not be equal bytes",
    ("pseudonym", "float"): "; equal numbers need not be equal bytes",
}
"""What to add to the refusal of a type: by mask and kind of column."""


def problem(spec: Spec, kind: str, data_type: Any) -> str:
    """Return what type and parameters make wrong together, empty where they fit."""
    method, given = methods.of(spec), spec.get("format")
    if method.takes is methods.Takes.DOCUMENTS:
        return _json_problem(spec)
    if method.format and kind == "text" and given is None:
        return "a text column needs a format with this mask; other columns do without it"
    if given and (given == "number") != (method.format == "number"):
        return "the format does not fit the mask"
    if kind == "integer" and method.format == "number":
        return _integer_problem(spec, data_type)
    return ""


def may_null(spec: Spec) -> bool:
    """Tell whether a value that is not null can become null."""
    return methods.of(spec).takes is methods.Takes.NOTHING or spec.unfit_is_null or spec.short_is_null


def is_keyed(spec: Spec) -> bool:
    """Tell whether a mask, or one below it, needs a key."""
    return methods.of(spec).keyed or any(is_keyed(child) for _, _, child in spec.children)


def is_unverified(spec: Spec) -> bool:
    """Tell whether a wrong result of reversing this mask, or one below it, would go unnoticed."""
    return methods.of(spec).unverified or any(is_unverified(child) for _, _, child in spec.children)


def _integer_problem(spec: Spec, data_type: Any) -> str:
    given = [spec[name] for name in ("step", "least", "most") if spec[name] is not None]
    if any(type(number) is not int for number in given):
        return "a column of whole numbers needs whole numbers as parameters"
    low, high = schema.integer_range(data_type)
    return "" if all(low <= number <= high for number in given) else f"a parameter is outside the range of {data_type}"


def _json_problem(spec: Spec) -> str:
    paths = {path: parse(path) for path, _, _ in spec.children}
    if any(steps is None for steps in paths.values()):
        return 'a json path is not written as a.b, a[] or ["odd.key"]'
    for path, _, child in spec.children:
        if "text" not in methods.of(child).outputs:
            return f"mask {child.method} does not take a value of json"
        wrong, entity = problem(child, "text", None), child.get("entity")
        if wrong or (entity is not None and (entity not in paths or "[]" in entity)):
            return f"json path {path}: {wrong or 'the entity is not a path outside lists'}"
    return ""

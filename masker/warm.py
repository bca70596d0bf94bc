"""Compile kernels before the first row arrives: every method runs once on the example of the table of methods."""

import contextlib
import dataclasses
import gc
from collections.abc import Iterator
from typing import Any

import numpy as np

from masker import date_shift, methods, parameter, records
from masker.arrow import schema
from masker.context import Context, Days, KeySchedules
from masker.generalize import Decimals
from masker.kernels.column import Fixed, Text, compact, text_from
from masker.kernels.json_string import written
from masker.kernels.number import numerals
from masker.keys import SECRET_BYTES, Keyring, KeyVersion
from masker.methods import METHODS, Method, Takes
from masker.plan import MaskPlan, plan
from masker.spans import PathTree, spans
from masker.spec import Spec

_ONE = np.ones(1, np.bool_)
_DAYS: Days = (np.ones(1, np.int64), _ONE)
_ALL = 2
"""Example texts of a method at most. Only fpe has two: few plans need the kernel of long numbers (0.17 s)."""
_FORMATS = {"date": "%Y%m%d", "number": "number"}


def warm(mask_plan: MaskPlan, keys: Keyring | None) -> None:
    """Compile the kernels of a plan: run each of its masks on a value that fits."""
    _warm(mask_plan, keys, texts=1)


def warm_all() -> None:
    """Compile the kernels of every method, to mask and to unmask, for the types that it is used with most."""
    keys = Keyring("warm", [KeyVersion(1, "active", bytes(SECRET_BYTES), "")])
    types, rules, domains = examples()
    made = plan(schema.schema_of(types), rules, domains, key_version=1)
    back = plan(made.output_schema, rules, domains, key_version=1, direction="unmask")
    _run_documents()
    for each in (made, back):
        _warm(each, keys, texts=_ALL)


def examples() -> tuple[dict[str, str], list[dict[str, Any]], dict[str, Any]]:
    """Return types by column, rules and domains, with a column for each type in the example of each method."""
    types: dict[str, str] = {}
    rules: list[dict[str, Any]] = []
    domains: dict[str, Any] = {}
    for name, method in METHODS.items():
        mask, _, to = name.partition(".")
        said = {"mask": mask} | ({"to": to} if to else {}) | dict(method.example.params if method.example else {})
        domains |= {mask: said} if method.keyed else {}
        for type_name in method.example.types if method.example else ():
            rule = {"domain": mask} if method.keyed else said
            rule = rule | ({"format": _FORMATS[method.format]} if method.format and type_name == "string" else {})
            rule = rule | ({"entity": next(iter(types))} if "entity" in parameter.ENTRY.get(mask, {}) else {})
            types[f"{name}_{type_name}"] = type_name
            rules.append({"column": f"{name}_{type_name}", **rule})
    return types, rules, domains


def _warm(mask_plan: MaskPlan, keys: Keyring | None, *, texts: int) -> None:
    with _uncollected():
        schedules = KeySchedules(keys)
        for leaf in mask_plan.leaves:
            if methods.of(leaf.spec).takes is Takes.DOCUMENTS:
                _run_documents()
            context = Context(schedules, mask_plan.key_version or leaf.key_version, _DAYS)
            for spec in [leaf.spec, *(child for _, _, child in leaf.spec.children)]:
                _run(spec, schema.plain_type(leaf.input), context, texts, reverse=mask_plan.direction != "mask")


def _run_documents() -> None:
    """Read a value out of a document, and write it there again."""
    found = spans(text_from([b'{"\\u0061":"\\n"}']), PathTree([("a",)]), _ONE, covers=True)
    values, _ = records.texts(found)
    data, places = written(values, np.zeros(1, np.uint8))
    found.replaced(data, places[:-1], np.diff(places))


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Pause the search for garbage: the compiler makes millions of objects that live, and searching takes a sixth."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _run(spec: Spec, data_type: Any, context: Context, texts: int, *, reverse: bool) -> None:
    """Run a mask on its example; to reverse it, on what was just masked, which carries the version that masked it."""
    method, kind = methods.of(spec), schema.kind(data_type)
    if method.example is None or (reverse and not method.reversible):
        return
    if spec.get("entity") is not None:
        numbers = Fixed(np.ones(1, np.int64), _ONE)
        date_shift.entity_days(spec, numbers, context)
        date_shift.entity_days(spec, numerals(numbers), context)
    if kind in {"date", "timestamp"}:
        context = dataclasses.replace(
            context, per_day=schema.counts_per_day(data_type), is_instant=schema.is_instant(data_type)
        )
    for example in method.example.texts(spec)[:texts]:
        masked = method.run(spec, _value(method, example, data_type, kind), context)
        if reverse:
            masked = method.reverse(spec, masked.values, context)
        if isinstance(masked.values, Text):
            compact(masked.values)


def _value(method: Method, example: str, data_type: Any, kind: str) -> Text | Fixed | Decimals:
    """Return a value that fits, in the form that a column of this type has when it is masked."""
    if kind == "integer" and method.takes is Takes.TEXT:
        return numerals(Fixed(np.ones(1, np.int64), _ONE))
    if kind == "decimal" and method.takes is Takes.VALUES:
        return Decimals([None])
    if kind in schema.MACHINE_NUMBERS and method.takes is Takes.VALUES:
        return Fixed(np.ones(1, schema.machine_type(data_type)), _ONE)
    return text_from([example.encode()])

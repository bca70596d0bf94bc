"""Compile what a plan needs before the first row arrives."""

import contextlib
import gc
from collections.abc import Iterator

import numpy as np

from masker import generalize, masks
from masker.arrow import schema as arrow
from masker.kernels.column import Fixed, Masked, Text, compact, text_from
from masker.kernels.number import numerals
from masker.keys import Keyring
from masker.masks import Bench, Days, Work
from masker.plan import MaskPlan
from masker.spec import Spec

_ONE = np.ones(1, np.bool_)
_DAYS: Days = (np.ones(1, np.int64), _ONE)
_EXAMPLE_DAY = {"%Y": "2000", "%m": "01", "%d": "01", "%H": "00", "%M": "00", "%S": "00"}


def warm(plan: MaskPlan, keys: Keyring | None) -> None:
    """Run every mask of a plan on one value that fits it."""
    with _uncollected():
        _warm(plan, keys)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """No search for garbage: the compiler makes millions of objects that live, and the searches are a sixth of it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _warm(plan: MaskPlan, keys: Keyring | None) -> None:
    bench = Bench(keys)
    for leaf in plan.leaves:
        kind = arrow.kind(leaf.input)
        version = plan.key_version or leaf.key_version
        for spec in [leaf.spec, *(child for _, _, child in leaf.spec.children)]:
            if plan.direction == "mask" or spec.mask in masks.REVERSED:
                _run(spec, kind, leaf.input, Work(bench, version, _DAYS), reverse=plan.direction != "mask")


def _run(spec: Spec, kind: str, data_type: object, work: Work, *, reverse: bool) -> None:
    if spec.mask == "date_shift":
        numbers = Fixed(np.ones(1, np.int64), _ONE)
        masks.entity_days(spec, numbers, work)
        masks.entity_days(spec, numerals(numbers), work)
    if kind in {"date", "timestamp"} and spec.mask in {"date_shift", "generalize"}:
        _run_dates(spec, np.int32 if str(data_type) == "date32[day]" else np.int64)
    elif kind in {"integer", "float"} and spec.mask == "generalize":
        generalize.numbers_masked(spec, Fixed(np.ones(1), _ONE))
    elif kind in {"text", "binary", "integer", "decimal"} and spec.mask in masks.MASKED:
        values = numerals(Fixed(np.ones(1, np.int64), _ONE)) if kind == "integer" else _example(spec)
        masked = masks.mask_text(spec, values, work)
        _finish(masks.unmask_text(spec, masked.values, _as_masked(work)) if reverse else masked)


def _run_dates(spec: Spec, dtype: type) -> None:
    values = Fixed(np.zeros(1, dtype), _ONE)
    if spec.mask == "date_shift":
        masks.shift_dates(values, 1, _DAYS)
    else:
        generalize.dates_masked(spec, values, 1)


def _finish(masked: Masked) -> None:
    if isinstance(masked.values, Text):
        compact(masked.values)


def _as_masked(work: Work) -> Work:
    """What was just masked carries the version that masked it."""
    return Work(work.bench, work.version)


def _example(spec: Spec) -> Text:
    """Return a value that fits the mask."""
    example = "0000"
    if spec.mask == "fpe":
        form = spec.form
        example = form.alphabet[0] * (form.keep_prefix + form.least + form.tail)
    elif spec.mask == "email":
        example = "a@b"
    elif dict(spec.params).get("to") == "network":
        example = "192.0.2.1"
    elif dict(spec.params).get("format"):
        example = spec["format"] if spec["format"] != "number" else "0"
        for field, text in _EXAMPLE_DAY.items():
            example = example.replace(field, text)
    return text_from([example.encode()])

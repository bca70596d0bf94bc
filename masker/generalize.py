"""Generalisation: buckets, rounding, limits, periods, ages, zip3, networks; no keys."""

import decimal
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masker.kernels import date, date_text, number, text
from masker.kernels.column import UNFIT, Fixed, Flags, Masked, Text, text_from
from masker.spec import Spec


def numbers_masked(spec: Spec, values: Fixed) -> Masked:
    """Bucket (text out), round or clamp machine numbers."""
    numbers = values.values
    broken = ~np.isfinite(numbers) if numbers.dtype.kind == "f" else np.zeros(len(values), np.bool_)
    if spec["to"] == "bucket":
        edges = np.array(spec["edges"])
        codes = np.searchsorted(edges, numbers, side="right")
        return _labelled(spec, codes, values.valid, broken)
    if spec["to"] == "round":
        result, broken = number.rounded(numbers, spec["step"])
    else:
        result = np.clip(numbers, spec["least"], spec["most"])
    status = np.where(values.valid & broken, np.uint8(UNFIT), np.uint8(0))
    return Masked(Fixed(result, values.valid & ~broken), status)


def decimals_masked(spec: Spec, values: list[Any], limit: int | None) -> tuple[list[Any], NDArray[np.uint8]]:
    """The same for decimals (None is null); with a `limit` of digits the scale stays. Bucket gives labels."""
    status = np.zeros(len(values), np.uint8)
    result: list[Any] = []
    for row, value in enumerate(values):
        made = None if value is None else _decimal(spec, value, limit)
        status[row] = UNFIT if value is not None and made is None else 0
        result.append(made)
    return result, status


def dates_masked(spec: Spec, values: Fixed, per_day: int) -> Masked:
    """Truncate dates to a period or make them ages; `per_day` counts make one day."""
    if spec["to"] == "age":
        return date.ages(values, per_day, spec["at"], spec["cap"])
    return date.truncated(values, date.PERIODS[spec["to"]], per_day)


def text_masked(spec: Spec, values: Text) -> Masked:
    """Generalise text: codes, addresses, and numbers or dates by the rule's format."""
    if spec["to"] == "zip3":
        return text.zip3(values)
    if spec["to"] == "network":
        return text.network(values)
    if spec["format"] == "number":
        return _numbers_in_text(spec, values)
    layout = date_text.layout(spec["format"])
    if spec["to"] != "age":
        return date_text.truncated(values, date.PERIODS[spec["to"]], layout)  # type: ignore[arg-type]
    days, status = date_text.parsed(values, layout)  # type: ignore[arg-type]  # the spec compiled it before
    masked = dates_masked(spec, days, 1)
    return Masked(number.numerals(masked.values), status | masked.status)


def _numbers_in_text(spec: Spec, values: Text) -> Masked:
    numbers = [_parsed(values.value(row)) if values.valid[row] else None for row in range(len(values))]
    wrong = np.array([each is None for each in numbers], np.bool_) & values.valid
    made, status = decimals_masked(spec, numbers, None)
    spelled = [
        None if each is None else each.encode() if isinstance(each, str) else plain(each).encode() for each in made
    ]
    return Masked(text_from(spelled), np.where(wrong, np.uint8(UNFIT), status))


def _labelled(spec: Spec, codes: NDArray[np.int64], valid: Flags, broken: Flags) -> Masked:
    labels = text_from([label.encode() for label in bucket_labels(spec["edges"])])
    status = np.where(valid & broken, np.uint8(UNFIT), np.uint8(0))
    return Masked(text.chosen(labels, codes, valid & ~broken), status)


def bucket_labels(edges: tuple[Any, ...]) -> list[str]:
    """Return `< a`, `[a, b)`, ..., `>= z`."""
    inner = [f"[{low}, {high})" for low, high in pairwise(edges)]
    return [f"< {edges[0]}", *inner, f">= {edges[-1]}"]


def plain(value: decimal.Decimal) -> str:
    """Write a decimal without exponent, trailing zeros or an empty fraction."""
    written = format(value, "f")
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


def _parsed(value: bytes) -> decimal.Decimal | None:
    """Plain decimal notation of at most 38 digits."""
    if len(value) > 40 or not set(value) <= set(b"0123456789.-"):  # noqa: PLR2004 - sign and point
        return None
    try:
        return decimal.Decimal(value.decode())
    except decimal.InvalidOperation:
        return None


def _decimal(spec: Spec, value: decimal.Decimal, limit: int | None) -> Any:
    """One decimal generalised, None where it no longer fits."""
    if spec["to"] == "bucket":
        below = sum(decimal.Decimal(str(edge)) <= value for edge in spec["edges"])
        return bucket_labels(spec["edges"])[below]
    with decimal.localcontext(prec=100):
        if spec["to"] == "round":
            step = decimal.Decimal(str(spec["step"]))
            result = (value / step + decimal.Decimal("0.5")).to_integral_value(decimal.ROUND_FLOOR) * step
        else:
            low, high = (None if spec[side] is None else decimal.Decimal(str(spec[side])) for side in ("least", "most"))
            result = max(value, low) if low is not None else value
            result = min(result, high) if high is not None else result
        return result if limit is None else _at_scale(result, value, limit)


def _at_scale(result: decimal.Decimal, like: decimal.Decimal, limit: int) -> decimal.Decimal | None:
    fitting = result.quantize(decimal.Decimal(1).scaleb(int(like.as_tuple().exponent)))
    return fitting if fitting == result and len(fitting.as_tuple().digits) <= limit else None

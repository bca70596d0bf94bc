"""Generalisation without keys: numbers to buckets, steps and limits; dates to periods and ages."""

import dataclasses
import datetime as dt
import decimal
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masker import zone
from masker.context import Context
from masker.kernels import date, date_text, number, text
from masker.kernels.column import UNFIT, Fixed, Flags, Masked, Text, text_from
from masker.spec import Spec

_SECONDS_A_DAY = 86_400
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DIGITS = 38
"""Digits of a number in text at most, as many as a 128-bit Arrow decimal has."""


@dataclasses.dataclass(frozen=True)
class Decimals:
    """A column of decimals (None is null). With a `precision` of digits the results keep their values' scale."""

    values: list[decimal.Decimal | None]
    precision: int | None = None


def numbers(spec: Spec, values: Any, _context: Context) -> Masked:
    """Put numbers into buckets (text comes out), round or clamp them: machine numbers, decimals, or numbers in text."""
    match values:
        case Text():
            return _numbers_in_text(spec, values)
        case Decimals():
            return decimals_masked(spec, values)
        case _:
            return _machine_numbers(spec, values)


def dates(spec: Spec, values: Any, context: Context) -> Masked:
    """Go back to the first day of a period, or make dates ages: dates, timestamps, or dates in text.

    A `zone` says whose days these are for instants: timestamps with a time zone, and text whose format ends in `Z`.
    Other dates and times are of no zone; they are taken as they stand.
    """
    if isinstance(values, Text):
        return _instants_in_text(spec, values) if _is_of_instants(spec) else _dates_in_text(spec, values)
    if spec["zone"] is not None and context.is_instant:
        return _instants(spec, values, context.per_day)
    return _days(spec, values, context.per_day)


def _days(spec: Spec, values: Fixed, per_day: int) -> Masked:
    if spec["to"] == "age":
        return date.ages(values, per_day, spec["at"], spec["cap"])
    return date.truncated(values, date.PERIODS[spec["to"]], per_day)


def _instants(spec: Spec, values: Fixed, per_day: int) -> Masked:
    shown, beyond = zone.local(values.values, per_day, spec["zone"])
    made = _days(spec, Fixed(shown, values.valid & ~beyond), per_day)
    status = made.status | (beyond & values.valid).view(np.uint8)
    if spec["to"] == "age":
        return Masked(made.values, status)
    first = zone.instants(made.values.values, per_day, spec["zone"])
    return Masked(Fixed(first, made.values.valid), status)


def _is_of_instants(spec: Spec) -> bool:
    return spec["zone"] is not None and str(spec["format"]).endswith("Z")


def _instants_in_text(spec: Spec, values: Text) -> Masked:
    """Instants in text as UTC, one by one. The result is written as the value was."""
    read = [_instant(values.value(row), spec["format"]) if values.valid[row] else None for row in range(len(values))]
    valid = np.array([each is not None for each in read], np.bool_)
    seconds = Fixed(np.array([each or 0 for each in read], np.int64), valid)
    made = _instants(spec, seconds, _SECONDS_A_DAY)
    wrong = (values.valid & ~valid).view(np.uint8)
    if spec["to"] == "age":
        return Masked(number.numerals(made.values), made.status | wrong)
    firsts = [_written(int(each), spec["format"]) for each in made.values.values]
    fine = made.values.valid & np.array([each is not None for each in firsts], np.bool_)
    text_of = [each if fine[row] else None for row, each in enumerate(firsts)]
    return Masked(text_from(text_of), made.status | (values.valid & ~fine).view(np.uint8))


def _instant(value: bytes, form: str) -> int | None:
    """Return the seconds since 1970 of an instant that is written exactly so."""
    try:
        read = dt.datetime.strptime(value.decode(), form).replace(tzinfo=dt.UTC)
    except ValueError:
        return None
    seconds = int((read - _EPOCH).total_seconds())
    return seconds if _written(seconds, form) == value else None


def _written(seconds: int, form: str) -> bytes | None:
    try:
        moment = _EPOCH + dt.timedelta(seconds=seconds)
    except OverflowError:
        return None
    return moment.strftime(form.replace("%Y", f"{moment.year:04d}")).encode()


def _machine_numbers(spec: Spec, values: Fixed) -> Masked:
    given = values.values
    broken = ~np.isfinite(given) if given.dtype.kind == "f" else np.zeros(len(values), np.bool_)
    if spec["to"] == "bucket":
        edges = np.array(spec["edges"])
        codes = np.searchsorted(edges, given, side="right")
        return _labelled(spec, codes, values.valid, broken)
    if spec["to"] == "round":
        result, broken = number.rounded(given, spec["step"])
    else:
        result = np.clip(given, spec["least"], spec["most"])
    status = np.where(values.valid & broken, np.uint8(UNFIT), np.uint8(0))
    return Masked(Fixed(result, values.valid & ~broken), status)


def decimals_masked(spec: Spec, column: Decimals) -> Masked:
    """Generalise a list of decimals into a list of decimals or labels; UNFIT where a result does not fit."""
    status = np.zeros(len(column.values), np.uint8)
    result: list[Any] = []
    for row, value in enumerate(column.values):
        made = None if value is None else _decimal(spec, value, column.precision)
        status[row] = UNFIT if value is not None and made is None else 0
        result.append(made)
    return Masked(result, status)


def _dates_in_text(spec: Spec, values: Text) -> Masked:
    layout = date_text.layout(spec["format"])
    if spec["to"] != "age":
        return date_text.truncated(values, date.PERIODS[spec["to"]], layout)  # type: ignore[arg-type]
    days, status = date_text.parsed(values, layout)  # type: ignore[arg-type]  # the spec compiled it before
    masked = date.ages(days, 1, spec["at"], spec["cap"])
    return Masked(number.numerals(masked.values), status | masked.status)


def _numbers_in_text(spec: Spec, values: Text) -> Masked:
    read = [_parsed(values.value(row)) if values.valid[row] else None for row in range(len(values))]
    wrong = np.array([each is None for each in read], np.bool_) & values.valid
    made = decimals_masked(spec, Decimals(read))
    return Masked(text_from([_spelled(each) for each in made.values]), np.where(wrong, np.uint8(UNFIT), made.status))


def _spelled(value: decimal.Decimal | str | None) -> bytes | None:
    """A result as text: a bucket's label as it is, a number plainly."""
    if value is None or isinstance(value, str):
        return None if value is None else value.encode()
    return number.plain(value).encode()


def _labelled(spec: Spec, codes: NDArray[np.int64], valid: Flags, broken: Flags) -> Masked:
    labels = text_from([label.encode() for label in bucket_labels(spec["edges"])])
    status = np.where(valid & broken, np.uint8(UNFIT), np.uint8(0))
    return Masked(text.chosen(labels, codes, valid & ~broken), status)


def bucket_labels(edges: tuple[Any, ...]) -> list[str]:
    """Return `< a`, `[a, b)`, ..., `>= z`."""
    inner = [f"[{low}, {high})" for low, high in pairwise(edges)]
    return [f"< {edges[0]}", *inner, f">= {edges[-1]}"]


def _parsed(value: bytes) -> decimal.Decimal | None:
    """Read plain decimal notation."""
    if len(value) > _DIGITS + 2 or not set(value) <= set(b"0123456789.-"):  # with sign and point
        return None
    try:
        return decimal.Decimal(value.decode())
    except decimal.InvalidOperation:
        return None


def _decimal(spec: Spec, value: decimal.Decimal, precision: int | None) -> Any:
    """Generalise one decimal; None where the result does not fit."""
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
        return result if precision is None else _at_scale(result, value, precision)


def _at_scale(result: decimal.Decimal, like: decimal.Decimal, precision: int) -> decimal.Decimal | None:
    fitting = result.quantize(decimal.Decimal(1).scaleb(int(like.as_tuple().exponent)))
    return fitting if fitting == result and len(fitting.as_tuple().digits) <= precision else None

"""Dates moved by a number of days that depends on key and entity alone.

All dates of one entity move together, so the time between them stays.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from masker.context import Context, Days
from masker.kernels import date, date_text
from masker.kernels.canonical import canonical
from masker.kernels.column import UNFIT, Fixed, Flags, Masked, Text
from masker.spec import Spec


def shifted(spec: Spec, values: Any, context: Context) -> Masked:
    """Shift dates, timestamps, or dates in text by `context.days`; UNFIT where the row's entity is null or empty."""
    days: Days = context.days  # type: ignore[assignment]  # the runner of this mask computes them first
    if isinstance(values, Text):
        return shifted_texts(spec, values, np.arange(len(values)), values.valid, days)
    return _shifted_counts(values, context.per_day, days)


def shifted_texts(spec: Spec, entries: Text, indices: NDArray[np.int64], valid: Flags, days: Days) -> Masked:
    """Shift the dates of rows that are indices into `entries`: each entry is parsed once, and not copied for a row."""
    form = date_text.layout(spec["format"])
    read, status = date_text.parsed(entries, form)  # type: ignore[arg-type]  # the spec compiled it before
    valid = valid & entries.valid[indices]
    masked = _shifted_counts(Fixed(read.values[indices], valid & read.valid[indices]), 1, days)
    back = date_text.written(entries.data, entries.offsets[indices], masked.values, form)  # type: ignore[arg-type]
    return Masked(back.values, np.where(valid, status[indices], np.uint8(0)) | masked.status | back.status)


def entity_days(spec: Spec, entities: Text | Fixed, context: Context) -> Days:
    """Return the shift of each entity; a null or empty one has none."""
    reach, unit = (spec["days"], 1) if spec["days"] is not None else (spec["weeks"], 7)
    keyed = context.schedules.prf(spec, context.version)
    if isinstance(entities, Fixed):
        days = np.zeros(len(entities), np.int64)
        for low, digests in keyed.integer_digests(entities):
            days[low : low + len(digests)] = date.offsets_from(digests, reach, unit)
        return days, entities.valid
    entities = canonical(entities, spec["canonical"])
    known = entities.valid & (np.diff(entities.offsets) > 0)
    return date.offsets_from(keyed.digests(entities.only(known)), reach, unit), known


def _shifted_counts(values: Fixed, per_day: int, days: Days) -> Masked:
    shift, known = days
    if known.all():
        return date.shifted(values, shift, per_day)
    masked = date.shifted(Fixed(values.values, values.valid & known), shift, per_day)
    missing = np.where(values.valid & ~known, np.uint8(UNFIT), np.uint8(0))
    return Masked(masked.values, missing | masked.status)

"""The entity of a date shift: a column that tells, for each row, by how many days its dates move."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from masker import date_shift
from masker.arrow import buffers, schema, table, tree
from masker.chunk import Chunk
from masker.context import Context, Days
from masker.kernels.column import Fixed, Text
from masker.path import ITEM, Path, parse
from masker.spec import Spec


def days(chunk: Chunk, input_schema: Any, context: Context) -> Days:
    """Return the shift at each row of the chunk, from the entity's column."""
    rows = chunk.rows
    if not rows.size:
        return np.zeros(0, np.int64), np.zeros(0, np.bool_)
    low, high = int(rows[0]), int(rows[-1]) + 1
    parts = list(_parts(chunk, input_schema, low, high, context))
    shift, known = parts[0] if len(parts) == 1 else (np.concatenate(each) for each in zip(*parts, strict=True))
    every = ITEM not in chunk.leaf.path and high - low == rows.size  # in lists rows repeat and are left out
    return (shift, known) if every else (shift[rows - low], known[rows - low])


def _parts(chunk: Chunk, input_schema: Any, low: int, high: int, context: Context) -> Iterator[Days]:
    """The shifts of rows low to high, a chunk of the entity's column at a time."""
    spec = chunk.leaf.spec
    steps = parse(spec["entity"]) or (spec["entity"],)
    number = input_schema.get_field_index(steps[0])
    for part in table.between(chunk.columns[number], low, high):
        yield _days_of(spec, part, steps[1:], context)


def _days_of(spec: Spec, array: Any, steps: Path, context: Context) -> Days:
    values, valid = tree.descend(array, steps)
    encoded = tree.dictionary_of(values)
    if schema.kind(values.type) == "integer" and encoded is None:
        return date_shift.entity_days(spec, Fixed(buffers.fixed(values).values, valid), context)
    if encoded is None:
        plain = buffers.text(values)
        return date_shift.entity_days(spec, Text(plain.data, plain.offsets, valid), context)
    entries, indices = encoded
    if not len(entries):
        return np.zeros(len(array), np.int64), np.zeros(len(array), np.bool_)
    shift, known = date_shift.entity_days(spec, buffers.text(entries), context)
    return shift[indices], known[indices] & valid

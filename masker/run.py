"""Run a plan: take the buffers of each planned leaf, mask them, put them back.

Everything is all or nothing: a value that does not fit raises ValueRefused and nothing is returned.
"""

import dataclasses
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from masker import date_shift, entity, methods, records
from masker.arrow import buffers, schema, table, tree
from masker.arrow.likeness import as_type, difference
from masker.chunk import Chunk
from masker.context import Context, KeySchedules
from masker.errors import PlanRefused, ValueRefused
from masker.generalize import Decimals
from masker.kernels.column import SHORT, UNFIT, Fixed, Flags, Masked, Text, ends, fitting
from masker.keys import Keyring
from masker.methods import Takes
from masker.path import Path
from masker.plan import MaskPlan
from masker.warm import warm

_PROBLEMS = {
    UNFIT: "the value does not fit its mask",
    SHORT: "the value is too short to encrypt (it must be one of at least 10^6 possible values)",
}
_BROKEN = "the value is not a readable token of its domain"


class Masker:
    """A plan with its keys, ready for any number of batches and threads.

    Raises PlanRefused where the plan has expired at `now` (seconds since 1970).
    """

    def __init__(self, plan: MaskPlan, keys: Keyring | None = None, *, now: float | None = None) -> None:
        if plan.expires_at is not None and (time.time() if now is None else now) >= plan.expires_at:
            raise PlanRefused("the plan has expired")
        self.plan = plan
        self._keys = keys
        self._leaves = {leaf.path: leaf for leaf in plan.leaves}
        self._problems = _PROBLEMS if plan.direction == "mask" else {UNFIT: _BROKEN, SHORT: _BROKEN}
        self._local = threading.local()

    def batch(self, batch: Any, *, first_row: int = 0) -> Any:
        """Mask one pyarrow.RecordBatch of the planned schema; rows in errors count from `first_row`."""
        self._check_schema(batch.schema)
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            _check_sound(name, column)
        return self.sound_batch(batch, first_row=first_row)

    def sound_batch(self, batch: Any, *, first_row: int = 0) -> Any:
        """`batch` for one that was validated in full where it was read, and not before: kernels check no offset."""
        self._check_schema(batch.schema)
        columns = [[self._planned(number, column)] for number, column in enumerate(batch.columns)]
        refused: ValueRefused | None = None
        try:
            made = [self._column(columns, number, chunks[0], 0) for number, chunks in enumerate(columns)]
            return table.batch(made, self.plan.output_schema, batch.num_rows)
        except ValueRefused as error:
            refused = error
        raise refused.moved(first_row)

    def table(self, source: Any, *, threads: int = 1) -> Any:
        """Mask anything with `__arrow_c_stream__`; returns a pyarrow.Table with the same chunks.

        A chunk above 256 MiB comes back in pieces, because 32-bit offsets might not reach all of its tokens.
        """
        whole = table.read(source)
        self._check_schema(whole.schema)
        columns = [column.chunks for column in whole.columns]
        chunks = [(name, chunk) for name, column in zip(whole.schema.names, columns, strict=True) for chunk in column]
        with ThreadPoolExecutor(threads) as pool:
            each = pool.map if threads > 1 else map
            deque(each(lambda found: _check_sound(*found), chunks), 0)  # before one column reads another
            columns = [[self._planned(number, chunk) for chunk in found] for number, found in enumerate(columns)]
            jobs = list(_jobs(columns))
            made = list(each(lambda job: self._column(columns, *job), jobs))
        grouped: list[list[Any]] = [[] for _ in columns]
        for (number, _, _), array in zip(jobs, made, strict=True):
            grouped[number].append(array)
        return table.build(grouped, self.plan.output_schema, whole.num_rows)

    def warm(self) -> None:
        """Compile the plan's kernels."""
        warm(self.plan, self._keys)

    @property
    def _schedules(self) -> KeySchedules:
        if not hasattr(self._local, "schedules"):
            self._local.schedules = KeySchedules(self._keys)
        return self._local.schedules  # type: ignore[no-any-return]

    def _check_schema(self, found: Any) -> None:
        if not found.equals(self.plan.input_schema) and (problem := difference(found, self.plan.input_schema)):
            raise PlanRefused(f"the columns of the table are not those of the plan: {problem}")

    def _planned(self, number: int, array: Any) -> Any:
        """Return a chunk with the type that the plan has for its column."""
        field = self.plan.input_schema.field(number)
        try:
            return as_type(array, field.type)
        except OverflowError as error:
            problem = str(error)
        raise ValueRefused(problem, column=field.name)

    def _column(self, columns: list[list[Any]], number: int, array: Any, start: int) -> Any:
        """Mask one chunk of a top-level column; `start` is its first row."""
        field = self.plan.output_schema.field(number)
        rows = np.arange(start, start + len(array))
        alive = np.ones(len(array), np.bool_)

        def on_leaf(path: Path, values: Any, valid: Flags, where: Any) -> Any:
            return self._leaf(Chunk(self._leaves[path], values, valid, where, columns))

        return tree.rebuild(array, (field.name,), field, alive, rows, on_leaf)

    def _leaf(self, chunk: Chunk) -> Any:
        """Mask one leaf array, through its dictionary where it has one and every row is alike."""
        leaf, problem = chunk.leaf, ""

        def on_entries(values: Any, where: Any) -> Any:
            entries = dataclasses.replace(chunk, array=values, valid=buffers.flags(values), rows=where)
            return self._values(entries, leaf.output.value_type)

        try:
            if not schema.is_dictionary(leaf.input):
                return self._values(chunk, leaf.output)
            if methods.of(leaf.spec).takes is Takes.NOTHING:
                return buffers.nulls(len(chunk.array), leaf.output)
            if leaf.spec.get("entity") is not None:
                return tree.encode(self._shifted(chunk, leaf.output.value_type), leaf.output)
            return tree.through_dictionary(chunk.array, leaf.output, chunk.valid, chunk.rows, on_entries)
        except OverflowError as error:
            problem = str(error)
        raise chunk.refused(problem)

    def _shifted(self, chunk: Chunk, output: Any) -> Any:
        """Shift a dictionary array row by row; text is parsed entry by entry, as its rows could be far larger."""
        encoded = tree.dictionary_of(chunk.array)
        if encoded is None or schema.kind(chunk.array.type) != "text":
            return self._values(dataclasses.replace(chunk, array=tree.decoded(chunk.array)), output)
        entries, indices = encoded
        if not len(entries):
            return buffers.nulls(len(chunk.array), output)
        days = entity.days(chunk, self.plan.input_schema, self._context(chunk.leaf.key_version))
        masked = date_shift.shifted_texts(chunk.leaf.spec, buffers.text(entries), indices, chunk.valid, days)
        return buffers.from_text(chunk.settled(masked, self._problems).values, output)

    def _values(self, chunk: Chunk, output: Any) -> Any:
        takes = methods.of(chunk.leaf.spec).takes
        if takes is Takes.ARRAYS or schema.kind(chunk.array.type) == "null":
            return buffers.rebuild(chunk.array, chunk.valid)
        if takes is Takes.NOTHING:
            return buffers.nulls(len(chunk.array), output)
        masked = chunk.settled(self._masked(chunk, takes), self._problems)
        match masked.values:
            case Text() as values:
                return self._text_array(chunk, values, output)
            case Fixed() as values:
                return buffers.from_fixed(values, output)
            case values:
                return buffers.from_list(values, output)

    def _masked(self, chunk: Chunk, takes: Takes) -> Masked:
        leaf, context = chunk.leaf, self._context(chunk.leaf.key_version)
        if takes is Takes.DOCUMENTS:
            return fitting(records.masked(chunk, _texts(chunk), self._schedules, self.plan))
        if self.plan.direction != "mask":
            return self._reversed(chunk, context)
        if leaf.spec.get("entity") is not None:
            context = dataclasses.replace(context, days=entity.days(chunk, self.plan.input_schema, context))
        if schema.kind(chunk.array.type) in {"date", "timestamp"}:
            context = dataclasses.replace(
                context, per_day=schema.counts_per_day(chunk.array.type), is_instant=schema.is_instant(chunk.array.type)
            )
        return methods.of(leaf.spec).run(leaf.spec, _read(chunk, takes), context)

    def _reversed(self, chunk: Chunk, context: Context) -> Masked:
        spec = chunk.leaf.spec
        opened = methods.of(spec).reverse(spec, _texts(chunk), context)
        if self.plan.direction == "unmask" or opened.status.any():
            return opened
        again = methods.of(spec).run(spec, opened.values, self._context(self.plan.key_version))
        return Masked(again.values, again.status)

    def _text_array(self, chunk: Chunk, values: Text, output: Any) -> Any:
        """Build the array; an unmasked column is cast back to the type it had."""
        if self.plan.direction == "mask":
            return buffers.from_text(values, output)
        array = buffers.typed(values, output)
        if array is None:
            raise chunk.refused(f"the value is not of type {output}", 0 if len(chunk.rows) else None)
        return array

    def _context(self, version: int) -> Context:
        return Context(self._schedules, version)


def mask(source: Any, plan: MaskPlan, keys: Keyring | None = None, *, threads: int = 1) -> Any:
    """Mask anything with `__arrow_c_stream__` (pyarrow, polars, duckdb, pandas); returns a pyarrow.Table."""
    return _run(source, plan, keys, threads, "mask")


def unmask(source: Any, plan: MaskPlan, keys: Keyring, *, threads: int = 1) -> Any:
    """Reverse the columns that a plan of direction `unmask` covers. One bad value refuses the whole table."""
    return _run(source, plan, keys, threads, "unmask")


def rewrap(source: Any, plan: MaskPlan, keys: Keyring, *, threads: int = 1) -> Any:
    """Move the reversible columns to the plan's key version, without showing a plain value."""
    return _run(source, plan, keys, threads, "rewrap")


def _run(source: Any, plan: MaskPlan, keys: Keyring | None, threads: int, direction: str) -> Any:
    if plan.direction != direction:
        raise PlanRefused(f"the plan is made to {plan.direction}")
    return Masker(plan, keys).table(source, threads=threads)


def _check_sound(name: str, array: Any) -> None:
    if not table.is_sound(array):
        raise ValueRefused("the array is not valid Arrow data", column=name)


def _jobs(columns: list[list[Any]]) -> Iterator[tuple[int, Any, int]]:
    """Each column's chunks with their first row, large ones cut."""
    for number, chunks in enumerate(columns):
        start = 0
        for chunk in chunks:
            for piece in table.pieces(chunk):
                yield number, piece, start
                start += len(piece)


def _read(chunk: Chunk, takes: Takes) -> Text | Fixed | Decimals:
    """Return the values in the form that their method takes."""
    array, valid, kind = chunk.array, chunk.valid, schema.kind(chunk.array.type)
    if takes is Takes.FLAGS:
        return Text(np.zeros(0, np.uint8), ends(np.zeros(valid.size, np.int64)), valid)
    if takes is Takes.VALUES and kind in schema.MACHINE_NUMBERS:
        return Fixed(buffers.fixed(array).values, valid)
    if takes is Takes.VALUES and kind == "decimal":
        values = [value if alive else None for value, alive in zip(array.to_pylist(), valid, strict=True)]
        return Decimals(values, array.type.precision)
    return _texts(chunk)


def _texts(chunk: Chunk) -> Text:
    values = buffers.text(chunk.array)
    return Text(values.data, values.offsets, chunk.valid)

"""Run a plan: for each planned leaf take its buffers, mask them, put them back.

Everything is all or nothing: a value that does not fit raises ValueRefused and nothing
is returned.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from masker import generalize, masks, records
from masker.arrow import buffers, table, tree
from masker.arrow import schema as arrow
from masker.errors import PlanRefused, ValueRefused
from masker.kernels.column import SHORT, UNFIT, Fixed, Flags, Masked, Text, ends, fitting
from masker.keys import Keyring
from masker.leaf import Leaf
from masker.masks import Bench, Days, Work
from masker.path import ITEM, Path, parse
from masker.plan import MaskPlan
from masker.warm import warm

_PROBLEMS = {
    UNFIT: "the value does not fit its mask",
    SHORT: "the value is too short to encrypt (10^6 possible values are the least)",
}
_BROKEN = "the value is no readable token of its domain"


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
        self._local = threading.local()

    def batch(self, batch: Any, *, first_row: int = 0) -> Any:
        """Mask one pyarrow.RecordBatch of the planned schema; rows in errors count from `first_row`."""
        self._check_schema(batch.schema)
        columns = [[column] for column in batch.columns]
        refused: ValueRefused | None = None
        try:
            made = [self._chunk(columns, number, column, 0) for number, column in enumerate(batch.columns)]
            return table.batch(made, self.plan.output_schema, batch.num_rows)
        except ValueRefused as error:
            refused = error
        raise refused.moved(first_row)

    def table(self, source: Any, *, threads: int = 1) -> Any:
        """Mask anything with `__arrow_c_stream__`; a pyarrow.Table with the same chunks comes back.

        A chunk above 256 MiB comes back in pieces, as a 32-bit offset cannot count its tokens.
        """
        whole = table.read(source)
        self._check_schema(whole.schema)
        columns = [column.chunks for column in whole.columns]
        jobs = list(_jobs(columns))
        if threads > 1:
            with ThreadPoolExecutor(threads) as pool:
                made = list(pool.map(lambda job: self._chunk(columns, *job), jobs))
        else:
            made = [self._chunk(columns, *job) for job in jobs]
        grouped: list[list[Any]] = [[] for _ in columns]
        for (number, _, _), array in zip(jobs, made, strict=True):
            grouped[number].append(array)
        return table.build(grouped, self.plan.output_schema, whole.num_rows)

    def warm(self) -> None:
        """Compile the plan's kernels."""
        warm(self.plan, self._keys)

    @property
    def _bench(self) -> Bench:
        """A cipher context belongs to one thread."""
        if not hasattr(self._local, "bench"):
            self._local.bench = Bench(self._keys)
        return self._local.bench  # type: ignore[no-any-return]

    def _check_schema(self, schema: Any) -> None:
        if not table.same_columns(schema, self.plan.input_schema):
            raise PlanRefused("the table has other columns than the plan")

    def _chunk(self, columns: list[list[Any]], number: int, array: Any, start: int) -> Any:
        """Mask one chunk of a top-level column; `start` is its first row."""
        field = self.plan.output_schema.field(number)
        if not table.is_sound(array):
            raise ValueRefused("the array is not valid Arrow data", column=field.name)
        rows = np.arange(start, start + len(array))
        alive = np.ones(len(array), np.bool_)

        def on_leaf(path: Path, values: Any, valid: Flags, where: Any) -> Any:
            return self._leaf(self._leaves[path], values, valid, where, columns)

        return tree.rebuild(array, (field.name,), field, alive, rows, on_leaf)

    def _leaf(self, leaf: Leaf, array: Any, valid: Flags, rows: Any, columns: list[list[Any]]) -> Any:
        """Mask one leaf array, through its dictionary where it has one and every row is alike."""
        problem = ""

        def on_entries(values: Any, where: Any) -> Any:
            return self._values(leaf, values, buffers.flags(values), where, leaf.output.value_type, columns)

        try:
            if not arrow.is_dictionary(leaf.input):
                return self._values(leaf, array, valid, rows, leaf.output, columns)
            if leaf.spec.mask == "nullify":
                return buffers.nulls(len(array), leaf.output)
            plain = leaf.output.value_type
            if leaf.spec.mask == "date_shift":
                return tree.encode(self._shifted(leaf, array, valid, rows, plain, columns), leaf.output)
            return tree.through_dictionary(array, leaf.output, valid, rows, on_entries)
        except OverflowError as error:
            problem = str(error)
        raise ValueRefused(problem, column=leaf.column, rule=leaf.rule)

    def _shifted(self, leaf: Leaf, array: Any, valid: Flags, rows: Any, plain: Any, columns: list[list[Any]]) -> Any:
        """Shift a dictionary array row by row; text is parsed entry by entry, as its rows could be far larger."""
        encoded = tree.dictionary_of(array)
        if encoded is None or arrow.kind(array.type) != "text":
            return self._values(leaf, tree.decoded(array), valid, rows, plain, columns)
        entries, indices = encoded
        if not len(entries):
            return buffers.nulls(len(array), plain)
        days = self._days(leaf, columns, rows)
        masked = masks.shift_texts(leaf.spec, buffers.text(entries), indices, valid, days)
        return buffers.from_text(_settled(leaf, masked, valid, rows, _PROBLEMS).values, plain)

    def _values(self, leaf: Leaf, array: Any, valid: Flags, rows: Any, output: Any, columns: list[list[Any]]) -> Any:
        spec, kind = leaf.spec, arrow.kind(array.type)
        if spec.mask in {"clear", "keep"} or kind == "null":
            return buffers.rebuild(array, valid)
        if spec.mask == "nullify":
            return buffers.nulls(len(array), output)
        if spec.mask == "redact":
            return buffers.from_text(masks.mask_text(spec, _nothing(valid), self._work(leaf)).values, output)
        if spec.mask == "generalize" and kind == "decimal":
            return self._decimals(leaf, array, valid, rows, output)
        masked = self._masked(leaf, array, kind, valid, rows, columns)
        masked = _settled(
            leaf,
            masked,
            valid,
            rows,
            _PROBLEMS if self.plan.direction == "mask" else {UNFIT: _BROKEN, SHORT: _BROKEN},
        )
        if isinstance(masked.values, Text):
            return self._text_array(leaf, masked.values, rows, output)
        return buffers.from_fixed(masked.values, output)

    def _masked(self, leaf: Leaf, array: Any, kind: str, valid: Flags, rows: Any, columns: list[list[Any]]) -> Masked:
        spec = leaf.spec
        if spec.mask == "json":
            return self._json(leaf, array, valid, rows)
        if self.plan.direction != "mask":
            return self._reversed(leaf, _with(buffers.text(array), valid))
        days = self._days(leaf, columns, rows) if spec.mask == "date_shift" else None
        if kind in {"date", "timestamp"}:
            fixed = Fixed(buffers.fixed(array).values, valid)
            per_day = arrow.counts_per_day(array.type)
            return masks.shift_dates(fixed, per_day, days) if days else generalize.dates_masked(spec, fixed, per_day)
        if spec.mask == "generalize" and kind in {"integer", "float"}:
            return generalize.numbers_masked(spec, Fixed(buffers.fixed(array).values, valid))
        return masks.mask_text(spec, _with(buffers.text(array), valid), self._work(leaf, days))

    def _reversed(self, leaf: Leaf, values: Text) -> Masked:
        opened = masks.unmask_text(leaf.spec, values, self._work(leaf))
        if self.plan.direction == "unmask" or opened.status.any():
            return opened
        again = masks.mask_text(leaf.spec, opened.values, Work(self._bench, self.plan.key_version))
        return Masked(again.values, again.status)

    def _text_array(self, leaf: Leaf, values: Text, rows: Any, output: Any) -> Any:
        """Build the array; an unmasked column is cast back to the type it had."""
        if self.plan.direction == "mask":
            return buffers.from_text(values, output)
        array = buffers.typed(values, output)
        if array is None:
            raise ValueRefused(f"the value is no {output}", column=leaf.column, row=_first(rows), rule=leaf.rule)
        return array

    def _decimals(self, leaf: Leaf, array: Any, valid: Flags, rows: Any, output: Any) -> Any:
        numbers = [value if alive else None for value, alive in zip(array.to_pylist(), valid, strict=True)]
        made, status = generalize.decimals_masked(leaf.spec, numbers, array.type.precision)
        _settled(leaf, Masked(None, status), valid, rows, _PROBLEMS)
        return buffers.from_list(made, output)

    def _json(self, leaf: Leaf, array: Any, valid: Flags, rows: Any) -> Masked:
        values = _with(buffers.text(array), valid)
        return fitting(records.masked(leaf, values, rows, self._bench, self.plan))

    def _days(self, leaf: Leaf, columns: list[list[Any]], rows: Any) -> Days:
        """Return the shift at each of `rows`, from the entity's column."""
        steps = parse(leaf.spec["entity"]) or (leaf.spec["entity"],)
        if not rows.size:
            return np.zeros(0, np.int64), np.zeros(0, np.bool_)
        low, high = int(rows[0]), int(rows[-1]) + 1
        number = self.plan.input_schema.get_field_index(steps[0])
        parts = [self._entity(leaf, part, steps[1:]) for part in table.between(columns[number], low, high)]
        shift, known = parts[0] if len(parts) == 1 else (np.concatenate(each) for each in zip(*parts, strict=True))
        every = ITEM not in leaf.path and high - low == rows.size  # in lists rows repeat and are left out
        return (shift, known) if every else (shift[rows - low], known[rows - low])

    def _entity(self, leaf: Leaf, array: Any, steps: Path) -> Days:
        values, valid = tree.descend(array, steps)
        encoded = tree.dictionary_of(values)
        if arrow.kind(values.type) == "integer" and encoded is None:
            numbers = Fixed(buffers.fixed(values).values, valid)
            return masks.entity_days(leaf.spec, numbers, self._work(leaf))
        if encoded is None:
            return masks.entity_days(leaf.spec, _with(buffers.text(values), valid), self._work(leaf))
        entries, indices = encoded
        if not len(entries):
            return np.zeros(len(array), np.int64), np.zeros(len(array), np.bool_)
        shift, known = masks.entity_days(leaf.spec, buffers.text(entries), self._work(leaf))
        return shift[indices], known[indices] & valid

    def _work(self, leaf: Leaf, days: Days | None = None) -> Work:
        return Work(self._bench, leaf.key_version, days)


def mask(source: Any, plan: MaskPlan, keys: Keyring | None = None, *, threads: int = 1) -> Any:
    """Mask anything with `__arrow_c_stream__` (pyarrow, polars, duckdb, pandas); returns a pyarrow.Table."""
    return _run(source, plan, keys, threads, "mask")


def unmask(source: Any, plan: MaskPlan, keys: Keyring, *, threads: int = 1) -> Any:
    """Reverse what a plan of direction `unmask` covers; one bad value refuses all."""
    return _run(source, plan, keys, threads, "unmask")


def rewrap(source: Any, plan: MaskPlan, keys: Keyring, *, threads: int = 1) -> Any:
    """Move the reversible columns to the plan's key version; no plaintext leaves."""
    return _run(source, plan, keys, threads, "rewrap")


def _run(source: Any, plan: MaskPlan, keys: Keyring | None, threads: int, direction: str) -> Any:
    if plan.direction != direction:
        raise PlanRefused(f"the plan is one to {plan.direction}")
    return Masker(plan, keys).table(source, threads=threads)


def _jobs(columns: list[list[Any]]) -> Iterator[tuple[int, Any, int]]:
    """Each column's chunks with their first row, large ones cut."""
    for number, chunks in enumerate(columns):
        start = 0
        for chunk in chunks:
            for piece in table.pieces(chunk):
                yield number, piece, start
                start += len(piece)


def _settled(leaf: Leaf, masked: Masked, valid: Flags, rows: Any, problems: dict[int, str]) -> Masked:
    """Refuse what did not fit, unless policy makes it null."""
    if not masked.status.any():
        return masked
    spec = leaf.spec
    allowed = {UNFIT} if spec.unfit == "null" else set()
    allowed |= {SHORT} if spec.mask == "fpe" and spec["on_short"] == "null" else set()
    wrong = valid & (masked.status > 0) & ~np.isin(masked.status, list(allowed))
    if wrong.any():
        first = int(np.argmax(wrong))
        raise ValueRefused(
            problems[int(masked.status[first])], column=leaf.column, row=int(rows[first]), rule=leaf.rule
        )
    return masked


def _with(values: Text, valid: Flags) -> Text:
    return Text(values.data, values.offsets, valid)


def _nothing(valid: Flags) -> Text:
    return Text(np.zeros(0, np.uint8), ends(np.zeros(valid.size, np.int64)), valid)


def _first(rows: Any) -> int | None:
    return int(rows[0]) if len(rows) else None

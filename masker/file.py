"""Mask, unmask or rewrap a whole file in bounded memory."""

import dataclasses
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any

from masker import records
from masker.arrow.formats import PIPE, USUAL, Layout
from masker.arrow.sinks import Sink
from masker.arrow.sources import Source
from masker.errors import FileRefused
from masker.keys import Keyring
from masker.plan import MaskPlan
from masker.run import Masker


def run(
    source: Source,
    target: str,
    plan: MaskPlan,
    keys: Keyring | None,
    layout: Layout = USUAL,
    *,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Stream a source through a plan into `target` (a path or `-`); returns the number of rows.

    1. `target` appears when all of it is written, and not before.
    2. `progress` is called after each batch, with the number of rows so far.
    3. As many rows go out as came in; another number is an error.
    """
    masker = Masker(plan, keys)
    rows = 0
    with sink_of(source, target, plan.output_schema, layout) as sink:
        for batch in source.batches():
            sink.write(masker.sound_batch(batch, first_row=rows))
            rows += batch.num_rows
            if progress:
                progress(rows)
        require_rows(rows, sink.rows)
    return rows


def sink_of(source: Source, target: str, output_schema: Any, layout: Layout = USUAL) -> Sink:
    """Return the output of a source: what its name does not say is as in the source."""
    is_piped = target == PIPE
    return Sink(
        target,
        output_schema,
        source.form if is_piped else "",
        codec=source.codec or "zstd",
        delimiter=source.delimiter if is_piped else layout.delimiter,
        mark=source.mark,
        has_line_ends=source.has_line_ends,
    )


def require_rows(read: int, written: int) -> None:
    """Raise FileRefused unless as many rows were written as were read."""
    if read != written:
        raise FileRefused(f"{read:,} rows were read and {written:,} written; nothing of it may be used")


def from_row(source: Source, row: int) -> Source:
    """Return the source without the rows before `row`, which counts from 0."""

    def rest() -> Iterator[Any]:
        before = row
        for batch in source.batches():
            if before < batch.num_rows:
                yield batch.slice(before)
            before = max(before - batch.num_rows, 0)

    return (
        dataclasses.replace(source, batches=rest, rows=source.rows and source.rows - row, mark=b"") if row else source
    )


def record_paths(source: Source) -> tuple[list[str], Source]:
    """Return the leaf paths of the first batch of a source of records, and the source with that batch put back.

    A plan made from these paths has no mask for a path that only occurs later, so such a path fails the run.
    """
    batches = source.batches()
    first = list(islice(batches, 1))
    paths = records.leaf_paths(chain.from_iterable(_documents(batch) for batch in first))
    return paths, dataclasses.replace(source, batches=lambda: chain(first, batches))


def all_record_paths(source: Source) -> list[str]:
    """Return the leaf paths of all records of a source, which is read to its end."""
    return records.leaf_paths(chain.from_iterable(_documents(batch) for batch in source.batches()))


def _documents(batch: Any) -> list[str]:
    return batch.column(0).to_pylist()  # type: ignore[no-any-return]

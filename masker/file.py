"""Mask, unmask or rewrap a whole file in bounded memory."""

import dataclasses
from collections.abc import Callable
from itertools import chain, islice
from typing import Any

from masker import records
from masker.arrow.sinks import Sink
from masker.arrow.sources import Source
from masker.keys import Keyring
from masker.plan import MaskPlan
from masker.run import Masker


def run(
    source: Source,
    target: str,
    plan: MaskPlan,
    keys: Keyring | None,
    *,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Stream a source through a plan into `target` (a path or `-`); returns the rows.

    Nothing of `target` exists before all of it does. `progress` gets the rows so far.
    """
    masker = Masker(plan, keys)
    rows = 0
    with Sink(target, plan.output_schema, source.form if target == "-" else "", codec=source.codec or "zstd") as sink:
        for batch in source.batches():
            sink.write(masker.batch(batch, first_row=rows))
            rows += batch.num_rows
            if progress:
                progress(rows)
    return rows


def record_paths(source: Source) -> tuple[list[str], Source]:
    """Return the leaf paths of the first batch of a JSON Lines source, and the source as it was.

    A path first seen later has no mask in a plan made from these, so it fails the run.
    """
    batches = source.batches()
    first = list(islice(batches, 1))
    paths = records.leaf_paths(chain.from_iterable(_documents(batch) for batch in first))
    return paths, dataclasses.replace(source, batches=lambda: chain(first, batches))


def _documents(batch: Any) -> list[str]:
    return batch.column(0).to_pylist()  # type: ignore[no-any-return]

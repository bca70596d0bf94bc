"""The functions that Spark sends to its executors and calls there once for each part."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pdp.arrow.table import Batch, Schema
from pdp.spark.columns import named
from pdp.spark.part import PartStream, Way
from pdp.spark.tally import Tally

Parts = Callable[[Iterable[Batch]], Iterator[Batch]]
"""What `DataFrame.mapInArrow` takes."""


def streaming(way: Way, table: str, schema: Schema, told: Any) -> Parts:
    """Parts that stream through the server; each tells the accumulator `told` that it ended."""

    def masked(batches: Iterable[Batch]) -> Iterator[Batch]:
        place, rows = _place(), 0
        for batch in PartStream(way, table, *place).masked(named(batches, schema)):
            rows += batch.num_rows
            yield batch
        if rows:
            told.add(Tally({place: rows}))

    return masked


def keyed(sealed: Any, keys: str, table: str, schema: Schema, told: Any) -> Parts:
    """Parts that are masked where they are, with the key file `keys`; `sealed` is a broadcast of `Sealed`."""

    def masked(batches: Iterable[Batch]) -> Iterator[Batch]:
        from pdp.spark import keyed_part

        for made in keyed_part.masked(sealed.value, keys, table, _place(), named(batches, schema)):
            if not isinstance(made, Tally):
                yield made
            elif any(made.attempts.values()):
                told.add(made)

    return masked


def _place() -> tuple[int, int]:
    """The part and the attempt that Spark runs here."""
    from pyspark import TaskContext

    context: Any = TaskContext.get()
    return context.partitionId(), context.taskAttemptId()

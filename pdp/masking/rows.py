"""What is masked: a table, or JSON records as a table of one column."""

from collections.abc import Sequence
from dataclasses import dataclass

import masker
from masker.arrow.schema import NESTED, kind, walk
from masker.path import parse, render
from pdp.arrow.table import Batch, Schema
from pdp.errors import InvalidRequest
from pdp.masking.question import Column
from pdp.masking.refusals import refusals


@dataclass(frozen=True, slots=True)
class Shape:
    """The schema of a table; of JSON records also their leaf paths, which stand in one column."""

    schema: Schema
    paths: tuple[str, ...] | None = None

    @classmethod
    def of_records(cls, paths: Sequence[str], field: str) -> "Shape":
        """JSON records with these leaf paths. Raises `InvalidRequest` that names the path below `field`."""
        for index, path in enumerate(paths):
            if parse(path) is None:
                raise InvalidRequest.field(f"{field}[{index}]", 'is not a leaf path; write a.b, a[] or ["odd.key"]')
        return cls(masker.record_table([]).schema, tuple(paths))

    @property
    def columns(self) -> list[Column]:
        """What the policy is asked about."""
        return _columns(self.schema) if self.paths is None else [Column(path, "json") for path in self.paths]


@dataclass(frozen=True, slots=True)
class Rows:
    """Inline data: the rows of a table, or JSON records as a batch of one column."""

    shape: Shape
    batch: Batch

    @classmethod
    def of_records(cls, records: Sequence[str]) -> "Rows":
        """Parse JSON records; raises `ValueRefused` that names the record."""
        with refusals():
            paths = tuple(masker.leaf_paths(records))
            whole = masker.record_table(records)
        batches = whole.combine_chunks().to_batches()
        batch = batches[0] if batches else masker.record_table([""]).to_batches()[0].slice(0, 0)
        return cls(Shape(whole.schema, paths), batch)


def _columns(schema: Schema) -> list[Column]:
    """Every column of a table, each before those below it."""
    return [
        Column(
            render(path),
            str(field.type),
            kind(field.type) not in NESTED,
            tuple(render(path[:length]) for length in range(1, len(path))),
        )
        for path, field in walk(schema)
    ]

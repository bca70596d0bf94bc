"""What is masked: a table, or JSON records as a table of one column."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import masker
from masker.arrow.schema import NESTED, kind, walk
from masker.path import Path, parse, plainly, render
from pdp.arrow.table import Batch, Schema
from pdp.bad_fields import MAX_NAMED
from pdp.errors import InvalidRequest
from pdp.masking.question import MAX_COLUMNS, Column
from pdp.masking.refusals import refusals


@dataclass(frozen=True, slots=True)
class Shape:
    """The schema of a table; of JSON records also their leaf paths, which stand in one column."""

    schema: Schema
    paths: tuple[str, ...] | None = None

    def within(self, field: str) -> "Shape":
        """The shape itself; `InvalidRequest` if it has too many columns."""
        found = walk(self.schema) if self.paths is None else self.paths
        if next(islice(found, MAX_COLUMNS, None), None) is not None:
            raise InvalidRequest.field(field, f"has more than {MAX_COLUMNS} columns; mask the table in parts")
        return self

    @classmethod
    def of_records(cls, paths: Sequence[str], field: str) -> "Shape":
        """JSON records with these leaf paths. Raises `InvalidRequest` that names the path below `field`."""
        bad = (f"{field}[{index}]" for index, path in enumerate(paths) if parse(path) is None)
        if named := list(islice(bad, MAX_NAMED)):
            raise InvalidRequest.fields([(name, 'is not a leaf path; write a.b, a[] or ["odd.key"]') for name in named])
        return cls(masker.record_table([]).schema, tuple(paths))

    @property
    def width(self) -> int:
        """About how many columns there are: those inside of others are not counted."""
        return len(self.schema if self.paths is None else self.paths)

    @property
    def columns(self) -> list[Column]:
        """What the policy is asked about: every column of a table, each before those below it, or every path."""
        if self.paths is not None:
            named = {path: parse(path) or () for path in self.paths}
            also = _also(named)
            return [Column(path, "json", also=also.get(path, ())) for path in self.paths]
        found = list(walk(self.schema))
        also = _also({render(path): path for path, _ in found})
        return [
            Column(
                render(path),
                str(field.type),
                kind(field.type) not in NESTED,
                tuple(name for around in _around(path) for name in (around, *also.get(around, ()))),
                also.get(render(path), ()),
            )
            for path, field in found
        ]

    def path_of(self, name: str) -> str:
        """The path of the column that is written so; the name itself where there is none."""
        return next((column.name for column in self.columns if name in column.also), name)


def _around(path: Path) -> list[str]:
    return [render(path[:length]) for length in range(1, len(path))]


def _also(paths: Mapping[str, Path]) -> dict[str, tuple[str, ...]]:
    """How else each path may be written."""
    plain = {name: plainly(path) for name, path in paths.items()}
    times = Counter(plain.values())
    return {name: (text,) for name, text in plain.items() if text not in paths and times[text] == 1}


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

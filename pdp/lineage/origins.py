"""From which columns of which datasets a column of a resource has its values. Pure.

1. A column comes from all datasets of the resource that list it, by itself or in a column around it.
2. A dataset that lists no columns may have it. Of one that lists others alone, and of a folder, what is said of it as a
   whole counts: then the column comes from all that is in there.
3. A column that nothing lists is a new one of the resource's datasets. In a folder it comes from all that is in there,
   and from the column of a dataset that stands for the resource, which nobody has classified.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pdp.lineage.fact import Dataset
from pdp.lineage.name import folded

EVERYTHING = "*"
"""How an event names all columns of a dataset."""
_LEVELS = 16
"""Columns around a nested one that are looked for."""
Place = tuple[Dataset, str]
"""A dataset and a column of it, or `EVERYTHING`."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A dataset of a resource, under all its names. `columns` are its columns by their folded names.

    `is_own` is one that the resource itself stands for, and not only something that lies below. `is_tagged` says that
    it has tags as a whole.
    """

    dataset: Dataset
    columns: Mapping[str, Sequence[Place]] = field(default_factory=dict)
    is_own: bool = True
    is_folder: bool = False
    is_tagged: bool = False


@dataclass(frozen=True, slots=True)
class Origins:
    """The datasets of a resource, and `stand_in`, which stands for it where none is known."""

    stand_in: Dataset
    each: Sequence[Origin] = ()

    @property
    def datasets(self) -> list[Dataset]:
        """What the resource stands for."""
        return [one.dataset for one in self.each if one.is_own] or [self.stand_in]

    @property
    def columns(self) -> list[str]:
        """All columns, by their folded names; empty where a dataset lists none."""
        if any(not one.columns and not one.is_folder for one in self.each):
            return []
        return sorted({name for one in self.each for name in one.columns})

    def of(self, column: str) -> list[Place]:
        """Where a column comes from, at least one place."""
        name = folded(column)
        found = dict.fromkeys(place for one in self.each for place in _listed(one, column))
        if not any(name in one.columns for one in self.each):
            found |= dict.fromkeys(self._new(column))
        return list(found)

    def _new(self, column: str) -> Iterator[Place]:
        own = [one for one in self.each if one.is_own]
        yield from ((one.dataset, EVERYTHING if one.is_folder else column) for one in own)
        if any(one.is_folder for one in own) or not own:
            yield self.stand_in, column


def _listed(one: Origin, column: str) -> Iterator[Place]:
    """The places of a dataset in which a column lies."""
    name = folded(column)
    parts = name.split(".", _LEVELS)
    for length in range(len(parts), 0, -1):
        yield from one.columns.get(".".join(parts[:length]), ())
    if name in one.columns:
        return
    if not one.columns and not one.is_folder:
        yield one.dataset, column
    elif one.is_tagged:
        yield one.dataset, EVERYTHING

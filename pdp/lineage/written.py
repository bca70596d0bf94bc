"""What an event says of its outputs, compared with its inputs.

1. A column that no facet names gets every tag of every input; so does every column where there is no usable facet.
2. Where a facet names a dataset that the event does not list, and no column names one of the inputs, then facet and
   inputs disagree: all columns get every tag of every input. What facets name is an input of the run in any case.
3. So it is where an output has no schema, which would say what its facet leaves out, and no column names an input.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pdp.lineage.column_facet import Columns
from pdp.lineage.fact import Dataset, Edge, Output
from pdp.lineage.reading import Reading, covers


@dataclass
class Written:
    """An output. `facet` is what its facets say, None where none is usable; `edges` are others, to all its columns."""

    dataset: Dataset
    columns: dict[str, None] = field(default_factory=dict)
    facet: Columns | None = None
    edges: dict[Edge, None] = field(default_factory=dict)
    replaces: bool = False

    def again(self, other: "Written") -> None:
        """The same output, listed once more: a column is named where both name it."""
        self.columns.update(other.columns)
        self.edges.update(other.edges)
        self.replaces = self.replaces and other.replaces
        if self.facet is None or other.facet is None:
            self.facet = None
            return
        fewer, more = sorted((self.facet.named, other.facet.named), key=len)
        self.facet.add(other.facet)
        self.facet.named = {column: None for column in fewer if column in more}

    def entry(self, other: "Written") -> None:
        """What an entry of a job or a run says of the output beside its own facets."""
        self.facet = self.facet or Columns()
        self.facet.add(other.facet or Columns())
        self.edges.update(other.edges)


def outputs(
    written: Iterable[Written], inputs: Mapping[Dataset, None], names: Mapping[Dataset, Dataset], reading: Reading
) -> Sequence[Output]:
    """The outputs of an event. `names` are other names of its inputs, each with the input."""
    written = list(written)
    facets = [one.facet for one in written if one.facet]
    by_field = [found for facet in facets for found in _known(facet.by_field, inputs, names)]
    strangers = {source for facet in facets for source in _strangers(facet, inputs, names)}
    is_partial = bool(inputs.keys() - set(by_field))
    if disagrees := is_partial and bool(strangers):
        reading.note("event", "has a facet and inputs that disagree; all columns get every tag of every input")
    return [_output(one, reading, is_tainted=disagrees or (is_partial and not one.columns)) for one in written]


def _output(one: Written, reading: Reading, *, is_tainted: bool) -> Output:
    facet = one.facet or Columns()
    is_complete = reading.writer.facet_is_complete and one.facet is not None and not facet.made
    return Output(
        one.dataset,
        columns=tuple({**one.columns, **{column: None for column in facet.made if column}}),
        named=None if one.facet is None else tuple(column for column in facet.named if column not in facet.made),
        edges=tuple({**facet.edges, **one.edges}),
        is_complete=is_complete,
        is_tainted=is_tainted and one.facet is not None,
        replaces=one.replaces,
    )


def _strangers(facet: Columns, inputs: Mapping[Dataset, None], names: Mapping[Dataset, Dataset]) -> Iterable[Dataset]:
    """Datasets that a facet names and the event does not list."""
    return (
        source
        for source in (*facet.by_field, *facet.others)
        if covers(inputs, source) is None and covers(names, source) is None
    )


def _known(
    sources: Iterable[Dataset], inputs: Mapping[Dataset, None], names: Mapping[Dataset, Dataset]
) -> Iterable[Dataset]:
    """The inputs that these sources are, also by another name or as something that lies in a folder."""
    for source in sources:
        if (found := covers(inputs, source)) is not None:
            yield found
        if (found := covers(names, source)) is not None:
            yield names[found]

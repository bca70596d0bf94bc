"""Whether what the events of a run list and what their column facets name fit together: each two of its events.

1. The inputs of two events are those that either of them lists.
2. A facet disagrees with them where it names a dataset that is not among them, and leaves out one that is. Then all
   outputs with such a facet get every tag of every input of the run.
3. An output without a schema, which would say what its facet leaves out, gets them where its event lists no inputs and
   the facet leaves out one of the other event.
4. Each two events are compared, so that one that comes later takes no tag away. Where a run has more different lists or
   facets than `MANY`, its facets count as disagreeing.

What one event says by itself was compared when it was read (`written`).
"""

from collections.abc import Iterable, Iterator, Sequence

from pdp.lineage.column_facet import JOB
from pdp.lineage.fact import Dataset, Event
from pdp.lineage.ledger import Facets, Inputs, Run
from pdp.lineage.name import above
from pdp.lineage.nodes import Nodes

MANY = 256
"""Different lists of inputs, and different facets, of one run that are compared."""
SYMLINK = "SYMLINK"
"""How an edge says that it is another name of the output, and of no facet."""
Disagreeing = tuple[Facets, int, Sequence[int]]
"""Facets, their time, and the outputs that get everything."""


def listed(nodes: Nodes, event: Event) -> Inputs:
    """The inputs that an event lists, under all of their names."""
    inputs = {nodes.dataset(one) for one in event.inputs}
    names = [(nodes.dataset(other), nodes.dataset(one)) for one, other in event.aliases if nodes.dataset(one) in inputs]
    return tuple(sorted({*((one, one) for one in inputs), *names}))


def facets_of(nodes: Nodes, event: Event, job: int) -> Facets | None:
    """What its facets say; None where it has none."""
    outputs = [one for one in event.outputs if one.named is not None]
    if not outputs:
        return None
    edges = [edge for one in outputs for edge in one.edges if edge.how != SYMLINK]
    named = [(edge.source, edge.column) for edge in edges if not edge.source.namespace.startswith(JOB)]
    return Facets(
        job,
        listed(nodes, event),
        _numbers(nodes, (source for source, column in named if column)),
        _numbers(nodes, (source for source, column in named if not column)),
        _numbers(nodes, (one.dataset for one in outputs)),
        _numbers(nodes, (one.dataset for one in outputs if not one.columns)),
    )


def disagreeing(nodes: Nodes, run: Run, inputs: Inputs, facets: Facets | None, time: int) -> Iterator[Disagreeing]:
    """The facets that disagree with what an event of a run brings, which is kept for the events that come."""
    is_new, were_many = inputs not in run.lists, _are_many(run)
    if is_new and len(run.lists) <= MANY:
        run.lists.add(inputs)
    if facets and (facets in run.facets or len(run.facets) <= MANY):
        run.facets[facets] = max(time, run.facets.get(facets, time))
    if _are_many(run):
        new = {facets: time} if facets else {}
        yield from ((one, at, one.outputs) for one, at in (new if were_many else {**new, **run.facets}).items())
        return
    for one, at in run.facets.items():
        for several in run.lists if one == facets else [inputs] if is_new else []:
            if outputs := _tainted(nodes, several, one):
                yield one, at, outputs


def _are_many(run: Run) -> bool:
    return len(run.lists) > MANY or len(run.facets) > MANY


def _tainted(nodes: Nodes, inputs: Inputs, facets: Facets) -> Sequence[int]:
    """The outputs that get everything, because of inputs that another event lists."""
    known = dict((*facets.inputs, *inputs))
    if len(known) == len(facets.inputs):
        return ()
    found = {source: _covered(nodes, known, source) for source in (*facets.by_column, *facets.others)}
    is_partial = bool(set(known.values()) - {found[source] for source in facets.by_column})
    if is_partial and None in found.values():
        return facets.outputs
    return facets.bare if is_partial and not facets.inputs else ()


def _numbers(nodes: Nodes, datasets: Iterable[Dataset]) -> tuple[int, ...]:
    return tuple(sorted({nodes.dataset(one) for one in datasets}))


def _covered(nodes: Nodes, known: dict[int, int], source: int) -> int | None:
    """The input that a dataset is, also by another name or as something in a folder."""
    name = nodes.datasets[source]
    around = (nodes.numbers.get(one) for one in (name, *above(name)))
    return next((known[one] for one in around if one in known), None)

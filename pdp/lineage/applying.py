"""What each kind of fact does to the structure."""

from collections.abc import Callable, Mapping
from typing import Any

from pdp.lineage import fact
from pdp.lineage.declarations import declare, reconsider
from pdp.lineage.disagreement import facets_of, listed
from pdp.lineage.edges import ALWAYS
from pdp.lineage.ending import end_edge
from pdp.lineage.fact import Classified, Clock, Declassified, Event, Output, Rules, Source, Tagged, Tagging
from pdp.lineage.inflow import covered
from pdp.lineage.ledger import Asserted, Flows, Problem, Sighting, Stop
from pdp.lineage.nodes import ALL, BASE
from pdp.lineage.structure import Said, Structure
from pdp.lineage.tag_bits import WAYS


def apply(structure: Structure, entry: fact.Fact) -> None:
    """Add one fact, after all facts before it in the log."""
    structure.clock = max(structure.clock, entry.at)
    _KINDS[type(entry)](structure, entry)


def _event(structure: Structure, event: Event) -> None:
    ledger = structure.ledger
    ledger.sightings.append(Sighting(event.run, event.by, event.at, event.event))
    time = ALWAYS if event.event_time is None else event.event_time
    job = ledger.job(event.job)
    for name, columns in event.schemas.items():
        structure.columns(structure.dataset(name), columns)
    said = Flows(dict.fromkeys(map(structure.dataset, event.inputs), time))
    for output in event.outputs:
        _output(structure, event, output, said, job, time)
    if event.run:
        nodes = structure.nodes
        wrote = frozenset(nodes.dataset(one.dataset) for one in event.outputs)
        facets = facets_of(nodes, event, job)
        structure.run(event.run, event.at, Said(job, time, said, wrote, listed(nodes, event), facets))
    else:
        structure.spread(said)
    _marks(structure, event)


def _output(structure: Structure, event: Event, output: Output, said: Flows, job: int, time: int) -> None:
    dataset, who = structure.dataset(output.dataset), structure.who(event.run)
    structure.columns(dataset, output.columns)
    if output.replaces and event.job and time != ALWAYS:
        structure.replace(job, dataset, time)
    for edge in output.edges:
        source = structure.dataset(edge.source)
        said.inputs[source] = time
        src, dst = structure.source(source, edge.source_column), structure.column(dataset, edge.column)
        if not structure.is_over(src, dst, who):
            structure.see(src, dst, WAYS[edge.way], job, time, structure.ledger.how(edge.how))
        structure.touched.add(dataset)
        if event.classifies and source != dataset:  # what feeds on itself says nothing of what is in it
            declare(structure, dst, event.by, event.at)
    said.targets.update(((target, job), time) for target in _coarse(structure, dataset, output))


def _coarse(structure: Structure, dataset: int, output: Output) -> list[int]:
    """The nodes that get every tag of every input."""
    if output.named is None or output.is_tainted:
        return [structure.nodes.first[dataset] + BASE]
    if output.is_complete:
        return []
    known = {*output.named, *(edge.column for edge in output.edges)}
    return structure.columns(dataset, [column for column in output.columns if column not in known])


def _marks(structure: Structure, event: Event) -> None:
    for one, other in event.aliases:
        _link(structure, one, other)
    for tagging in event.tags:
        what = Asserted(event.at, tagging.confidence, event.reason, event.event)
        node = structure.assert_tag(tagging, Source.EVENT, event.by, what)
        if event.classifies:
            declare(structure, node, event.by, event.at)
    for path, sentence in event.problems:
        structure.ledger.problems[Problem(event.job or ("", ""), path, sentence)] = (event.event, event.at)


def _link(structure: Structure, one: fact.Dataset, other: fact.Dataset) -> None:
    first, second = structure.nodes.dataset(one), structure.nodes.dataset(other)
    if first != second:
        is_new = second not in structure.nodes.joined[first]
        structure.nodes.join(first, second)
        structure.parted.update((first, second))
        if is_new:
            reconsider(structure, first)


def _tagged(structure: Structure, entry: Tagged) -> None:
    what = Asserted(entry.at, entry.tagging.confidence, entry.reason)
    node = structure.assert_tag(entry.tagging, entry.source, entry.by, what)
    declare(structure, node, entry.by, entry.at, entry.names)


def _classified(structure: Structure, entry: Classified) -> None:
    dataset = structure.dataset(entry.dataset)
    for column, tags in entry.columns.items():
        for tag in tags:
            what = Asserted(entry.at, None, entry.reason)
            structure.assert_tag(Tagging(entry.dataset, column, tag), Source.PERSON, entry.by, what)
        declare(structure, structure.column(dataset, column), entry.by, entry.at, entry.names)


def _untagged(structure: Structure, entry: fact.Untagged) -> None:
    node = structure.nodes.find(entry.dataset, entry.column, BASE)
    if node is not None:
        structure.withdraw_tag(node, entry.tag)


def _edge_ended(structure: Structure, entry: fact.EdgeEnded) -> None:
    src = structure.nodes.find(entry.source, entry.source_column, ALL)
    dst = structure.nodes.find(entry.dataset, entry.column, BASE)
    if src is not None and dst is not None:
        structure.edges.flush()
        end_edge(structure, src, dst)


def _unlinked(structure: Structure, entry: fact.Unlinked) -> None:
    one, other = (structure.nodes.numbers.get(name) for name in (entry.one, entry.other))
    if one is not None and other is not None and structure.nodes.part(one, other):
        structure.parted.update((one, other))
        structure.lowered.update(node for ends in structure.nodes.shared(one, other) for node in ends)
        for parted in (one, other):
            reconsider(structure, parted)


def _declassified(structure: Structure, entry: Declassified) -> None:
    node = structure.nodes.find(entry.dataset, entry.column, BASE)
    if node is None:
        return
    structure.edges.flush()
    edges = covered(structure, node, entry.edges)
    stop = Stop(edges, entry.until, entry.by, entry.at, entry.reason)
    structure.ledger.stops.setdefault((node, entry.tag), []).append(stop)
    structure.lowered.add(node)


def _rules(structure: Structure, entry: Rules) -> None:
    if structure.tags.rules != entry.tags:
        structure.tags.rules = dict(entry.tags)
        structure.rules_changed = True


def _clock(_structure: Structure, _entry: Clock) -> None:
    """The time of an entry counts in any case."""


def _suggested(structure: Structure, entry: fact.Suggested) -> None:
    structure.ledger.suggestions[entry.suggestion] = entry


def _settled(structure: Structure, entry: fact.Settled) -> None:
    structure.ledger.settled[entry.suggestion] = entry


_KINDS: Mapping[type, Callable[[Structure, Any], None]] = {
    Event: _event,
    Tagged: _tagged,
    Classified: _classified,
    fact.Untagged: _untagged,
    fact.EdgeEnded: _edge_ended,
    fact.Unlinked: _unlinked,
    Declassified: _declassified,
    Rules: _rules,
    Clock: _clock,
    fact.Suggested: _suggested,
    fact.Settled: _settled,
}

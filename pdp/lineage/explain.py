"""Answers for people: why a column carries a tag, how data came here, and what lies around it."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pdp.lineage.edges import ALIAS
from pdp.lineage.fact import Dataset, Source, Way
from pdp.lineage.graph import Graph
from pdp.lineage.ledger import Asserted
from pdp.lineage.nodes import ALL, HUB
from pdp.lineage.structure import Structure
from pdp.lineage.tag_bits import WAY_BITS, WAYS, Code, Ints, Masks
from pdp.lineage.tracing import NOWHERE, Avoided, Hop, any_edge, bringing, trace
from pdp.sensitivity import MASKED, UNCLASSIFIED

NAMES = {code: way for way, code in WAYS.items()}
"""The way of each code."""
MAX_AROUND = 1000
"""Datasets that are looked at around one."""


@dataclass(frozen=True, slots=True)
class Step:
    """Data that goes from one column to another; an empty name is all columns.

    `how` is the transformation as its event names it, `alias` between two names of one dataset, and `folder` between a
    folder and what lies below it. `is_coarse`: no event says which columns go into which. `at` is the server's time in
    milliseconds.
    """

    source: Dataset
    source_column: str
    dataset: Dataset
    column: str
    way: Way = Way.CARRY
    how: str = ""
    job: tuple[str, str] = ("", "")
    run: str = ""
    by: str = ""
    at: int = 0
    is_coarse: bool = False


@dataclass(frozen=True, slots=True)
class Assertion:
    """Who says that a column, or with an empty one the whole dataset, has a tag."""

    dataset: Dataset
    column: str
    tag: str
    source: Source
    by: str
    what: Asserted


@dataclass(frozen=True, slots=True)
class Reason:
    """Where a tag comes from: the column, who says that it has it there, and the steps from there.

    `unclassified` has no assertion: it is the tag of a column that was not classified.
    """

    dataset: Dataset
    column: str
    assertions: Sequence[Assertion]
    steps: Sequence[Step]


def why(graph: Graph, dataset: Dataset, column: str, tag: str) -> Reason | None:
    """The shortest way from an assertion of a tag to a column, or to a whole dataset; None where it has no such tag."""
    with graph.lock:
        structure = graph.structure
        node = structure.nodes.find(dataset, column, ALL)
        place = structure.tags.place(tag, structure.tags.words)
        if node is None or place is None:
            return None
        masks, bits = Masks(structure.tags), graph.bits
        is_masked = int(tag.endswith(MASKED))
        step = bringing(bits, masks, place[0] % masks.words, place[1])
        plain = tag.removesuffix(MASKED)
        if not bits[place[0], node] & place[1]:
            return None
        hops = trace(
            structure, np.array([node * 2 + is_masked]), step, _asserted(structure, plain), Avoided.of(structure, tag)
        )
        return _reason(structure, node, hops, plain)


def path(graph: Graph, one: Dataset, other: Dataset) -> list[Step] | None:
    """The shortest way of data from one dataset to another; None where there is none."""
    with graph.lock:
        structure = graph.structure
        numbers = structure.nodes.numbers
        if one not in numbers or other not in numbers:
            return None
        start = np.array(_all_nodes(structure, numbers[other])) * 2
        ends = np.array(_all_nodes(structure, numbers[one])) * 2
        hops = trace(structure, start, any_edge(structure), ends)
        return None if hops is None else steps_of(structure, hops)


def upstream(graph: Graph, dataset: Dataset, depth: int) -> tuple[dict[Dataset, int], list[Step]]:
    """What a dataset comes from, with its distance, and a step for each pair of datasets and job."""
    return _around(graph, dataset, depth, is_upstream=True)


def downstream(graph: Graph, dataset: Dataset, depth: int) -> tuple[dict[Dataset, int], list[Step]]:
    """What comes from a dataset, likewise."""
    return _around(graph, dataset, depth, is_upstream=False)


def steps_of(structure: Structure, hops: Sequence[Hop]) -> list[Step]:
    """What a way shows: edges inside one dataset are left out, those through a set of inputs are one step."""
    steps, source = list[Step](), hops[0].src if hops else 0
    for hop in hops:
        if structure.nodes.role(hop.dst) == HUB:
            source = hop.src
            continue
        source = hop.src if structure.nodes.role(hop.src) != HUB else source
        if _is_shown(structure, source, hop):
            steps.append(_step(structure, source, hop))
    return steps


def _is_shown(structure: Structure, source: int, hop: Hop) -> bool:
    owner = structure.nodes.owner.values
    if hop.layer == NOWHERE or owner[source] != owner[hop.dst]:
        return True
    return bool(structure.edges.layers[hop.layer].job[hop.row] >= 0)


def _step(structure: Structure, source: int, hop: Hop) -> Step:
    nodes, ledger = structure.nodes, structure.ledger
    step = Step(*nodes.where(source), *nodes.where(hop.dst), is_coarse=nodes.role(source) == ALL)
    if hop.layer == NOWHERE:
        return step
    layer, row = structure.edges.layers[hop.layer], hop.row
    job, code = int(layer.job[row]), Code(int(layer.code[row]) & WAY_BITS)
    if job < 0:
        return replace(step, how="alias" if job == ALIAS else "folder", is_coarse=False)
    step = replace(step, way=NAMES[code], how=list(ledger.hows)[int(layer.how[row])], job=ledger.job_names[job])
    if int(layer.seen[row]) < 0:
        return step
    sighting = ledger.sightings[int(layer.seen[row])]
    return replace(step, run=sighting.run, by=sighting.by, at=sighting.at)


def _asserted(structure: Structure, tag: str) -> Ints:
    """The states in which a tag is asserted, or in which a column was not classified."""
    if tag == UNCLASSIFIED:
        return np.flatnonzero(structure.nodes.is_open.values) * 2
    number = structure.tags.numbers[tag]
    return np.array([node * 2 for node, tags in structure.ledger.tags.items() if number in tags], np.int64)


def _reason(structure: Structure, node: int, hops: Sequence[Hop] | None, tag: str) -> Reason | None:
    if hops is None:
        return None
    source = hops[0].src if hops else node
    dataset, column = structure.nodes.where(source)
    said = structure.ledger.tags.get(source, {}).get(structure.tags.numbers[tag], {})
    assertions = [Assertion(dataset, column, tag, kind, by, what) for (kind, by), what in sorted(said.items())]
    return Reason(dataset, column, assertions, steps_of(structure, hops))


def _all_nodes(structure: Structure, number: int) -> list[int]:
    nodes = structure.nodes
    return [*nodes.own(number), *nodes.columns[number].values()]


def _around(graph: Graph, dataset: Dataset, depth: int, *, is_upstream: bool) -> tuple[dict[Dataset, int], list[Step]]:
    with graph.lock:
        structure = graph.structure
        if dataset not in structure.nodes.numbers:
            return {}, []
        start = structure.nodes.numbers[dataset]
        distances, waiting, steps = {start: 0}, deque([start]), dict[tuple[Dataset, Dataset, tuple[str, str]], Step]()
        while waiting:
            one = waiting.popleft()
            if distances[one] >= depth or len(distances) >= MAX_AROUND:
                continue
            for step in _near(structure, one, is_upstream=is_upstream):
                steps.setdefault((step.source, step.dataset, step.job), step)
                near = structure.nodes.numbers[step.source if is_upstream else step.dataset]
                if near not in distances:
                    distances[near] = distances[one] + 1
                    waiting.append(near)
        return {structure.nodes.datasets[one]: far for one, far in distances.items()}, list(steps.values())


def _near(structure: Structure, number: int, *, is_upstream: bool) -> Iterator[Step]:
    """One step for each dataset and job beside a dataset."""
    seen = set[tuple[int, int]]()
    for far, hop, job in _edges(structure, np.array(_all_nodes(structure, number)), is_upstream=is_upstream):
        owner = int(structure.nodes.owner.values[far])
        if owner == HUB:
            for beyond, other, job_beyond in _edges(structure, np.array([far]), is_upstream=is_upstream):
                key = (int(structure.nodes.owner.values[beyond]), max(job, job_beyond))
                if key not in seen:
                    seen.add(key)
                    yield _step(structure, other.src if is_upstream else hop.src, hop if is_upstream else other)
        elif owner != number and (owner, job) not in seen:
            seen.add((owner, job))
            yield _step(structure, hop.src, hop)


def _edges(structure: Structure, nodes: Ints, *, is_upstream: bool) -> Iterator[tuple[int, Hop, int]]:
    """The edges that lead to nodes, or leave them: the other end, the edge and its job.

    Their order does not depend on how they are stored: processes of one revision say the same.
    """
    found = list[tuple[int, int, int, Hop]]()
    for number, layer in enumerate(structure.edges.layers):
        for rows in layer.rows_into(np.sort(nodes)) if is_upstream else layer.out_of(np.sort(nodes)):
            for row in rows[layer.code[rows] < Code.ENDED].tolist():
                hop = Hop(int(layer.src[row]), int(layer.dst[row]), number, row)
                found.append((int(layer.pair[row]), int(layer.code[row]), int(layer.job[row]), hop))
    for _, _, job, hop in sorted(found):
        yield hop.src if is_upstream else hop.dst, hop, job

"""How much is classified, what to classify first, and what people should look at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pdp.lineage.edges import Layer
from pdp.lineage.fact import Dataset
from pdp.lineage.fixpoint import Detours, settle
from pdp.lineage.graph import Graph
from pdp.lineage.nodes import HUB
from pdp.lineage.structure import Structure
from pdp.lineage.tag_bits import WORD, Code, Ints, Masks, Tags, Words

CANDIDATES = 4 * WORD
"""Datasets of which all that lies downstream is counted: sources first, then those that most edges leave."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """How much of a namespace is classified. A dataset is when it has columns, and all of them are."""

    namespace: str
    datasets: int
    classified_datasets: int
    columns: int
    classified_columns: int


@dataclass(frozen=True, slots=True)
class First:
    """A dataset to classify: its columns that are not, and the columns of others that get data from it."""

    dataset: Dataset
    columns: int
    downstream: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a person should look at: its kind (`event` or `coarse`), where, and since which event and time in ms."""

    kind: str
    dataset: Dataset | None
    path: str
    sentence: str
    job: tuple[str, str]
    by: str = ""
    event: str = ""
    at: int = 0


def coverage(graph: Graph) -> tuple[list[Namespace], list[First]]:
    """By namespace how much is classified, and what to classify first: that with most columns downstream."""
    with graph.lock:
        structure = graph.structure
        columns, unclassified, open_ones = _counts(structure, graph.bits)
        return _namespaces(structure, (columns, unclassified)), _first(structure, open_ones)


def problems(graph: Graph) -> list[Found]:
    """What was found in events, and the jobs that do not say which columns go into which; the newest first."""
    with graph.lock:
        ledger = graph.structure.ledger
        found = [
            Found("event", None, one.path, one.sentence, one.job, event=event, at=at)
            for one, (event, at) in ledger.problems.items()
        ]
        found += _coarse(graph.structure)
    return sorted(found, key=lambda one: (-one.at, one.kind, one.job, one.dataset or ("", ""), one.path, one.sentence))


def _counts(structure: Structure, bits: Words) -> tuple[Ints, Ints, Ints]:
    """For each dataset its columns, those that carry `unclassified`, and those that are unclassified by themselves."""
    nodes, count = structure.nodes, len(structure.nodes.datasets)
    columns = _columns(structure)
    owner = nodes.owner.values[columns]
    carries = bits[0, : len(columns)][columns] & np.uint64(1) == 1  # `unclassified` is the first tag of all
    is_open = nodes.is_open.values[columns] == 1
    every, unclassified, own = (np.bincount(one, minlength=count) for one in (owner, owner[carries], owner[is_open]))
    return every, unclassified, own


def _columns(structure: Structure) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.array([label is not None for label in structure.nodes.labels], bool)
    return found


def _namespaces(structure: Structure, counts: tuple[Ints, Ints]) -> list[Namespace]:
    sums = dict[str, list[int]]()
    every, unclassified_ones = (count.tolist() for count in counts)
    for (namespace, _), columns, unclassified in zip(structure.nodes.datasets, every, unclassified_ones, strict=True):
        values = (1, int(columns > 0 and not unclassified), columns, columns - unclassified)
        sums[namespace] = [a + b for a, b in zip(sums.get(namespace, [0] * 4), values, strict=True)]
    return [Namespace(namespace, *values) for namespace, values in sorted(sums.items())]


def _first(structure: Structure, unclassified: Ints) -> list[First]:
    chosen = _candidates(structure, unclassified)
    below = _downstream(structure, chosen)
    found = [
        First(structure.nodes.datasets[number], int(unclassified[number]), count)
        for number, count in zip(chosen, below, strict=True)
    ]
    return sorted(found, key=lambda one: (-one.downstream, -one.columns, one.dataset))


def _candidates(structure: Structure, unclassified: Ints) -> list[int]:
    count = len(unclassified)
    leaving, arriving = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for layer in structure.edges.layers:
        src, dst = _ends(structure, layer)
        leaving += np.bincount(src[src != HUB], minlength=count)
        arriving += np.bincount(dst[dst != HUB], minlength=count)
    order = np.lexsort((np.arange(count), -leaving, arriving > 0))
    return [int(number) for number in order[unclassified[order] > 0][:CANDIDATES]]


def _ends(structure: Structure, layer: Layer) -> tuple[Ints, Ints]:
    """The datasets at the ends of edges between two."""
    owner = structure.nodes.owner.values
    src, dst = owner[layer.src], owner[layer.dst]
    between = (src != dst) & (layer.code < Code.ENDED)
    return src[between], dst[between]


def _downstream(structure: Structure, datasets: Sequence[int]) -> list[int]:
    """The columns of others that get data from each of some datasets: a bit for each, as if it were a tag."""
    tags, nodes = Tags(), structure.nodes
    tags.names = [str(number) for number in range(CANDIDATES)]
    bits = np.zeros((2 * tags.words, len(nodes.labels)), np.uint64)
    start = [
        (place, node) for place, one in enumerate(datasets) for node in (*nodes.own(one), *nodes.columns[one].values())
    ]
    for place, node in start:
        bits[place // WORD, node] |= np.uint64(1 << place % WORD)
    detours = Detours(bits.shape[1], [], np.zeros((len(bits), 0), np.uint64))
    settle(bits, structure.edges.layers, Masks(tags), np.unique([node for _, node in start]), detours)
    columns = bits[:, _columns(structure)]
    return [_reached(columns, place) - len(nodes.columns[one]) for place, one in enumerate(datasets)]


def _reached(columns: Words, place: int) -> int:
    return int(((columns[place // WORD] >> np.uint64(place % WORD)) & np.uint64(1)).sum())


def _coarse(structure: Structure) -> list[Found]:
    nodes, ledger = structure.nodes, structure.ledger
    found = dict[tuple[int, int], Found]()
    for number in structure.coarse:
        for node in structure.into(number).tolist():
            for layer, row in structure.edges.into(node):
                job, seen = int(layer.job[row]), int(layer.seen[row])
                if job >= 0 and structure.is_whole(int(layer.src[row])):
                    last = ledger.sightings[seen] if seen >= 0 else None
                    sentence = "columns get every tag of every input: no event of the job says which come from which"
                    found[number, job] = Found(
                        "coarse", nodes.datasets[number], "", sentence, ledger.job_names[job],
                        *((last.by, last.event, last.at) if last else ()),
                    )  # fmt: skip
    return list(found.values())

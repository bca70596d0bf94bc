"""The largest graph of the benches: 10^5 datasets, 10^6 columns and 10^7 edges."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from pdp.lineage.edges import FIELDS, Layer, merged
from pdp.lineage.fact import Dataset, Edge, Event, Output, Source, Tagging
from pdp.lineage.graph import Graph
from pdp.lineage.ledger import Asserted, Sighting
from pdp.lineage.tag_bits import Code

COLUMNS = 10
EDGES_A_COLUMN = 10
HOPS = 30
TAGS = 40
NAMES = [f"column_{number}" for number in range(50)]


def named(number: int) -> Dataset:
    return Dataset(f"postgres://h{number % 20}:5432", f"db.s{number % 100}.t{number}")


def column(number: int, place: int) -> str:
    return NAMES[(number + place) % len(NAMES)]


def built(datasets: int) -> Graph:
    """Datasets in `HOPS` steps: each column gets from columns a step before."""
    graph = Graph()
    structure = graph.structure
    for number in range(datasets):
        structure.columns(structure.dataset(named(number)), [column(number, place) for place in range(COLUMNS)])
        if number % 10_000 == 0:
            structure.edges.flush()
    structure.edges.flush()
    structure.edges.layers = [merged([*structure.edges.layers, woven(graph, datasets)])]
    structure.ledger.job(("airflow", "weave"))
    structure.ledger.sightings = [Sighting("run", "workload:etl", 1, "00")]
    for number in range(TAGS):
        one = number * datasets // (10 * TAGS)
        structure.assert_tag(Tagging(named(one), column(one, 0), f"t{number}"), Source.PERSON, "user:bob", Asserted(1))
    structure.edges.fresh = []
    return graph


def woven(graph: Graph, datasets: int) -> Layer:
    rng = np.random.default_rng(1)
    count, first = datasets * COLUMNS * EDGES_A_COLUMN, np.array(graph.structure.nodes.first)
    end = rng.integers(1, datasets, count)
    back = (rng.random(count) * np.clip(end, 1, datasets // HOPS)).astype(np.int64)
    src = first[np.maximum(end - 1 - back, 0)] + 3 + rng.integers(0, COLUMNS, count)
    dst = first[end] + 3 + rng.integers(0, COLUMNS, count)
    pair = np.unique(src.astype(np.uint64) << np.uint64(32) | dst.astype(np.uint64))
    fields = {name: np.zeros(len(pair), dtype) for name, dtype in FIELDS.items()}
    kinds = rng.random(len(pair))
    fields |= {"pair": pair, "time": np.ones(len(pair), np.int64)}
    fields["code"] = np.select([kinds < 0.1, kinds < 0.12], [Code.INDIRECT, Code.MASKED], Code.CARRY).astype(np.uint8)
    return Layer(fields)


def seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def full(graph: Graph) -> float:
    graph.structure.rules_changed = True
    return seconds(lambda: graph.apply([]))


def event(number: int, datasets: int) -> Event:
    """20 columns of a new dataset, from one that 100 datasets lie behind."""
    source = datasets - 200
    edges = [Edge(f"c{place}", named(source), column(source, place % COLUMNS)) for place in range(20)]
    names = [edge.column for edge in edges]
    output = Output(Dataset("pg", f"new{number}"), names, names, edges)
    members: Any = {"job": ("airflow", "new"), "event_time": number, "inputs": [named(source)], "outputs": [output]}
    return Event(by="workload:etl", at=number, event="01", run=f"r{number}", **members)

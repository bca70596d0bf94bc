"""Lineage: the graph at its largest (10^5 datasets, 10^6 columns, 10^7 edges), what it costs decisions, and ingest.

    python -m tests.bench.lineage [--datasets N] [--rounds N]

Each row stands beside its reference of the same run; the exit status is 1 where one of them is beyond its bar.
networkx, on 1 % of the graph, runs in `.venv-bench`; without it, its row is left out.
"""

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import uvloop

from pdp.lineage.explain import why
from pdp.lineage.fact import Tagged, Tagging
from pdp.lineage.graph import Graph
from pdp.lineage.tag_bits import WAY_BITS
from pdp.lineage.view import Revision
from pdp.lineage.views import Views
from pdp.lineage_settings import LineageSettings
from tests.bench import lineage_ingest, lineage_served
from tests.bench.lineage_graph import HOPS, built, column, event, full, named, seconds
from tests.bench.lineage_row import Row, shown

PYTHON = Path(".venv-bench/bin/python")
FASTER = 20
"""How many times faster than networkx an edge must be."""


def reference(datasets: int) -> float | None:
    """Seconds of networkx for an edge, of a graph of so many datasets."""
    if not PYTHON.exists():
        return None
    structure = built(datasets).structure
    layer, labels = structure.edges.layers[0], structure.nodes.labels
    edges = np.stack([layer.src, layer.dst, layer.code & WAY_BITS], axis=1).tolist()
    tags: dict[int, Any] = {node: ["unclassified"] for node, label in enumerate(labels) if label}
    for node, own in structure.ledger.tags.items():
        tags[node] = [*tags.get(node, []), *map(str, own)]
    given = json.dumps({"edges": edges, "tags": tags})
    command = [PYTHON, "-m", "tests.bench.lineage_reference"]
    answer = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    return float(answer.stdout) / len(layer)


def measured(graph: Graph, datasets: int) -> Iterator[Row]:
    """What one process does with the graph."""
    fixpoint = full(graph)
    edges = sum(map(len, graph.structure.edges.layers))
    yield Row("full fixpoint, s", fixpoint, f"{edges:,} edges", most=10)
    theirs = reference(max(datasets // 100, 1000))
    if theirs is not None:
        yield Row("times networkx, an edge", theirs * edges / fixpoint, f"{theirs * 1e6:.2f} us there", least=FASTER)
    root = Tagged(by="user:bob", at=2, tagging=Tagging(named(0), "", "new"))
    took = seconds(lambda: graph.apply([(1, [root])]))
    yield Row("a new tag at a root, of a full fixpoint", took / fixpoint, f"{fixpoint:.2f} s that one", most=2)
    yield Row("columns that it reached, of all", reached(graph, "new"), least=0.85)
    yield Row("an event in one process, ms", an_event(graph, datasets), most=20)
    yield Row("a view, us", a_view(graph, datasets), most=5)
    last = (named(datasets - 1), column(datasets - 1, 0), "new")
    took = min(seconds(lambda: why(graph, *last)) for _ in range(3)) * 1e3
    found = why(graph, *last)
    yield Row(f"why across {HOPS} hops, ms", took, f"{len(found.steps) if found else 0} hops", most=200)
    yield from snapshot(graph)


def an_event(graph: Graph, datasets: int) -> float:
    behind = Tagged(by="user:bob", at=2, tagging=Tagging(named(datasets - 200), "", "late"))
    graph.apply([(2, [behind])])
    events = [seconds(partial(graph.apply, [(3, [event(number, datasets)])])) for number in range(20)]
    return statistics.median(events) * 1e3


def a_view(graph: Graph, datasets: int) -> float:
    views, target = Views(graph, LineageSettings()), named(datasets - 1).name
    asked = [Revision(number, "ab") for number in range(1000)]
    views.view("table", target, asked[0])
    return seconds(lambda: [views.view("table", target, one) for one in asked]) / len(asked) * 1e6


def reached(graph: Graph, tag: str) -> float:
    place = graph.structure.tags.place(tag, graph.structure.tags.words)
    assert place
    return float((graph.shown.bits[place[0]] & place[1] != 0).mean())


def resident() -> float:
    """MiB of this process."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def started(file: Path) -> None:
    """Start from a snapshot, as a server does; print seconds and MiB."""
    empty = resident()
    began = time.perf_counter()
    graph = Graph.load(file.read_bytes())
    took = time.perf_counter() - began
    gc.collect()
    print(json.dumps([took, resident() - empty, len(graph.dump())]))


def snapshot(graph: Graph) -> Iterator[Row]:
    """A start from a snapshot, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph"
        file.write_bytes(graph.dump())
        reading = seconds(file.read_bytes)
        command = [sys.executable, "-m", "tests.bench.lineage", "--from", file]
        took, memory, length = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        assert length == file.stat().st_size
    structure = graph.structure
    arrays = sum(one.nbytes for layer in structure.edges.layers for one in (*layer.fields.values(), layer.into))
    arrays += 2 * graph.shown.bits.nbytes
    yield Row("start from a snapshot, s", took, f"{reading:.2f} s to read its {length >> 20} MiB", most=20)
    yield Row("memory above an empty process, MiB", memory, f"{arrays >> 20} MiB are arrays", most=1024)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--from", type=Path, dest="file", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.file:
        started(arguments.file)
        return 0
    graph = built(arguments.datasets)
    is_fast = shown(measured(graph, arguments.datasets))
    del graph
    are_met = [uvloop.run(lineage_ingest.main()), uvloop.run(lineage_served.main(arguments.datasets, arguments.rounds))]
    return 0 if is_fast and all(are_met) else 1


if __name__ == "__main__":
    sys.exit(main())

"""The graph of lineage at its largest: 10^5 datasets, 10^6 columns and 10^7 edges, beside networkx on 1 % of it.

    python -m tests.bench.lineage [--datasets N]

It prints the full fixpoint, a new tag at a root of nearly everything, an event, a view, `why` across 30 hops, a start
from a snapshot in a process of its own and that one's memory, and fails where one of them is beyond its bar. The
reference runs in `.venv-bench`; without it, its row is left out.
"""

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pdp.lineage.edges import FIELDS, Layer, merged
from pdp.lineage.explain import why
from pdp.lineage.fact import Dataset, Edge, Event, Output, Source, Tagged, Tagging
from pdp.lineage.graph import Graph
from pdp.lineage.ledger import Asserted, Sighting
from pdp.lineage.tag_bits import WAY_BITS, Code
from pdp.lineage.view import Revision
from pdp.lineage.views import Views
from pdp.lineage_settings import LineageSettings

COLUMNS = 10
EDGES_A_COLUMN = 10
HOPS = 30
TAGS = 40
NAMES = [f"column_{number}" for number in range(50)]
PYTHON = Path(".venv-bench/bin/python")
BARS = {
    "full fixpoint, s": 10.0, "a new tag at a root, of a full one": 2.0, "an event, ms": 20.0, "a view, us": 5.0,
    "why across 30 hops, ms": 200.0, "start from a snapshot, s": 20.0, "memory above an empty process, MiB": 1024.0,
}  # fmt: skip
FASTER = 20
"""How many times faster than networkx an edge must be."""


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


def event(number: int, datasets: int) -> Event:
    """20 columns of a new dataset, from one that 100 datasets lie behind."""
    source = datasets - 200
    edges = [Edge(f"c{place}", named(source), column(source, place % COLUMNS)) for place in range(20)]
    names = [edge.column for edge in edges]
    output = Output(Dataset("pg", f"new{number}"), names, names, edges)
    members: Any = {"job": ("airflow", "new"), "event_time": number, "inputs": [named(source)], "outputs": [output]}
    return Event(by="workload:etl", at=number, event="01", run=f"r{number}", **members)


def measured(graph: Graph, datasets: int) -> dict[str, float]:
    fixpoint = full(graph)
    root = Tagged(by="user:bob", at=2, tagging=Tagging(named(0), "", "new"))
    behind = Tagged(by="user:bob", at=2, tagging=Tagging(named(datasets - 200), "", "late"))
    views, target = Views(graph, LineageSettings()), named(datasets - 1).name
    asked = [Revision(number, "ab") for number in range(1000)]
    views.view("table", target, asked[0])
    last = (named(datasets - 1), column(datasets - 1, 0), "new")
    rows = {"full fixpoint, s": fixpoint}
    rows["a new tag at a root, of a full one"] = seconds(lambda: graph.apply([(1, [root])])) / fixpoint
    rows["columns that it reached, of all"] = reached(graph, "new")
    rows["a tag 100 datasets behind, ms"] = seconds(lambda: graph.apply([(2, [behind])])) * 1e3
    events = [seconds(partial(graph.apply, [(3, [event(number, datasets)])])) for number in range(20)]
    rows["an event, ms"] = statistics.median(events) * 1e3
    views.view("table", target, asked[0])
    rows["a view, us"] = seconds(lambda: [views.view("table", target, one) for one in asked]) / len(asked) * 1e6
    rows["why across 30 hops, ms"] = min(seconds(lambda: why(graph, *last)) for _ in range(3)) * 1e3
    found = why(graph, *last)
    rows["hops"] = len(found.steps) if found else 0
    rows["edges"] = sum(map(len, graph.structure.edges.layers))
    return rows


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


def snapshot(graph: Graph) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph"
        file.write_bytes(graph.dump())
        command = [sys.executable, "-m", "tests.bench.lineage", "--from", file]
        took, memory, length = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        assert length == file.stat().st_size
    return took, memory


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=100_000)
    parser.add_argument("--from", type=Path, dest="file", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.file:
        started(arguments.file)
        return 0
    graph = built(arguments.datasets)
    rows = measured(graph, arguments.datasets)
    rows["start from a snapshot, s"], rows["memory above an empty process, MiB"] = snapshot(graph)
    theirs = reference(max(arguments.datasets // 100, 1000))
    if theirs is not None:
        rows["times networkx, an edge"] = theirs / (rows["full fixpoint, s"] / rows["edges"])
    for name, value in rows.items():
        print(f"{name:<40}{value:>14,.2f}  {f'at most {BARS[name]:,.0f}' if name in BARS else ''}")
    is_slow = theirs is not None and rows["times networkx, an edge"] < FASTER
    return int(is_slow or any(rows[name] > bar for name, bar in BARS.items()))


if __name__ == "__main__":
    sys.exit(main())

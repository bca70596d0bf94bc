"""A graph as bytes, and back. Equal logs give equal bytes, however they were read: in one go, or from a snapshot on.

First 8 bytes with the length of a JSON text, then the text, then the arrays that it names, one after the other.
"""

from collections.abc import Mapping, Sequence
from itertools import starmap
from typing import Any

import numpy as np
import orjson

from pdp.lineage import entry
from pdp.lineage.edges import FIELDS, Edges, Layer
from pdp.lineage.fact import Dataset, Settled, Source, Suggested, TagRule
from pdp.lineage.ledger import Asserted, Facets, Flows, Inputs, Job, Ledger, Problem, Run, Sighting, Stop
from pdp.lineage.nodes import Nodes
from pdp.lineage.structure import Structure
from pdp.lineage.tag_bits import Ints, Words

LENGTH_BYTES = 8
"""Bytes of the text's length, big-endian."""
ARRAYS = {
    "bits": np.uint64, "owner": np.int32, "is_open": np.uint8, "first": np.int64, "forgotten": np.uint64, **FIELDS,
}  # fmt: skip
"""The arrays in their order. All are little-endian."""


def dump(structure: Structure, bits: Words) -> bytes:
    """The bytes of a structure, and of the tags that follow from it."""
    structure.ledger.forget(structure.clock)
    structure.edges.compact()
    fields = structure.edges.layers[0].fields if structure.edges.layers else _no_edges()
    structure.forget_sightings()
    nodes = structure.nodes
    count = len(nodes.labels)
    arrays: dict[str, Any] = {
        **fields,
        "bits": bits[:, :count],
        "owner": nodes.owner.values,
        "is_open": nodes.is_open.values,
        "first": np.array(nodes.first, np.int64),
        "forgotten": structure.ledger.forgotten,
    }
    members = {
        "clock": structure.clock,
        "sightings": list(map(list, structure.ledger.sightings)),
        "coarse": sorted(structure.coarse),
        "tags": structure.tags.names,
        "brought": structure.tags.brought,
        "rules": {key: _rule(rule) for key, rule in sorted(structure.tags.rules.items())},
        "nodes": _nodes(nodes),
        "ledger": _ledger(structure.ledger),
        "arrays": {name: arrays[name].shape for name in ARRAYS},
    }
    text = orjson.dumps(members, option=orjson.OPT_NON_STR_KEYS)
    parts = [np.ascontiguousarray(arrays[name], np.dtype(dtype).newbyteorder("<")) for name, dtype in ARRAYS.items()]
    return b"".join([len(text).to_bytes(LENGTH_BYTES, "big"), text, *(part.tobytes() for part in parts)])


def load(encoded: bytes) -> tuple[Structure, Words]:
    """What `dump` wrote. The bytes must be known to be ours."""
    view = memoryview(encoded)
    end = LENGTH_BYTES + int.from_bytes(view[:LENGTH_BYTES], "big")
    members = orjson.loads(view[LENGTH_BYTES:end])
    arrays = _arrays(view[end:], members["arrays"])
    structure = Structure()
    structure.clock, structure.coarse = members["clock"], set(members["coarse"])
    _fill_edges(structure.edges, arrays)
    _fill_nodes(structure.nodes, members["nodes"], arrays)
    structure.tags.names = members["tags"]
    structure.tags.numbers = {tag: number for number, tag in enumerate(members["tags"])}
    structure.tags.brought = members["brought"]
    structure.tags.rules = {key: TagRule(*rule) for key, rule in members["rules"].items()}
    _fill_ledger(structure.ledger, members["ledger"])
    structure.ledger.sightings = list(starmap(Sighting, members["sightings"]))
    structure.ledger.forgotten = arrays["forgotten"]
    return structure, arrays["bits"]


def _no_edges() -> dict[str, Ints]:
    return {name: np.zeros(0, dtype) for name, dtype in FIELDS.items()}


def _arrays(view: memoryview, shapes: Mapping[str, list[int]]) -> dict[str, Any]:
    found, start = dict[str, Any](), 0
    for name, dtype in ARRAYS.items():
        kind = np.dtype(dtype).newbyteorder("<")
        size = int(np.prod(shapes[name]))
        found[name] = np.frombuffer(view, kind, size, start).reshape(shapes[name]).astype(dtype)
        start += size * kind.itemsize
    return found


def _rule(rule: TagRule) -> list[bool]:
    return [rule.propagate, rule.stops_on_mask, rule.indirect]


def _nodes(nodes: Nodes) -> dict[str, Any]:
    return {
        "datasets": [list(name) for name in nodes.datasets],
        "labels": nodes.labels,
        "joined": [[number, sorted(others)] for number, others in enumerate(nodes.joined) if others],
        "hubs": [[list(key), node] for key, node in nodes.hubs.items()],
    }


def _fill_edges(edges: Edges, arrays: Mapping[str, Ints]) -> None:
    if len(arrays["pair"]):
        edges.layers = [Layer({name: arrays[name] for name in FIELDS})]


def _fill_nodes(nodes: Nodes, members: Mapping[str, Any], arrays: Mapping[str, Ints]) -> None:
    nodes.owner.extend(arrays["owner"])
    nodes.is_open.extend(arrays["is_open"])
    nodes.hubs = {tuple(key): node for key, node in members["hubs"]}
    nodes.restore(list(starmap(Dataset, members["datasets"])), arrays["first"].tolist(), members["labels"])
    for number, others in members["joined"]:
        nodes.joined[number] = set(others)


def _ledger(ledger: Ledger) -> dict[str, Any]:
    jobs = list(ledger.job_numbers.items())
    suggested: list[Suggested | Settled] = [*ledger.suggestions.values(), *ledger.settled.values()]
    return {
        "tags": [
            [node, number, source, by, *what]
            for node, tags in ledger.tags.items()
            for number, several in tags.items()
            for (source, by), what in several.items()
        ],
        "declared": [[node, *what] for node, what in ledger.declared.items()],
        "shared": [[node, sorted(map(list, names))] for node, names in ledger.shared.items()],
        "ended": sorted([who, dst, sorted(src)] for who, ends in ledger.ended.items() for dst, src in ends.items()),
        "latest": list(ledger.latest.items()),
        "dead": sorted([hub, *way] for hub, ways in ledger.dead.items() for way in ways),
        "met": sorted(ledger.met),
        "jobs": [[*name, ledger.jobs[job].is_partly_forgotten, _flows(ledger.jobs[job])] for name, job in jobs],
        "runs": [[name, *_run(run)] for name, run in ledger.runs.items()],
        "replaced": [[*key, time] for key, time in ledger.replaced.items()],
        "hows": list(ledger.hows),
        "stops": [[*key, sorted(stop.edges), *stop[1:]] for key, stops in ledger.stops.items() for stop in stops],
        "problems": [[*problem, *last] for problem, last in ledger.problems.items()],
        "suggestions": [entry.encode(one).decode() for one in suggested],
    }  # fmt: skip


def _run(run: Run) -> list[Any]:
    """Its members in the order of `Run`."""
    facets = sorted((*facets, time) for facets, time in run.facets.items())
    times = [run.first_at, run.last_at, run.is_torn]
    return [_flows(run), times, sorted(run.jobs), sorted(run.wrote), sorted(run.lists), facets]


def _run_of(members: Sequence[Any]) -> Run:
    flows, times, jobs, wrote, lists, facets = members
    found = {Facets(job, _inputs(listed), *map(tuple, rest)): time for job, listed, *rest, time in facets}
    run = Run(*_flows_of(*flows))
    run.first_at, run.last_at, run.is_torn = times
    run.jobs, run.wrote, run.lists, run.facets = set(jobs), set(wrote), set(map(_inputs, lists)), found
    return run


def _inputs(pairs: Sequence[Sequence[int]]) -> Inputs:
    return tuple((name, one) for name, one in pairs)


def _flows(flows: Flows) -> list[Any]:
    targets = [[*target, time] for target, time in flows.targets.items()]
    hubs = [[*key, hub] for key, hub in flows.hubs.items()]
    return [list(flows.inputs.items()), targets, flows.latest, flows.credit, hubs, flows.over]


def _fill_ledger(ledger: Ledger, members: Mapping[str, Any]) -> None:
    for node, number, source, by, *what in members["tags"]:
        ledger.tags.setdefault(node, {}).setdefault(number, {})[Source(source), by] = Asserted(*what)
    ledger.declared = {node: (by, at) for node, by, at in members["declared"]}
    ledger.shared = {node: frozenset(starmap(Dataset, names)) for node, names in members["shared"]}
    for who, dst, sources in members["ended"]:
        ledger.ended.setdefault(who, {})[dst] = set(sources)
    ledger.latest = dict(members["latest"])
    for hub, *way in members["dead"]:
        ledger.dead.setdefault(hub, set()).add((way[0], way[1]))
    ledger.met = set(members["met"])
    for *name, is_partly_forgotten, flows in members["jobs"]:
        number = ledger.job((name[0], name[1]))
        ledger.jobs[number] = Job(*_flows_of(*flows))
        ledger.jobs[number].is_partly_forgotten = is_partly_forgotten
    ledger.runs = {name: _run_of(run) for name, *run in members["runs"]}
    ledger.replaced = {(job, dataset): time for job, dataset, time in members["replaced"]}
    ledger.hows = {text: number for number, text in enumerate(members["hows"])}
    for node, tag, edges, *rest in members["stops"]:
        ledger.stops.setdefault((node, tag), []).append(Stop(frozenset(map(tuple, edges)), *rest))
    ledger.problems = {
        Problem((job[0], job[1]), path, text): (event, at) for job, path, text, event, at in members["problems"]
    }
    _fill_suggestions(ledger, members["suggestions"])


def _flows_of(inputs: Any, targets: Any, latest: int, credit: int, hubs: Any, over: int) -> tuple[Any, ...]:
    """Its members in the order of `Flows`."""
    return dict(inputs), _by_pair(targets), latest, credit, _by_pair(hubs), over


def _by_pair(rows: Any) -> dict[tuple[int, int], int]:
    return {(one, other): value for one, other, value in rows}


def _fill_suggestions(ledger: Ledger, encoded: list[str]) -> None:
    facts = [entry.decode(one.encode()) for one in encoded]
    ledger.suggestions = {one.suggestion: one for one in facts if isinstance(one, Suggested)}
    ledger.settled = {one.suggestion: one for one in facts if isinstance(one, Settled)}

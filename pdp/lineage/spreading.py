"""What adds up over a run or a job: each of its targets gets every tag of each of its inputs.

1. Few inputs and targets are connected one by one. Where both are more, they meet in a node of their own, a hub, which
   all runs with the same inputs share. With each event, all of it is seen again.
2. A run that would see more again than its events show pays for has hubs of its own. They grow with it: each input and
   each target is one edge, and an event costs what it shows. So no run makes later events dear.
3. The edges that leave such a hub were seen when the last input was, without being seen again (`Ledger.latest`).
4. Where a person ended edges to a target, it has a hub by itself, without their sources.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pdp.lineage.disagreement import disagreeing
from pdp.lineage.edges import NEVER, OURS
from pdp.lineage.ledger import WEEK_MS, Facets, Flows, Inputs
from pdp.lineage.nodes import ALL, BASE
from pdp.lineage.structure import Structure
from pdp.lineage.tag_bits import Code

MANY = 4
"""Inputs and targets that are connected one by one; where both are more, they meet in a hub."""
COMMON = (-1, 0)
"""The hub of all targets that have none by themselves. Theirs are by the target, and how many sources are left out."""
Over = Mapping[int, set[int]]


class Said(NamedTuple):
    """What one event of a job says: its flows, the datasets that it writes, its inputs, and what its facets say."""

    job: int
    time: int
    flows: Flows
    wrote: frozenset[int]
    inputs: Inputs
    facets: Facets | None


def spread_run(structure: Structure, name: str, at: int, said: Said) -> None:
    """What an event says of its run, which adds up with what its other events say."""
    ledger = structure.ledger
    run = ledger.run(name, at, structure.clock)
    run.jobs.add(said.job)
    run.wrote |= said.wrote
    by_job, shown = {said.job: said.flows}, Flows()
    for facets, time, outputs in disagreeing(structure.nodes, run, said.inputs, said.facets, said.time):
        tainted = {(structure.nodes.first[one] + BASE, facets.job): time for one in outputs}
        by_job.setdefault(facets.job, Flows()).add(Flows({}, tainted))
    for job, flows in by_job.items():
        for one in (run, shown, ledger.jobs[job]):
            one.add(flows)
    spread(structure, run, shown, structure.who(name))
    was_torn, run.is_torn = run.is_torn, run.last_at - run.first_at > WEEK_MS
    others = run.jobs if run.is_torn and not was_torn else ()
    for job in sorted({*by_job, *others}):
        _job(structure, job, by_job.get(job, Flows()), is_torn=run.is_torn)


def spread(structure: Structure, flows: Flows, shown: Flows, who: int | None = None) -> None:
    """Each target gets every tag of every input, but for edges that this run or job does not bring back.

    `shown` is what is new, or told again.
    """
    if not flows.inputs or not flows.targets:
        return
    over = structure.over(who)
    if not flows.hubs and (shown is flows or flows.pays(_cost(flows, over), structure.few)):
        _connect(structure, flows, over)
    else:
        _grow(structure, flows, shown, over)


def _job(structure: Structure, number: int, shown: Flows, *, is_torn: bool) -> None:
    """A job of which a run was partly forgotten: everything flows from each of its inputs."""
    job = structure.ledger.jobs[number]
    is_new = is_torn and not job.is_partly_forgotten
    job.is_partly_forgotten = job.is_partly_forgotten or is_torn
    if job.is_partly_forgotten:
        spread(structure, job, job if is_new else shown, ~number if structure.ledger.ended else None)


def _cost(flows: Flows, over: Over) -> int:
    """Edges that are seen where all is seen again."""
    inputs, targets = len(flows.inputs), len(flows.targets)
    return (inputs * targets if min(inputs, targets) <= MANY else flows.size) + inputs * len(over)


def _connect(structure: Structure, flows: Flows, over: Over) -> None:
    """See all of it."""
    sources = sorted(_sources(structure, flows.inputs))
    together, latest = sources, max(flows.inputs.values())
    if min(len(sources), len(flows.targets)) > MANY:
        together = [structure.nodes.hub(tuple(sources))]
        _feed(structure, together[0], sources)
    for (target, job), time in flows.targets.items():
        without = over.get(target, set()).intersection(sources)
        for source in [one for one in sources if one not in without] if without else together:
            structure.see(source, target, Code.CARRY, job, max(latest, time))
        structure.touch(target)


def _grow(structure: Structure, flows: Flows, shown: Flows, over: Over) -> None:
    """See what is shown, through hubs that are these flows' own; all of it where they are new."""
    ended = sum(map(len, over.values()))
    if not flows.hubs or ended != flows.over:
        shown, flows.over = flows, ended
        flows.hubs = {key: hub for key, hub in flows.hubs.items() if key == _key(key[0], over)}
    for target, job in shown.targets:
        _lead(structure, flows, over, (target, job))
    for (target, _), hub in flows.hubs.items():
        without = over.get(target, set())
        _feed(structure, hub, (one for one in _sources(structure, shown.inputs) if one not in without))
        if without:
            structure.touch(target)
        if structure.ledger.latest[hub] < flows.latest:
            structure.ledger.latest[hub] = flows.latest
            for way in structure.ledger.dead.pop(hub, ()):
                if flows.hubs.get(_key(way[0], over)) == hub:
                    _lead(structure, flows, over, way)


def _lead(structure: Structure, flows: Flows, over: Over, way: tuple[int, int]) -> None:
    """See the edge from its hub to a target."""
    target, job = way
    hub = flows.hubs.get(_key(target, over)) or _hub(structure, flows, over, target)
    structure.see(hub, target, Code.CARRY, job, max(flows.latest, flows.targets[way]))
    structure.touch(target)


def _hub(structure: Structure, flows: Flows, over: Over, target: int) -> int:
    """A new hub for a target, with all inputs of now but those that are left out."""
    hub = flows.hubs[_key(target, over)] = structure.nodes.own_hub()
    structure.ledger.latest[hub] = NEVER
    without = over.get(target, set())
    _feed(structure, hub, (one for one in _sources(structure, flows.inputs) if one not in without))
    return hub


def _key(target: int, over: Over) -> tuple[int, int]:
    return (target, len(over[target])) if target in over else COMMON


def _feed(structure: Structure, hub: int, sources: Iterable[int]) -> None:
    for source in sources:
        structure.edges.see(source, hub, Code.CARRY, OURS)


def _sources(structure: Structure, inputs: Iterable[int]) -> Iterable[int]:
    return (structure.nodes.first[dataset] + ALL for dataset in inputs)

"""A person ends the edges between two nodes. New evidence brings them back, and a repeat of the old does not.

1. A run that had read the one dataset and written the other by then brings none of these edges back.
2. What is worked out from all that a job ever had (`Job`) does not either, where it had both ends by then.
3. An event of any other run does, and so does one of no run that says the same edge again.

So it matters which events came before a person ended an edge and which came later, and nothing else of their order.
"""

from pdp.lineage.edges import NEVER
from pdp.lineage.ledger import short
from pdp.lineage.nodes import HUB
from pdp.lineage.structure import Structure
from pdp.lineage.tag_bits import Code


def end_edge(structure: Structure, src: int, dst: int) -> None:
    """A person ended the edges between two nodes."""
    for layer, row in list(structure.edges.into(dst)):
        hub = int(layer.src[row])
        into_hub = structure.edges.into(hub) if structure.nodes.role(hub) == HUB else ()
        if any(int(one.src[place]) == src for one, place in into_hub):
            time = max(int(layer.time[row]), structure.ledger.latest.get(hub, NEVER))
            _open_hub(structure, hub, dst, (src, int(layer.job[row]), time))
    for who in _evidence(structure, src, dst):
        structure.ledger.ended.setdefault(who, {}).setdefault(dst, set()).add(src)
    if structure.edges.end(src, dst):
        structure.lowered.add(dst)
        structure.touched.add(int(structure.nodes.owner.values[dst]))


def _evidence(structure: Structure, src: int, dst: int) -> set[int]:
    """The runs and jobs that had both ends."""
    ledger, owner = structure.ledger, structure.nodes.owner.values
    read, wrote = int(owner[src]), int(owner[dst])
    runs = {
        short(name)
        for name, run in ledger.runs.items()
        if read in run.inputs and wrote in run.wrote and not ledger.is_old(run, structure.clock)
    }
    jobs = {~number for number, job in enumerate(ledger.jobs) if read in job.inputs and (dst, number) in job.targets}
    return runs | jobs


def _open_hub(structure: Structure, hub: int, dst: int, without: tuple[int, int, int]) -> None:
    """Connect a set of inputs one by one, but for one of them."""
    src, job, time = without
    for layer, row in list(structure.edges.into(hub)):
        if int(layer.src[row]) != src:
            structure.see(int(layer.src[row]), dst, Code.CARRY, job, time)
    structure.edges.end(hub, dst)
    structure.lowered.add(dst)
    structure.touched.add(int(structure.nodes.owner.values[dst]))

"""Facts become nodes, edges and assertions. What follows from them is for `graph`."""

from collections.abc import Iterable

import numpy as np

from pdp.lineage.edges import NEVER, OURS, Edges
from pdp.lineage.fact import Dataset, Source, Tagging
from pdp.lineage.ledger import WEEK_MS, Asserted, Flows, Job, Ledger
from pdp.lineage.nodes import ALL, BASE, HUB, ROLES, Nodes
from pdp.lineage.tag_bits import Code, Ints, Tags

MANY = 4
"""Inputs and targets that are connected one by one; where both are more, they meet in a node of their own."""
MANY_SIGHTINGS = 100_000
"""Of about 200 bytes each."""


class Structure:
    """What is known, and what of it changed since the tags were last worked out."""

    def __init__(self) -> None:
        self.edges = Edges()
        self.nodes = Nodes(self.edges)
        self.tags = Tags()
        self.ledger = Ledger()
        self.clock = 0
        """The latest time of the server in any fact, in milliseconds."""
        self.coarse: set[int] = set()
        """Datasets with an edge from all columns of an input."""
        self.touched: set[int] = set()
        """Datasets of which that may have changed."""
        self.raised: set[int] = set()
        """Nodes that have more tags by themselves."""
        self.opened: set[int] = set()
        """Nodes that are unclassified, and nobody was told of it yet."""
        self.lowered: set[int] = set()
        """Nodes that may have fewer."""
        self.parted: set[int] = set()
        """Datasets of which other names are the same now."""
        self.rules_changed = False
        self.most_sightings = MANY_SIGHTINGS
        """With more of them, those that no edge needs are let go."""

    def dataset(self, name: Dataset) -> int:
        """A dataset that something reads or writes. Without columns it is unclassified as a whole."""
        number = self.nodes.dataset(name)
        if number not in self.ledger.met:
            self.ledger.met.add(number)
            if not self.nodes.columns[number]:
                self._open(self.nodes.first[number] + ALL)
        return number

    def columns(self, dataset: int, names: Iterable[str]) -> list[int]:
        """The nodes of columns."""
        return [self.column(dataset, name) for name in names]

    def column(self, dataset: int, name: str) -> int:
        """The node of a column, or what all columns get. A new one is unclassified."""
        count = len(self.nodes.labels)
        node = self.nodes.column(dataset, name)
        if node == count:
            self._open(node)
            self._close(self.nodes.first[dataset] + ALL)
        return node

    def source(self, dataset: int, name: str) -> int:
        """The node of a column that is read, or of all that is in the dataset."""
        return self.column(dataset, name) if name else self.nodes.first[dataset] + ALL

    def declare(self, node: int, by: str, at: int) -> None:
        """Somebody who may has said what is in a column."""
        if self.nodes.role(node) == ROLES:
            self.ledger.declared[node] = (by, at)
            self._close(node)

    def assert_tag(self, tagging: Tagging, source: Source, by: str, what: Asserted) -> int:
        """A tag of a column, or of a whole dataset. Gives the node."""
        node = self.column(self.dataset(tagging.dataset), tagging.column)
        number = self.tags.number(tagging.tag)
        self.ledger.tags.setdefault(node, {}).setdefault(number, {})[source, by] = what
        self.raised.add(node)
        return node

    def withdraw_tag(self, node: int, tag: str) -> None:
        """All assertions of a tag that were made so far are over."""
        number = self.tags.numbers.get(tag)
        if number is not None and number in self.ledger.own(node):
            del self.ledger.tags[node][number]
            if not self.ledger.tags[node]:
                del self.ledger.tags[node]
            self.lowered.add(node)

    def see(self, src: int, dst: int, code: Code, job: int, time: int, how: int = 0) -> None:
        """An edge that the event whose sighting is the last one shows."""
        dataset = int(self.nodes.owner.values[dst])
        replaced = self.ledger.replaced.get((job, dataset), NEVER)
        seen = len(self.ledger.sightings) - 1
        self.edges.see(src, dst, code, job, time=time, seen=seen, how=how, replaced=replaced)

    def spread(self, flows: Flows) -> None:
        """Each target gets every tag of every input."""
        if not flows.inputs:
            return
        sources, latest = self._sources(flows), max(flows.inputs.values())
        for (target, job), time in flows.targets.items():
            for source in sources:
                self.see(source, target, Code.CARRY, job, max(latest, time))
            self.touched.add(int(self.nodes.owner.values[target]))

    def _sources(self, flows: Flows) -> list[int]:
        sources = sorted(self.nodes.first[dataset] + ALL for dataset in flows.inputs)
        if min(len(sources), len(flows.targets)) <= MANY:
            return sources
        hub = self.nodes.hub(tuple(sources))
        for source in sources:
            self.edges.see(source, hub, Code.CARRY, OURS)
        return [hub]

    def run(self, name: str, job: int, at: int, said: Flows) -> None:
        """What an event says of its run, which adds up with what its other events say."""
        run = self.ledger.run(name, at, self.clock)
        run.add(said)
        run.jobs.add(job)
        self.spread(run)
        self.ledger.jobs[job].add(said)
        is_torn = run.last_at - run.first_at > WEEK_MS
        for one in sorted(run.jobs) if is_torn else [job]:
            self._job(self.ledger.jobs[one], is_torn=is_torn)

    def replace(self, job: int, dataset: int, before: int) -> None:
        """The edges of a job to a dataset that were last seen before a time have ended."""
        key = (job, dataset)
        if before > self.ledger.replaced.get(key, NEVER):
            self.ledger.replaced[key] = before
            lost = self.edges.replace(self.into(dataset), job, before)
            self.lowered.update(lost.tolist())
            self.touched.add(dataset)

    def forget_sightings(self) -> None:
        """Let go of the sightings that no edge has as its last one."""
        layers, sightings = self.edges.layers, self.ledger.sightings
        used = np.unique(np.concatenate([np.full(1, -1), *(np.unique(layer.seen) for layer in layers)]))[1:]
        for layer in layers:
            layer.seen[:] = np.where(layer.seen >= 0, np.searchsorted(used, layer.seen), -1)
        self.ledger.sightings = [sightings[number] for number in used.tolist()]
        self.most_sightings = 2 * len(used) + MANY_SIGHTINGS

    def take_coarse(self) -> frozenset[int]:
        """The datasets that became coarse, or no longer are, since this was asked last."""
        moved = frozenset(one for one in self.touched if self._is_coarse(one) != (one in self.coarse))
        self.coarse ^= moved
        self.touched = set()
        return moved

    def end_edge(self, src: int, dst: int) -> None:
        """A person ended the edges between two nodes."""
        for layer, row in list(self.edges.into(dst)):
            hub = int(layer.src[row])
            if self.nodes.role(hub) == HUB and any(int(one.src[place]) == src for one, place in self.edges.into(hub)):
                self._open_hub(hub, dst, src, int(layer.job[row]), int(layer.time[row]))
        if self.edges.end(src, dst):
            self.lowered.add(dst)
            self.touched.add(int(self.nodes.owner.values[dst]))

    def into(self, dataset: int) -> Ints:
        """The nodes of a dataset that edges of jobs lead to."""
        return np.array([self.nodes.first[dataset] + BASE, *self.nodes.columns[dataset].values()], np.int64)

    def _open_hub(self, hub: int, dst: int, without: int, job: int, time: int) -> None:
        """Connect a set of inputs one by one, but for one of them."""
        for layer, row in list(self.edges.into(hub)):
            if int(layer.src[row]) != without:
                self.see(int(layer.src[row]), dst, Code.CARRY, job, time)
        self.edges.end(hub, dst)
        self.lowered.add(dst)

    def _job(self, entry: Job, *, is_torn: bool) -> None:
        entry.is_partly_forgotten = entry.is_partly_forgotten or is_torn
        if entry.is_partly_forgotten:
            self.spread(entry)

    def _is_coarse(self, dataset: int) -> bool:
        return any(
            int(layer.job[row]) >= 0 and self.nodes.role(int(layer.src[row])) in {ALL, HUB}
            for node in self.into(dataset).tolist()
            for layer, row in self.edges.into(node)
        )

    def _open(self, node: int) -> None:
        self.nodes.is_open.values[node] = 1
        self.opened.add(node)

    def _close(self, node: int) -> None:
        if self.nodes.is_open.values[node]:
            self.nodes.is_open.values[node] = 0
            if node in self.opened:
                self.opened.discard(node)
            else:
                self.lowered.add(node)

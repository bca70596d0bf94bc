"""Facts become nodes, edges and assertions. What follows from them is for `graph`."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np

from pdp.lineage.edges import NEVER, Edges
from pdp.lineage.fact import Dataset, Source, Tagging
from pdp.lineage.ledger import Asserted, Ledger, short
from pdp.lineage.nodes import ALL, BASE, HUB, Nodes
from pdp.lineage.tag_bits import Code, Ints, Tags

FEW = 64
"""Edges that each event of a run or a job may see anew (`spreading`)."""
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
        self.few = FEW
        """With 0, each run has hubs of its own."""

    def dataset(self, name: Dataset) -> int:
        """A dataset that something reads or writes. Without columns it is unclassified as a whole."""
        number = self.nodes.dataset(name)
        if number not in self.ledger.met:
            self.ledger.met.add(number)
            whole = self.nodes.first[number] + ALL
            self.set_open(whole, is_open=not self.nodes.columns[number] and not self.is_declared(whole))
        return number

    def columns(self, dataset: int, names: Iterable[str]) -> list[int]:
        """The nodes of columns."""
        return [self.column(dataset, name) for name in names]

    def column(self, dataset: int, name: str) -> int:
        """The node of a column, or what all columns get. A new one is unclassified, unless it is declared already."""
        count = len(self.nodes.labels)
        node = self.nodes.column(dataset, name)
        if node == count:
            self.set_open(node, is_open=not self.is_declared(node))
            self.set_open(self.nodes.first[dataset] + ALL, is_open=False)
        return node

    def source(self, dataset: int, name: str) -> int:
        """The node of a column that is read, or of all that is in the dataset."""
        return self.column(dataset, name) if name else self.nodes.first[dataset] + ALL

    def is_declared(self, node: int) -> bool:
        """Whether somebody said what is in a column, or in a joined one under a name that this one has.

        A dataset without columns is, where that was said of any column of a joined one.
        """
        ledger, nodes = self.ledger, self.nodes
        if node in ledger.declared or not ledger.shared:
            return node in ledger.declared
        dataset, label = int(nodes.owner.values[node]), self.nodes.labels[node]
        name = nodes.datasets[dataset]
        for other in nodes.together(dataset) - {dataset}:
            columns = nodes.columns[other]
            same = columns.values() if label is None else [columns[label]] if label in columns else []
            if any(name in ledger.shared.get(one, ()) for one in same):
                return True
        return False

    def assert_tag(self, tagging: Tagging, source: Source, by: str, what: Asserted) -> int:
        """A tag of a column, or of a whole dataset. Gives the node."""
        node = self.column(self.dataset(tagging.dataset), tagging.column)
        number = self.tags.number(tagging.tag, by)
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
        if time < replaced and src in self.ledger.latest:
            self.ledger.dead.setdefault(src, set()).add((dst, job))
        self.edges.see(src, dst, code, job, time=time, seen=seen, how=how, replaced=replaced)

    def is_over(self, src: int, dst: int, who: int | None) -> bool:
        """Whether a person ended these edges, and this run or job does not bring them back."""
        return src in self.over(who).get(dst, ())

    def over(self, who: int | None) -> Mapping[int, set[int]]:
        """What a person ended and this run or job does not bring back: for each end of such edges, their sources."""
        return self.ledger.ended.get(who, {}) if who is not None else {}

    def who(self, run: str) -> int | None:
        """A run as `is_over` knows it."""
        return short(run) if run and self.ledger.ended else None

    def replace(self, job: int, dataset: int, before: int) -> None:
        """The edges of a job to a dataset that were last seen before a time have ended."""
        key = (job, dataset)
        if before > self.ledger.replaced.get(key, NEVER):
            self.ledger.replaced[key] = before
            for src, dst in self.edges.replace(self.into(dataset), job, before, self.ledger.latest):
                self.lowered.add(dst)
                if src in self.ledger.latest:
                    self.ledger.dead.setdefault(src, set()).add((dst, job))
            self.touched.add(dataset)

    def forget_sightings(self) -> None:
        """Let go of the sightings that no edge has as its last one."""
        layers, sightings = self.edges.layers, self.ledger.sightings
        used = np.unique(np.concatenate([np.full(1, -1), *(np.unique(layer.seen) for layer in layers)]))[1:]
        for layer in layers:
            layer.seen[:] = np.where(layer.seen >= 0, np.searchsorted(used, layer.seen), -1)
        self.ledger.sightings = [sightings[number] for number in used.tolist()]
        self.most_sightings = 2 * len(used) + MANY_SIGHTINGS

    def touch(self, node: int) -> None:
        """An edge from all that is in a dataset leads here: the dataset of this node may have become coarse."""
        dataset = int(self.nodes.owner.values[node])
        if dataset not in self.coarse:
            self.touched.add(dataset)

    def take_coarse(self) -> frozenset[int]:
        """The datasets that became coarse, or no longer are, since this was asked last."""
        moved = frozenset((self._coarse_among(self.touched) ^ self.coarse) & self.touched)
        self.coarse ^= moved
        self.touched = set()
        return moved

    def into(self, dataset: int) -> Ints:
        """The nodes of a dataset that edges of jobs lead to."""
        return np.array([self.nodes.first[dataset] + BASE, *self.nodes.columns[dataset].values()], np.int64)

    def _coarse_among(self, datasets: Collection[int]) -> set[int]:
        """Those with an edge of a job from all columns of an input."""
        if not datasets:
            return set()
        ends, found = np.sort(np.concatenate([self.into(one) for one in datasets])), set[int]()
        for layer in self.edges.layers:
            for rows in layer.rows_into(ends):
                live = rows[(layer.job[rows] >= 0) & (layer.code[rows] < Code.ENDED)]
                ways = zip(layer.src[live].tolist(), layer.dst[live].tolist(), strict=True)
                found.update(int(self.nodes.owner.values[dst]) for src, dst in ways if self.is_whole(src))
        return found

    def is_whole(self, node: int) -> bool:
        """Whether it stands for all that is in one dataset, or in several."""
        role = self.nodes.role(node)
        return role == ALL or (role == HUB and self.edges.lead_to(node))

    def set_open(self, node: int, *, is_open: bool) -> None:
        """A node is unclassified by itself, or is not any more."""
        if bool(self.nodes.is_open.values[node]) == is_open:
            return
        self.nodes.is_open.values[node] = is_open
        if is_open:
            self.opened.add(node)
        elif node in self.opened:
            self.opened.discard(node)
        else:
            self.lowered.add(node)

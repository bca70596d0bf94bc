"""Facts -> the tags that follow from them. Pure: equal logs give equal graphs, in each process and at any time.

1. `prepare` works out what facts change; it may run in a thread, one at a time. `commit` makes it visible, at once and
   in a moment, so that a decision sees all of a fact or nothing. What was prepared must be committed.
2. Tags are added along edges from what changed. Where something may be lost (what a person ended, what a writer
   replaced, rules), everything downstream of it is worked out anew.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import RLock

import numpy as np
from numpy.typing import NDArray

from pdp.lineage.applying import apply
from pdp.lineage.fact import Fact
from pdp.lineage.fixpoint import distinct, downstream, refill, settle
from pdp.lineage.graph_bytes import dump, load
from pdp.lineage.inflow import detours
from pdp.lineage.structure import Structure
from pdp.lineage.tag_bits import WORD, Ints, Masks, Words

FEW = 20_000
"""Nodes that are copied one by one while decisions wait; of more, the whole array is exchanged."""


@dataclass(frozen=True, slots=True)
class Change:
    """What `commit` makes visible: nodes whose tags changed, how many nodes and datasets there are now, and so on.

    `datasets` are those of the nodes if there are few; `coarse` are those that become coarse or no longer are.
    `expires` is when the next tag comes back that was declassified for a while, in ms since 1970, or 0.
    """

    nodes: Ints
    is_whole: bool
    counts: tuple[int, int]
    datasets: frozenset[int]
    joined: Mapping[int, frozenset[int]]
    coarse: frozenset[int]
    tags: Sequence[str]
    expires: int


@dataclass(slots=True)
class Shown:
    """What decisions read. Nodes and datasets from `counts` on are not there yet."""

    bits: Words
    counts: tuple[int, int] = (0, 0)
    joined: dict[int, frozenset[int]] = field(default_factory=dict)
    coarse: set[int] = field(default_factory=set)
    tags: Sequence[str] = ()
    expires: int = 0


class Graph:
    """All that is known of data."""

    def __init__(self) -> None:
        self.structure = Structure()
        self.shown = Shown(np.zeros((2, 1), np.uint64))
        self.lock = RLock()
        """Held while the structure is read or changed."""
        self.watchers: list[Callable[[Change], None]] = []
        """Called with each change when it is visible."""
        self._work = self.shown.bits.copy()
        self._is_behind = self._is_new = False
        self._masks = Masks(self.structure.tags)
        self._known_tags = 1
        self._prepared: Change | None = None

    def apply(self, facts: Sequence[tuple[int, Sequence[Fact]]]) -> None:
        """Take facts of the log, each with the number of its document, and show what follows."""
        self.commit(self.prepare(facts))

    def prepare(self, facts: Sequence[tuple[int, Sequence[Fact]]]) -> Change:
        """Work out what facts change; nothing of it is visible before `commit`."""
        with self.lock:
            if self._prepared:
                raise RuntimeError("what was prepared must be committed first")
            clock = self.structure.clock
            for _, entries in facts:
                for entry in entries:
                    apply(self.structure, entry)
            self._expire(clock)
            self.structure.edges.flush()
            if len(self.structure.ledger.sightings) > self.structure.most_sightings:
                self.structure.forget_sightings()
            self._prepared = self._change(self._propagate())
            return self._prepared

    def commit(self, change: Change) -> None:
        """Make it visible."""
        if change is not self._prepared:
            raise RuntimeError("only what was prepared last can be committed")
        if change.is_whole:
            self.shown.bits, self._work = self._work, self.shown.bits
        else:
            self.shown.bits[:, change.nodes] = self._work[:, change.nodes]
        self._is_behind = change.is_whole
        self.shown.counts, self.shown.tags, self.shown.expires = change.counts, change.tags, change.expires
        self.shown.joined.update(change.joined)
        self.shown.coarse ^= change.coarse
        self._prepared = None
        for watcher in self.watchers:
            watcher(change)

    @property
    def expires(self) -> int:
        """When the next tag comes back that was declassified for a while, in ms since 1970; 0 where none does.

        It does so with the first fact of the log that is later (`Clock`).
        """
        return self.shown.expires

    @property
    def bits(self) -> Words:
        """The tags that belong to the structure as it is. Hold `lock` to read both."""
        return self._work if self._prepared else self.shown.bits

    def dump(self) -> bytes:
        """The graph as bytes for a snapshot; while nothing is prepared."""
        with self.lock:
            if self._prepared:
                raise RuntimeError("what was prepared must be committed first")
            return dump(self.structure, self.shown.bits)

    @classmethod
    def load(cls, encoded: bytes) -> "Graph":
        """What `dump` wrote. The bytes must be known to be ours."""
        graph = cls()
        graph.structure, bits = load(encoded)
        graph.shown.bits, graph.shown.coarse = bits, set(graph.structure.coarse)
        graph.structure.parted = {number for number, others in enumerate(graph.structure.nodes.joined) if others}
        graph._known_tags, graph._is_behind = 0, True
        graph.commit(graph.prepare([]))
        return graph

    def _expire(self, since: int) -> None:
        for (node, _), stops in self.structure.ledger.stops.items():
            if any(since <= stop.until < self.structure.clock for stop in stops if stop.until):
                self.structure.lowered.add(node)

    def _propagate(self) -> Ints:
        structure, layers = self.structure, self.structure.edges.layers
        self._make_room()
        bits = self._work
        ways, through = detours(structure, bits, structure.tags.words)
        region = self._region()
        own = _numbers(structure.raised | structure.opened)
        nodes = [own, *structure.edges.fresh]
        if region is not None:
            bits[:, region] = 0
            self._fill_own(np.flatnonzero(region))
            nodes.append(refill(bits, layers, self._masks, region, ways))
        self._fill_own(own)
        nodes.append(self._fill_through(through))
        moved = [settle(bits, layers, self._masks, distinct(nodes, bits.shape[1]), ways), *nodes]
        if region is not None:
            moved.append(np.flatnonzero(region))
        return distinct(moved, bits.shape[1])

    def _region(self) -> NDArray[np.bool_] | None:
        """The nodes that are worked out anew."""
        structure = self.structure
        if structure.rules_changed:
            region = np.zeros(self._work.shape[1], bool)
            region[: len(structure.nodes.labels)] = True
            return region
        if structure.lowered:
            return downstream(structure.edges.layers, _numbers(structure.lowered), self._work.shape[1])
        return None

    def _fill_own(self, nodes: Ints) -> None:
        """Give nodes the tags that they have by themselves."""
        self._work[0, nodes] |= self.structure.nodes.is_open.values[nodes]
        tagged = self.structure.ledger.tags
        some = tagged.keys() & set(nodes.tolist()) if len(nodes) < len(tagged) else tagged.keys()
        chosen = np.zeros(self._work.shape[1], bool)
        chosen[nodes] = True
        for node in some:
            if chosen[node]:
                self._give(node, node)

    def _give(self, source: int, node: int) -> None:
        for number in self.structure.ledger.own(source):
            self._work[number // WORD, node] |= np.uint64(1 << number % WORD)

    def _fill_through(self, through: Mapping[int, set[int]]) -> Ints:
        for node, sources in through.items():
            for source in sources:
                self._give(source, node)
        return _numbers(through)

    def _make_room(self) -> None:
        """Bring the working copy to what is shown, with room for what is new."""
        words, count = self.structure.tags.words, len(self.structure.nodes.labels)
        if self._is_behind:
            self._work = self.shown.bits.copy()
            self._is_behind = False
        old, room = len(self._work) // 2, self._work.shape[1]
        self._is_new = words > old or count > room
        if self._is_new:
            larger = np.zeros((2 * words, max(count, room if count <= room else 2 * room)), np.uint64)
            larger[:old, :room], larger[words : words + old, :room] = self._work[:old], self._work[old:]
            self._work = larger
        if self._is_new or self.structure.rules_changed or len(self.structure.tags.names) != self._known_tags:
            self._masks = Masks(self.structure.tags)
            self._known_tags = len(self.structure.tags.names)

    def _change(self, nodes: Ints) -> Change:
        """What changed, with a clean sheet for what comes next."""
        structure = self.structure
        parted = {dataset for one in structure.parted for dataset in structure.nodes.together(one)}
        owners = np.unique(structure.nodes.owner.values[nodes]) if len(nodes) <= FEW else np.zeros(0, np.int32)
        change = Change(
            nodes,
            is_whole=self._is_new or len(nodes) > FEW,
            counts=(len(structure.nodes.labels), len(structure.nodes.datasets)),
            datasets=frozenset(owners.tolist()),
            joined={dataset: frozenset(structure.nodes.together(dataset)) for dataset in parted},
            coarse=frozenset(structure.take_coarse()),
            tags=structure.tags.names,
            expires=structure.ledger.next_expiry(structure.clock),
        )
        structure.raised, structure.opened, structure.lowered, structure.parted = set(), set(), set(), set()
        structure.rules_changed, structure.edges.fresh = False, []
        return change


def _numbers(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int64)

"""Edges between nodes: sorted layers of arrays, the oldest the largest, so that a new edge moves few old ones.

An edge is its ends, its way and its job; seen again, it is the same edge, seen later.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from pdp.lineage.tag_bits import WAY_BITS, Code, Ints

CHUNK = 1 << 17
"""Edges that are looked at in one go: temporary arrays stay small, and other threads get their turn."""
RATIO = 32
"""A layer joins the one before it unless that is so many times as large."""
LARGE = 1 << 16
"""A layer of more edges has a table with a number for each node."""
ALWAYS = np.iinfo(np.int64).max
"""The time of what no event can end."""
NEVER = np.iinfo(np.int64).min
OURS = -1
"""The job of edges between nodes of one dataset, and of folders and what is below them."""
ALIAS = -2
"""The job of edges that join two names."""
FIELDS = {
    "pair": np.uint64, "code": np.uint8, "job": np.int32, "time": np.int64, "seen": np.int32, "how": np.int32,
}  # fmt: skip


_COUNT = np.arange(CHUNK)


class Index:
    """Where each number begins and ends among sorted ones: of many by a table, of few by searching them."""

    def __init__(self, numbers: Ints) -> None:
        is_large = len(numbers) > LARGE
        self._starts: Ints = np.cumsum(np.bincount(numbers + np.uint32(1))) if is_large else np.zeros(0, np.int64)
        self._numbers = None if is_large else np.ascontiguousarray(numbers)

    def bounds(self, wanted: Ints) -> tuple[Ints, Ints]:
        """The first place of each wanted number, and the one behind its last."""
        if self._numbers is not None:
            same = wanted.astype(self._numbers.dtype)  # of another type, all numbers would be copied
            return np.searchsorted(self._numbers, same), np.searchsorted(self._numbers, same, side="right")
        last = len(self._starts) - 1
        return self._starts[np.minimum(wanted, last)], self._starts[np.minimum(wanted + 1, last)]


class Layer:
    """Edges sorted by their ends, way and job. `pair` is source << 32 | end.

    `into` are the rows sorted by end, `sources` the sources in that order.
    """

    def __init__(self, fields: dict[str, Ints]) -> None:
        self.fields = fields
        self.pair, self.code, self.job = fields["pair"], fields["code"], fields["job"]
        self.time, self.seen, self.how = fields["time"], fields["seen"], fields["how"]
        halves = self.pair.view(np.uint32)
        self.dst, self.src = halves[::2], halves[1::2]
        self.into = np.argsort(self.dst, kind="stable").astype(np.int32)
        self.sources = self.src[self.into]
        self._into, self._out = Index(self.dst[self.into]), Index(self.src)

    def __len__(self) -> int:
        return len(self.pair)

    def out_of(self, nodes: Ints) -> Iterator[Ints]:
        """Rows of the edges that leave nodes, a chunk at a time."""
        return spans(*self._out.bounds(nodes))

    def first_out(self, nodes: Ints) -> Ints:
        """The first row of the edges that leave each node, or where it would be."""
        return self._out.bounds(nodes)[0]

    def rows_into(self, nodes: Ints) -> Iterator[Ints]:
        """Rows of the edges that lead to nodes, a chunk at a time."""
        return (self.into[places] for places in self.places_into(nodes))

    def places_into(self, nodes: Ints) -> Iterator[Ints]:
        """Their places in `into`."""
        return spans(*self._into.bounds(nodes))

    def leads_to(self, node: int) -> bool:
        """Whether an edge leads to a node."""
        low, high = self._into.bounds(np.array([node]))
        return bool(low[0] < high[0])

    def rows_of(self, pairs: Ints) -> tuple[Ints, Ints]:
        """Rows with such ends, and for each the place in `pairs`."""
        low, high = np.searchsorted(self.pair, pairs), np.searchsorted(self.pair, pairs, side="right")
        return span(low, high), np.repeat(np.arange(len(pairs)), high - low)


def span(low: Ints, high: Ints) -> Ints:
    """All numbers of the ranges from `low` to before `high`."""
    counts = high - low
    total = int(counts.sum())
    found: Ints = np.repeat(low - (np.cumsum(counts) - counts), counts)
    found += _COUNT[:total] if total <= CHUNK else np.arange(total)
    return found


def spans(low: Ints, high: Ints) -> Iterator[Ints]:
    """The same in chunks; a long range is a chunk of its own."""
    some = np.flatnonzero(high > low)
    low, high = low[some], high[some]
    ends = np.cumsum(high - low)
    start = 0
    while start < len(low):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + CHUNK, side="right")))
        yield span(low[start:stop], high[start:stop])
        start = stop


def merged(layers: Iterable[Layer]) -> Layer:
    """One layer of several."""
    parts = list(layers)
    joined = {name: np.concatenate([part.fields[name] for part in parts]) for name in FIELDS}
    order = np.lexsort((joined["job"], joined["code"] & WAY_BITS, joined["pair"]))
    return Layer({name: values[order] for name, values in joined.items()})


class Edges:
    """All edges that were ever seen."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.fresh: list[Ints] = []
        """Sources of edges that carry something new."""
        self._pending: dict[tuple[int, int, int], list[int]] = {}

    def see(
        self, src: int, dst: int, code: Code, job: int, *, time: int = ALWAYS, seen: int = -1, how: int = 0,
        replaced: int = NEVER,
    ) -> None:  # fmt: skip
        """An edge, at the event's `time`; those of its job to that dataset from before `replaced` have ended."""
        key = (src << 32 | dst, code, job)
        known = self._pending.get(key)
        times = max(time, known[0]) if known else time
        self._pending[key] = [times, seen, how, replaced]

    def flush(self) -> None:
        """Put what was seen into layers."""
        if not self._pending:
            return
        new = _arrays(self._pending)
        self._pending = {}
        known = np.zeros(len(new["pair"]), bool)
        for layer in self.layers:
            self._see_again(layer, new, known)
        self._append({name: values[~known] for name, values in new.items()})

    def end(self, src: int, dst: int) -> bool:
        """A person ended the edges between two nodes that were seen so far. True where there were any."""
        self.flush()
        return self._kill(np.array([src << 32 | dst], np.uint64), Code.ENDED, lambda _layer, rows: rows)

    def unlink(self, pairs: list[tuple[int, int]]) -> None:
        """End what joins nodes."""
        self.flush()
        found = np.array([src << 32 | dst for src, dst in pairs], np.uint64)
        self._kill(found, Code.ENDED, lambda layer, rows: rows[layer.job[rows] == ALIAS])

    def replace(self, nodes: Ints, job: int, before: int, latest: Mapping[int, int]) -> list[tuple[int, int]]:
        """End the edges of a job into nodes that were last seen before a time, and give the ends of these edges.

        What comes from a node that is in `latest` was seen at that time, if no later.
        """
        self.flush()
        lost = list[tuple[int, int]]()
        for layer in self.layers:
            for rows in layer.rows_into(nodes):
                old = rows[(layer.job[rows] == job) & (layer.time[rows] < before) & (layer.code[rows] < Code.ENDED)]
                times = np.array([latest.get(src, NEVER) for src in layer.src[old].tolist()], np.int64)
                layer.time[old] = np.maximum(layer.time[old], times)
                old = old[times < before]
                layer.code[old] |= np.uint8(Code.REPLACED)
                lost += zip(layer.src[old].tolist(), layer.dst[old].tolist(), strict=True)
        return lost

    def into(self, node: int) -> Iterator[tuple[Layer, int]]:
        """The edges that lead to a node and have not ended."""
        for layer in self.layers:
            for rows in layer.rows_into(np.array([node])):
                yield from ((layer, row) for row in rows.tolist() if layer.code[row] < Code.ENDED)

    def lead_to(self, node: int) -> bool:
        """Whether any edge leads to a node, ended or not."""
        return any(layer.leads_to(node) for layer in self.layers)

    def compact(self) -> None:
        """Make one layer of all."""
        self.flush()
        self.layers = [merged(self.layers)] if self.layers else []

    def _kill(self, pairs: Ints, code: Code, chosen: Callable[[Layer, Ints], Ints]) -> bool:
        any_died = False
        for layer in self.layers:
            rows = chosen(layer, layer.rows_of(pairs)[0])
            any_died = any_died or bool((layer.code[rows] < Code.ENDED).any())
            layer.code[rows] |= np.uint8(code)
        return any_died

    def _see_again(self, layer: Layer, new: dict[str, Ints], known: NDArray[np.bool_]) -> None:
        rows, places = layer.rows_of(new["pair"])
        same = (layer.code[rows] & WAY_BITS == new["code"][places] & WAY_BITS) & (layer.job[rows] == new["job"][places])
        rows, places = rows[same], places[same]
        known[places] = True
        was = layer.code[rows] < Code.ENDED
        layer.time[rows] = np.maximum(layer.time[rows], new["time"][places])
        layer.seen[rows], layer.how[rows] = new["seen"][places], new["how"][places]
        replaced = np.where(layer.time[rows] < new["replaced"][places], Code.REPLACED, 0).astype(np.uint8)
        layer.code[rows] = layer.code[rows] & WAY_BITS | replaced
        self.fresh.append(layer.src[rows[~was & (replaced == 0)]].astype(np.int64))

    def _append(self, new: dict[str, Ints]) -> None:
        if not len(new["pair"]):
            return
        new["code"] |= np.where(new["time"] < new.pop("replaced"), Code.REPLACED, 0).astype(np.uint8)
        order = np.lexsort((new["job"], new["code"] & WAY_BITS, new["pair"]))
        layer = Layer({name: values[order] for name, values in new.items()})
        self.fresh.append(layer.src[layer.code < Code.ENDED].astype(np.int64))
        self.layers.append(layer)
        while len(self.layers) > 1 and len(self.layers[-1]) * RATIO >= len(self.layers[-2]):
            self.layers[-2:] = [merged(self.layers[-2:])]


def _arrays(pending: dict[tuple[int, int, int], list[int]]) -> dict[str, Ints]:
    pair, code, job = zip(*pending, strict=True)
    time, seen, how, replaced = zip(*pending.values(), strict=True)
    values = {"pair": pair, "code": code, "job": job, "time": time, "seen": seen, "how": how}
    arrays = {name: np.array(values[name], dtype) for name, dtype in FIELDS.items()}
    return arrays | {"replaced": np.array(replaced, np.int64)}

"""The view of one resource, which decisions, records and masks get: ready bytes into which a revision is put."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pdp.canonical import jcs
from pdp.lineage.fact import UNCLASSIFIED, Dataset
from pdp.lineage.graph import Change, Graph
from pdp.lineage.name import Names, folded
from pdp.lineage.nodes import ALL, BASE
from pdp.lineage.origins import Origin, Origins, Place
from pdp.lineage.resource import DATASET, MANY, Resources
from pdp.lineage.tag_bits import tags_of
from pdp.lineage.view import Revision, State, View
from pdp.lineage_settings import LineageSettings

MAX_COLUMNS = 2000
"""Columns that a view lists for the policy."""
MAX_COLUMN_BYTES = 16 * 1024
"""Bytes of JSON that they fill."""
MAX_KEPT = 300_000
"""Columns of all views that are kept, of about 150 bytes each; with more, all are made anew."""
WEIGHT = 10
"""What a view costs beside its columns and datasets, in columns."""
Key = tuple[str, str]
Known = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class Kept:
    """A view, the bytes before and after its revision, and the tags of each column and of those that are not known."""

    view: View
    before: bytes
    after: bytes
    known: Known = field(default_factory=dict)
    others: Sequence[str] = (UNCLASSIFIED,)


class Views:
    """Answers about resources, as the graph shows it now."""

    def __init__(self, graph: Graph, settings: LineageSettings) -> None:
        self._graph = graph
        names = Names(settings.schemes, settings.exact_case, settings.partitions)
        self._resources = Resources(settings.resources, names)
        self._types = {DATASET, *map(folded, [*settings.types, *(entry.type for entry in settings.resources)])}
        self._kept: dict[Key, Kept] = {}
        self._users: dict[int, set[Key]] = {}
        self._weight = self._datasets = 0
        graph.watchers.append(self._forget)

    def view(self, resource_type: str, resource_id: str, revision: Revision) -> View:
        """What is known of a resource, as of the revision that the graph shows."""
        kept = self._kept.get((resource_type, resource_id)) or self._keep(resource_type, resource_id)
        view = kept.view
        if view.revision is not revision:
            text = b'{"head":"%b","n":%d}' % (revision.head.encode(), revision.n)
            view = kept.view = View(
                view.state, view.datasets, view.tags, view.columns, view.coarse, revision,
                kept.before + text + kept.after, view.digest,
            )  # fmt: skip
        return view

    def columns_of(self, resource_type: str, resource_id: str, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The tags of columns, by the caller's spelling. Empty where the type is not one of data."""
        kept = self._kept.get((resource_type, resource_id)) or self._keep(resource_type, resource_id)
        if kept.view.state == State.NONE:
            return {}
        return {name: kept.known.get(folded(name), kept.others) for name in names}

    def origins(self, resource_type: str, resource_id: str, stand_in: Dataset) -> Origins:
        """Where the columns of a resource come from. `stand_in` is the dataset for one of which none is known.

        A resource that is not known yet is what the configuration names, or what its id is as a URI.
        """
        state, datasets = self._fitting(resource_type, resource_id)
        if datasets:
            return Origins(stand_in, list(self._origins(datasets)))
        named = self._resources.sure(resource_type, resource_id) if state is State.UNKNOWN else ()
        nodes = self._graph.structure.nodes
        return Origins(stand_in, [Origin(name, is_folder=nodes.is_above(name)) for name in sorted(named)])

    def _origins(self, datasets: Sequence[int]) -> Iterator[Origin]:
        """Each dataset with those that are the same, and what lies below, sorted."""
        shown, nodes = self._graph.shown, self._graph.structure.nodes
        below = self._below(datasets)
        for names in sorted({tuple(sorted(shown.joined.get(one, (one,)))) for one in below}):
            columns = dict[str, list[Place]]()
            for one in names:
                for name, node in list(nodes.columns[one].items()):
                    if node < shown.counts[0]:
                        columns.setdefault(folded(name), []).append((nodes.datasets[one], name))
            yield Origin(
                nodes.datasets[names[0]],
                columns,
                is_own=names[0] in datasets,
                is_folder=any(nodes.children[one] for one in names),
                is_tagged=bool(self._tags([nodes.first[names[0]] + BASE])),
            )

    def names_of(self, resource_type: str, resource_id: str) -> Sequence[str]:
        """The names of all columns of the resource, sorted; also of those without tags."""
        kept = self._kept.get((resource_type, resource_id)) or self._keep(resource_type, resource_id)
        datasets = kept.view.datasets
        shown, nodes = self._graph.shown, self._graph.structure.nodes
        below = self._below([nodes.numbers[one] for one in datasets])
        return sorted(
            {name for one in below for name, node in list(nodes.columns[one].items()) if node < shown.counts[0]}
        )

    def _keep(self, resource_type: str, resource_id: str) -> Kept:
        key = (resource_type, resource_id)
        if folded(resource_type) not in self._types:
            return self._remember(key, (), _kept(View(State.NONE)))
        state, datasets = self._fitting(resource_type, resource_id)
        below = self._below(datasets)
        kept = self._known(datasets, below) if state is State.KNOWN else self._not_known(state, datasets)
        return self._remember(key, below, kept)

    def _fitting(self, resource_type: str, resource_id: str) -> tuple[State, list[int]]:
        """Whether a resource is known, and its datasets under all their names: with many of them, also all."""
        shown = self._graph.shown
        fits = self._resources.fitting(resource_type, resource_id, self._graph.structure.nodes, shown.counts[1])
        names = {shown.joined.get(number, frozenset({number})) for number in fits}
        state = State.UNKNOWN if not names else State.KNOWN if len(names) <= MANY else State.AMBIGUOUS
        return state, sorted({number for one in names for number in one})

    def _not_known(self, state: State, datasets: Sequence[int]) -> Kept:
        """Data that is not known. Each column has the tags of all datasets that fit, so that no name takes one away."""
        tags = _union(
            self._tags(self._graph.structure.nodes.first[number] + ALL for number in datasets), (UNCLASSIFIED,)
        )
        return _kept(View(state, tags=tags, coarse=bool(datasets)), others=tags)

    def _below(self, datasets: Sequence[int]) -> list[int]:
        """Datasets with all that lies below them."""
        shown, children = self._graph.shown, self._graph.structure.nodes.children
        found, waiting = set(datasets), list(datasets)
        while waiting:
            one = waiting.pop()
            near = {*list(children[one]), *shown.joined.get(one, ())} - found
            new = {number for number in near if number < shown.counts[1]}
            found |= new
            waiting += new
        return sorted(found)

    def _known(self, datasets: Sequence[int], below: Sequence[int]) -> Kept:
        shown, nodes = self._graph.shown, self._graph.structure.nodes
        columns = self._columns(below)
        named = sorted(nodes.datasets[number] for number in datasets)
        tags = self._tags(nodes.first[number] + ALL for number in datasets)
        tagged = {name: tags for name, tags in columns.items() if tags}
        known = dict[str, Sequence[str]]()
        for name, some in columns.items():
            known[folded(name)] = _union(known.get(folded(name), ()), some)
        self._spread(known, below)
        others = _union(self._tags(nodes.first[number] + BASE for number in below), (UNCLASSIFIED,))
        coarse = not shown.coarse.isdisjoint(datasets)
        return _kept(View(State.KNOWN, named, tags, tagged, coarse), known, others)

    def _spread(self, known: dict[str, Sequence[str]], datasets: Sequence[int]) -> None:
        """Give each column what all columns of those datasets have that do not list it: of files in a folder."""
        shown, nodes = self._graph.shown, self._graph.structure.nodes
        tagged = np.any(shown.bits[:, [nodes.first[number] + BASE for number in datasets]], axis=0)
        for number in (datasets[place] for place in np.flatnonzero(tagged).tolist()):
            listed = {folded(name) for name, node in list(nodes.columns[number].items()) if node < shown.counts[0]}
            tags = self._tags([nodes.first[number] + BASE])
            known.update({name: _union(known[name], tags) for name in known.keys() - listed})

    def _columns(self, datasets: Sequence[int]) -> dict[str, Sequence[str]]:
        """The columns of datasets with their tags, sorted by name; equal names are one column."""
        shown, nodes = self._graph.shown, self._graph.structure.nodes
        found = [pair for one in datasets for pair in list(nodes.columns[one].items()) if pair[1] < shown.counts[0]]
        words = shown.bits[:, [node for _, node in found]].T
        read = dict[bytes, Sequence[str]]()
        columns = dict[str, Sequence[str]]()
        for (name, _), row in sorted(zip(found, words, strict=True), key=lambda pair: pair[0]):
            some = read.get(row.tobytes())
            if some is None:
                some = read[row.tobytes()] = tags_of(shown.tags, row.tolist())
            columns[name] = _union(columns[name], some) if name in columns else some
        return columns

    def _tags(self, nodes: Iterable[int]) -> Sequence[str]:
        shown = self._graph.shown
        words = np.bitwise_or.reduce(shown.bits[:, list(nodes)], axis=1)
        return tags_of(shown.tags, words.tolist())

    def _remember(self, key: Key, datasets: Sequence[int], kept: Kept) -> Kept:
        self._weight += WEIGHT + len(kept.known) + len(datasets)
        if self._weight > MAX_KEPT:
            self._clear()
        self._kept[key] = kept
        for number in datasets:
            self._users.setdefault(number, set()).add(key)
        return kept

    def _forget(self, change: Change) -> None:
        """Drop what a change may have made untrue."""
        if change.is_whole or change.joined or change.counts[1] != self._datasets:
            self._datasets = change.counts[1]
            self._clear()
        for number in change.datasets | change.coarse:
            for key in self._users.pop(number, ()):
                self._kept.pop(key, None)

    def _clear(self) -> None:
        self._kept, self._users, self._weight = {}, {}, 0


def _union(some: Sequence[str], others: Sequence[str]) -> Sequence[str]:
    return sorted({*some, *others})


def _kept(view: View, known: Known | None = None, others: Sequence[str] = (UNCLASSIFIED,)) -> Kept:
    plain = all(map(str.isascii, view.columns))
    columns = jcs(view.columns, plain=plain)
    datasets = [dataset._asdict() for dataset in view.datasets]
    digest = _digest(jcs({"columns": view.columns, "datasets": datasets, "tags": view.tags}, plain=plain))
    is_cut = len(view.columns) > MAX_COLUMNS or len(columns) > MAX_COLUMN_BYTES
    before = {"coarse": view.coarse, "columns": {} if is_cut else view.columns, "datasets": datasets}
    after = {"state": view.state, "tags": view.tags} | ({"truncated": True} if is_cut else {})
    return Kept(
        replace(view, digest=digest),
        jcs(before, plain=plain)[:-1] + b',"revision":',
        b"," + jcs(after, plain=True)[1:],
        known or {},
        others,
    )


def _digest(encoded: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(encoded).digest()).rstrip(b"=").decode()

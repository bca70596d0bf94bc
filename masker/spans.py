"""JSON documents as text: where the values at given paths stand, and the text with others in their place."""

import dataclasses
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from masker.kernels import json_scan
from masker.kernels.column import Bytes, Flags, Offsets, Text, ends, text_from
from masker.kernels.json_string import splice
from masker.path import ITEM, Path, Step

DEPTH = 32
"""Steps of a path at most. Far beyond real records, and far below where Python's JSON parser gives up."""
_COLUMNS = 8


class PathTree:
    """Paths as the kernel reads them. A document in which an object has a step of `once` twice has a problem."""

    def __init__(self, paths: Sequence[Path], once: Collection[Path] = ()) -> None:
        self.paths = paths
        self._children: list[dict[Step, int]] = [{}]
        ended = [self._node(path) for path in paths]
        names = [[(step, child) for step, child in each.items() if step is not ITEM] for each in self._children]
        texts = text_from([step.encode("utf-8", "surrogatepass") for each in names for step, _ in each])
        self.keys = texts.data
        self.nodes = np.full((len(self._children), _COLUMNS), -1, np.int64)
        for each, children in zip(self.nodes, self._children, strict=True):
            each[json_scan.ITEM] = children.get(ITEM, -1)
        self._link(names, texts.offsets)
        self.nodes[ended, json_scan.LEAF] = np.arange(len(paths))
        self.nodes[:, json_scan.PREFIX] = [bool(children) for children in self._children]
        self.nodes[0, json_scan.PREFIX] = 0
        self.nodes[:, json_scan.ONCE] = 0
        for path in once:
            for length in range(1, len(path) + 1):
                self.nodes[self._node(path[:length]), json_scan.ONCE] = 1

    def _node(self, path: Path) -> int:
        node = 0
        for step in path:
            if step not in self._children[node]:
                self._children[node][step] = len(self._children)
                self._children.append({})
            node = self._children[node][step]
        return node

    def _link(self, names: list[list[tuple[str, int]]], places: Offsets) -> None:
        """Chain the children of each node, with their keys."""
        key = 0
        for parent, children in enumerate(names):
            before, column = parent, json_scan.FIRST
            for _, child in children:
                self.nodes[before, column] = child
                self.nodes[child, json_scan.BEGIN : json_scan.END + 1] = places[key : key + 2]
                before, column, key = child, json_scan.NEXT, key + 1


@dataclasses.dataclass(frozen=True)
class Spans:
    """Where values stand, in the order of the text: a row, the number of its path, start and stop for each.

    `kinds` says what each value is, `problems` what is wrong with each document, as `json_scan` names it. A span of
    text is without its quotation marks.
    """

    documents: Text
    where: NDArray[np.int64]
    kinds: Bytes
    problems: Bytes

    @property
    def is_text(self) -> Flags:
        """Whether each value is text."""
        return self.kinds <= json_scan.ESCAPED

    def only(self, chosen: Flags) -> "Spans":
        """The chosen spans."""
        return Spans(self.documents, self.where[chosen], self.kinds[chosen], self.problems)

    def replaced(self, parts: Bytes, places: Offsets, lengths: Offsets) -> Text:
        """The documents with JSON of `parts` in the place of each value; all other bytes stay."""
        whole = self.where + np.stack([0 * lengths, 0 * lengths, -1 * self.is_text, 1 * self.is_text], axis=1)
        grown = np.bincount(whole[:, 0], lengths - (whole[:, 3] - whole[:, 2]), len(self.documents)).astype(np.int64)
        plain = np.where(self.documents.valid, np.diff(self.documents.offsets), 0)
        into = ends(plain + grown)
        output = np.zeros(int(into[-1]), np.uint8)
        of = self.documents
        splice(of.data, of.offsets, of.valid, whole, parts, places, lengths, output, into)
        return Text(output, into, of.valid)


def spans(documents: Text, tree: PathTree, wanted: Flags, *, covers: bool) -> Spans:
    """Find the values at the wanted paths. With `covers`, a value at no path of the tree is a document's problem."""
    low, high = int(documents.offsets[0]), int(documents.offsets[-1])
    room = sum(int(np.count_nonzero(documents.data[low:high] == mark)) for mark in b"[,:") + len(documents)
    where, kinds = np.zeros((room, 4), np.int64), np.zeros(room, np.uint8)
    problems = np.zeros(len(documents), np.uint8)
    longest = int(np.diff(documents.offsets).max(initial=0))
    count = json_scan.scan(
        documents.data, documents.offsets, documents.valid, tree.keys, tree.nodes, np.zeros(len(tree.nodes), np.int64),
        wanted, covers, DEPTH, np.zeros((3, DEPTH + 2), np.int64), np.zeros(longest, np.uint8), where, kinds, problems,
    )  # fmt: skip
    return Spans(documents, where[:count], kinds[:count], problems)

"""The nodes of the graph, and how those of one dataset hang together.

1. A dataset has three nodes: `BASE` (its own tags, and what every column gets), `COLUMNS` (the union of its columns)
   and `ALL` (that, and what lies below it in a folder). Each column is a node, and so is each large set of inputs.
2. What is below a folder gets what the folder has; the folder's `ALL` gets theirs.
3. Names that are one dataset share what their nodes of equal role and name have.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence

from pdp.lineage.edges import ALIAS, OURS, Edges
from pdp.lineage.fact import Dataset
from pdp.lineage.growing import Growing
from pdp.lineage.name import above, folded
from pdp.lineage.tag_bits import Code

BASE = 0
"""Where the node of what every column gets stands, counted from a dataset's first node."""
COLUMNS = 1
"""Where the union of the columns stands."""
ALL = 2
"""Where everything stands."""
ROLES = 3
"""The nodes of a dataset without columns; the role of a column."""
HUB = -1
"""The owner of nodes of no dataset."""


class Nodes:
    """Datasets and columns by number, in the order in which they were met. Nothing is ever taken out."""

    def __init__(self, edges: Edges) -> None:
        self.edges = edges
        self.numbers: dict[Dataset, int] = {}
        self.datasets: list[Dataset] = []
        self.first: list[int] = []
        self.columns: list[dict[str, int]] = []
        self.children: list[list[int]] = []
        """For each dataset those below it, if it is a folder."""
        self.joined: list[set[int]] = []
        """For each dataset those that are the same by a direct word."""
        self.endings: dict[str, list[int]] = {}
        """Datasets by the last part of their name."""
        self.hubs: dict[tuple[int, ...], int] = {}
        self.owner = Growing("int32")
        self.is_open = Growing("uint8")
        """1 at nodes that are unclassified by themselves."""
        self.labels: list[str | None] = []
        self._paths: dict[str, list[tuple[str, int]]] = {}

    def dataset(self, name: Dataset) -> int:
        """The number of a dataset, a new one if need be."""
        found = self.numbers.setdefault(name, len(self.datasets))
        if found == len(self.datasets):
            self._add(name, found)
        return found

    def column(self, dataset: int, name: str) -> int:
        """The node of a column, a new one if need be; without a name, what every column gets."""
        if not name:
            return self.first[dataset] + BASE
        found = self.columns[dataset].get(name)
        return self._add_column(dataset, name) if found is None else found

    def find(self, name: Dataset, column: str, role: int) -> int | None:
        """The node of a column, or of this role without a column's name, if it was ever met."""
        dataset = self.numbers.get(name)
        if dataset is None:
            return None
        return self.columns[dataset].get(column) if column else self.first[dataset] + role

    def hub(self, key: tuple[int, ...]) -> int:
        """The node of a set of inputs, which all that have the same ones share."""
        if key not in self.hubs:
            self.hubs[key] = self._node(HUB, None)
        return self.hubs[key]

    def own_hub(self) -> int:
        """The node of a set of inputs that grows."""
        return self._node(HUB, None)

    def role(self, node: int) -> int:
        """`BASE`, `COLUMNS`, `ALL`, `HUB`, or `ROLES` for a column."""
        dataset = int(self.owner.values[node])
        return HUB if dataset == HUB else min(node - self.first[dataset], ROLES)

    def where(self, node: int) -> tuple[Dataset, str]:
        """Dataset and column of a node; the column is empty for a dataset's own ones."""
        return self.datasets[int(self.owner.values[node])], self.labels[node] or ""

    def join(self, one: int, other: int) -> None:
        """Two names are one dataset."""
        self.joined[one].add(other)
        self.joined[other].add(one)
        for ends in self.shared(one, other):
            self._both(*ends)

    def is_above(self, name: Dataset) -> bool:
        """Whether known datasets lie below this one, known or not."""
        paths, path = self._paths.get(name.namespace, []), "" if name.name == "/" else name.name + "/"
        place = bisect_left(paths, (path,))
        return any(one.startswith(path) for one, _ in paths[place : place + 1])

    def part(self, one: int, other: int) -> bool:
        """What joined two names is over. False if nothing did."""
        if other not in self.joined[one]:
            return False
        self.joined[one].discard(other)
        self.joined[other].discard(one)
        self.edges.unlink([pair for ends in self.shared(one, other) for pair in (ends, ends[::-1])])
        return True

    def shared(self, one: int, other: int) -> Iterator[tuple[int, int]]:
        """The nodes of two datasets that are the same while these are joined."""
        yield from zip(self.own(one), self.own(other), strict=True)
        mine, theirs = self.columns[one], self.columns[other]
        yield from ((mine[name], theirs[name]) for name in mine if name in theirs)

    def own(self, dataset: int) -> Sequence[int]:
        """The nodes that a dataset has beside its columns."""
        return range(self.first[dataset], self.first[dataset] + ROLES)

    def together(self, dataset: int) -> set[int]:
        """All names of one dataset."""
        return closure([dataset], self.joined)

    def _add(self, name: Dataset, number: int) -> None:
        self._enter(name, len(self.labels))
        base, columns, everything = (self._node(number, None) for _ in range(ROLES))
        self.edges.see(base, everything, Code.WITHIN, OURS)
        self.edges.see(columns, everything, Code.WITHIN, OURS)
        self._put_into_folders(name, number)

    def restore(self, datasets: Sequence[Dataset], first: Sequence[int], labels: list[str | None]) -> None:
        """Enter what was known before; owners are there already."""
        self.labels = labels
        for number, name in enumerate(datasets):
            self.numbers[name] = number
            self._enter(name, first[number])
        for node, (owner, label) in enumerate(zip(self.owner.values.tolist(), labels, strict=True)):
            if label is not None:
                self.columns[owner][label] = node
        for name, number in self.numbers.items():
            lies_in = list(above(name))
            for folder in lies_in:
                if folder in self.numbers:
                    self.children[self.numbers[folder]].append(number)
            if lies_in or name.name == "/":
                self._paths.setdefault(name.namespace, []).append((name.name, number))
        for paths in self._paths.values():
            paths.sort()

    def _enter(self, name: Dataset, first: int) -> None:
        self.endings.setdefault(last_part(name.name), []).append(len(self.datasets))
        self.datasets.append(name)
        self.first.append(first)
        self.columns.append({})
        self.children.append([])
        self.joined.append(set())

    def _add_column(self, dataset: int, name: str) -> int:
        node = self._node(dataset, name)
        self.columns[dataset][name] = node
        self.edges.see(self.first[dataset] + BASE, node, Code.WITHIN, OURS)
        self.edges.see(node, self.first[dataset] + COLUMNS, Code.WITHIN, OURS)
        for other in self.joined[dataset]:
            if name in self.columns[other]:
                self._both(node, self.columns[other][name])
        return node

    def _node(self, owner: int, label: str | None) -> int:
        self.owner.append(owner)
        self.is_open.append(0)
        self.labels.append(label)
        return len(self.labels) - 1

    def _both(self, one: int, other: int) -> None:
        self.edges.see(one, other, Code.WITHIN, ALIAS)
        self.edges.see(other, one, Code.WITHIN, ALIAS)

    def _put_into_folders(self, name: Dataset, number: int) -> None:
        if not any(above(name)) and name.name != "/":
            return
        paths = self._paths.setdefault(name.namespace, [])
        path = "" if name.name == "/" else name.name + "/"
        for place in range(bisect_left(paths, (path,)), len(paths)):
            if not paths[place][0].startswith(path):
                break
            self._put_into(number, paths[place][1])
        for folder in above(name):
            if folder in self.numbers:
                self._put_into(self.numbers[folder], number)
        insort(paths, (name.name, number))

    def _put_into(self, folder: int, child: int) -> None:
        self.children[folder].append(child)
        above, below = self.first[folder], self.first[child]
        self.edges.see(above + BASE, below + BASE, Code.WITHIN, OURS)
        self.edges.see(above + COLUMNS, below + BASE, Code.WITHIN, OURS)
        self.edges.see(below + ALL, above + ALL, Code.WITHIN, OURS)


def closure(start: Sequence[int], steps: Sequence[Sequence[int] | set[int]]) -> set[int]:
    """All numbers that steps lead to, the first ones included."""
    found, waiting = set(start), list(start)
    while waiting:
        new = set(steps[waiting.pop()]) - found
        found |= new
        waiting += new
    return found


def last_part(name: str) -> str:
    """What is behind the last dot or slash of a name."""
    return folded(name).replace("/", ".").rpartition(".")[2]

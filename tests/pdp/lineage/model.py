"""What is known of data -> its tags, by sets and plain loops: what the graph must say, too."""

from typing import TypeAlias

from pdp.lineage.fact import Dataset, TagRule, Way
from pdp.lineage.name import above
from pdp.sensitivity import UNCLASSIFIED

Node: TypeAlias = tuple[Dataset, str]  # of a column; or of "" (what all columns get), "*" (the columns), "**" (all)
Sources: TypeAlias = set[tuple[Node, Way | None]]  # None is within a dataset
Ways: TypeAlias = set[tuple[Node, Node, Way | None]]


class Model:
    def __init__(self) -> None:
        self.names, self.met, self.now = set[Dataset](), set[Dataset](), 0
        self.columns, self.declared, self.own = set[Node](), set[Node](), dict[Node, set[str]]()
        self.links, self.shared = set[tuple[Dataset, Dataset]](), set[tuple[Node, Dataset]]()
        self.edges, self.travels, self.stops = Ways(), dict[str, TagRule](), list[tuple[Node, str, Sources, int]]()

    def effective(self) -> dict[Node, set[str]]:
        """The tags of each node: the smallest sets that hold its own ones and what its ways bring."""
        found = {node: set(self.own.get(node, ())) for node in self.nodes()}
        lent = {(other, node[1]) for node, other in self.shared if other in self.same(node[0])}
        bare = self.met - {dataset for dataset, _ in self.columns | lent}
        for node in self.columns - self.declared - lent | {(one, "**") for one in bare}:
            found[node].add(UNCLASSIFIED)
        brings = {way: set[str]() for way in self.ways()}  # with the tags that stop there
        for node in {stop[0] for stop in self.stops} & found.keys():
            sources, through = self.sources(node)
            found[node] |= {tag for one in through for tag in self.own.get(one, ())}
            brings = {way: stopped for way, stopped in brings.items() if way[1] != node}
            tags = {stop[1] for stop in self.stops}
            ends = {tag: sources - self.arriving(node, tag, set()) for tag in tags}
            brings |= {(src, node, way): {tag for tag in tags if (src, way) in ends[tag]} for src, way in sources}
        before = -1
        while before != (before := sum(map(len, found.values()))):
            for (src, dst, way), stopped in brings.items():
                found[dst] |= {one for tag in found[src] if (one := self.carried(tag, way))} - stopped
        return found

    def carried(self, tag: str, way: Way | None) -> str | None:
        """What becomes of a tag on a way; None if it ends there."""
        rule = self.travels.get(tag.removesuffix(":masked").partition("=")[0], TagRule())
        if way is None or (tag == UNCLASSIFIED and (way != Way.INDIRECT or rule.indirect)):
            return tag
        if tag == UNCLASSIFIED or not rule.propagate or way == Way.STOPPED:
            return None
        if way == Way.MASKED:
            return None if rule.stops_on_mask else tag.removesuffix(":masked") + ":masked"
        return tag if way == Way.CARRY or rule.indirect else None

    def ways(self) -> Ways:
        """The edges; and how the nodes of a dataset hang together, folders with what lies in them, and joined names."""
        found = {((one, role), (one, "**")) for one in self.names for role in ("", "*")}
        found |= {ends for one, name in self.columns for ends in (((one, ""), (one, name)), ((one, name), (one, "*")))}
        for one, above_it in {one: {*above(one)} & self.names for one in self.names}.items():
            found |= {((folder, role), (one, "")) for folder in above_it for role in ("", "*")}
            found |= {((one, "**"), (folder, "**")) for folder in above_it}
        twins = {(node, (b, node[1])) for a, b in self.links for node in self.nodes() if node[0] == a}
        found |= {(node, twin) for node, twin in twins if twin in self.nodes()}
        return self.edges | {(src, dst, None) for src, dst in found}

    def sources(self, node: Node) -> tuple[Sources, set[Node]]:
        """What a node gets tags from, and what it was seen through: what all columns of a dataset get."""
        found, through, waiting = Sources(), {node}, list[tuple[Node, Way | None]]([(node, None)])
        for end, by in waiting:
            near = {(src, way or by) for src, dst, way in self.ways() if dst == end}
            found |= {one for one in near if one[0][1]}
            waiting += [one for one in near if not one[0][1] and one[0] not in through]
            through |= {src for src, _ in near if not src[1]}
        return found, through

    def arriving(self, node: Node, tag: str, past: set[Node]) -> Sources:
        """The sources from which a tag comes to a node: on some way it stops nowhere."""
        found = Sources()
        for src, dst, way in self.ways():
            if dst == node and src[1]:
                found.add((src, way))
            elif dst == node and src not in past:
                found |= {(first, way or by) for first, by in self.arriving(src, tag, past | {node})}
        live = [stop for stop in self.stops if stop[:2] == (node, tag) and not 0 < stop[3] < self.now]
        return found - {source for stop in live for source in stop[2]}

    def nodes(self) -> set[Node]:
        return self.columns | {(one, role) for one in self.names for role in ("", "*", "**")}

    def same(self, one: Dataset) -> set[Dataset]:
        found = {one}
        for _ in self.links:
            found |= {b for a, b in self.links if a in found}
        return found

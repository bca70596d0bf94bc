"""Facts -> tags by sets and plain loops: what the graph must say, too."""

from collections.abc import Sequence
from itertools import product
from typing import Any

from pdp.lineage import fact
from pdp.lineage.fact import UNCLASSIFIED, Dataset, TagRule, Way
from pdp.lineage.ledger import FORGOTTEN_MS, WEEK_MS
from pdp.lineage.name import above

INF = float("inf")
Node = tuple[Dataset, str]  # of a column; or of "" (what all columns get), "*" (the columns), "**" (all there is)


class Model:
    def __init__(self, facts: Sequence[Any]) -> None:
        self.columns, self.met, self.declared, self.links = set[Node](), set[Dataset](), set[Node](), set[Any]()
        self.own, self.edges, self.replaced = dict[Node, set[str]](), dict[Any, float](), dict[Any, float]()
        self.ended, self.runs, self.travels, self.torn = set[Any](), dict[str, Any](), dict[str, TagRule](), set[Any]()
        self.stops, self.clock, self.names = list[Any](), 0, set[Dataset]()
        self.shared, self.over = set[tuple[Node, Dataset]](), set[Any]()
        for one in facts:
            self.clock = max(self.clock, one.at)
            getattr(self, type(one).__name__.lower())(one)

    def meet(self, dataset: Dataset, *columns: str) -> Dataset:
        self.met.add(dataset)
        self.names.add(dataset)
        self.columns |= {(dataset, column) for column in columns if column}
        return dataset

    def see(self, src: Node, dst: Node, way: Way, job: Any, time: float, who: Any = None) -> None:
        key = (src, dst, way, job)
        if (src, dst, who) in self.over:
            return
        self.edges[key] = max(time, self.edges.get(key, time))
        self.ended.discard(key)

    def event(self, event: fact.Event) -> None:
        time = INF if event.event_time is None else event.event_time
        inputs, targets = {self.meet(one): time for one in event.inputs}, dict[Any, float]()
        for dataset, columns in event.schemas.items():
            self.meet(dataset, *columns)
        for out in event.outputs:
            self.meet(out.dataset, *out.columns)
            if out.replaces and event.job and time != INF:
                key = (event.job, out.dataset)
                self.replaced[key] = max(time, self.replaced.get(key, time))
            named = {*(out.named or ()), *(edge.column for edge in out.edges)}
            for edge in out.edges:
                inputs[self.meet(edge.source, edge.source_column)] = time
                dst = (self.meet(out.dataset, edge.column), edge.column)
                self.see((edge.source, edge.source_column or "**"), dst, edge.way, event.job, time, event.run)
                self.declared |= {dst} if event.classifies and edge.column else set()
            whole = out.named is None or out.is_tainted
            rest = [] if out.is_complete else [column for column in out.columns if column not in named]
            targets |= {((out.dataset, column), event.job): time for column in ([""] if whole else rest)}
        name = event.run or str(len(self.runs))
        if self.runs.get(name, (0, 0, event.at))[2] < self.clock - FORGOTTEN_MS:
            self.runs[name] = [{}, {}, -FORGOTTEN_MS, event.at, set(), set(), []]
        run = self.runs.setdefault(name, [{}, {}, event.at, event.at, set(), set(), []])
        run[5] |= {out.dataset for out in event.outputs}
        run[6].append((event, time))
        more = self.disagreeing(run[6]) if event.run else {}
        self.spread(run, inputs, targets | more, event.run)
        run[2:4] = [min(run[2], event.at), max(run[3], event.at)]
        if event.run:
            run[4].add(event.job)
            torn = run[4] if run[3] - run[2] > WEEK_MS else set()
            self.torn |= torn
            job = self.runs.setdefault(str(event.job), [{}, {}, 0, 0])
            self.spread(job, inputs, targets, event.job, real=event.job in self.torn)
            for one in {*torn, *(job for _, job in more)}:
                mine = {target: time for target, time in more.items() if target[1] == one}
                self.spread(self.runs[str(one)], {}, mine, one, real=one in self.torn)
        for one, other in event.aliases:
            self.names |= {one, other}
            self.links |= {frozenset((one, other))} if one != other else set()
        for tag in event.tags:
            self.tag(tag, declares=event.classifies)

    def disagreeing(self, events: Any) -> dict[Any, float]:
        """The outputs whose facets do not fit to what another event of the run lists."""
        found = dict[Any, float]()
        for (event, time), (other, _) in product(events, events):
            facets = [out for out in event.outputs if out.named is not None]
            edges = [edge for out in facets for edge in out.edges]
            own, lists = (
                {**{n: n for n in one.inputs}, **{b: a for a, b in one.aliases if a in one.inputs}}
                for one in (event, other)
            )
            known = own | lists
            named = {
                edge: next((known[n] for n in (edge.source, *above(edge.source)) if n in known), None) for edge in edges
            }
            partial = set(known.values()) - {named[edge] for edge in edges if edge.column} and known != own
            every = None in named.values()
            for out in facets if partial else ():
                if every or not (out.columns or own):
                    key = ((out.dataset, ""), event.job)
                    found[key] = max(time, found.get(key, time))
        return found

    def spread(self, run: Any, inputs: Any, targets: Any, who: Any, *, real: bool = True) -> None:
        for mine, new in ((run[0], inputs), (run[1], targets)):
            mine |= {key: max(time, mine.get(key, time)) for key, time in new.items()}
        for source in run[0] if real else ():
            for (target, job), time in run[1].items():
                self.see((source, "**"), target, Way.CARRY, job, max(time, *run[0].values()), who)

    def tag(self, tagging: fact.Tagging, names: Sequence[Dataset] = (), *, declares: bool) -> None:
        node = (self.meet(tagging.dataset, tagging.column), tagging.column)
        self.own.setdefault(node, set()).add(tagging.tag)
        self.declared |= {node} if declares else set()
        self.shared |= {(node, name) for name in names if tagging.column}

    def tagged(self, entry: fact.Tagged) -> None:
        self.tag(entry.tagging, entry.names, declares=True)

    def classified(self, entry: fact.Classified) -> None:
        self.meet(entry.dataset, *entry.columns)
        for column, tags in entry.columns.items():
            self.own.setdefault((entry.dataset, column), set()).update(tags)
            self.declared.add((entry.dataset, column))
            self.shared |= {((entry.dataset, column), name) for name in entry.names}

    def untagged(self, entry: fact.Untagged) -> None:
        self.own.get((entry.dataset, entry.column), set()).discard(entry.tag)

    def edgeended(self, entry: fact.EdgeEnded) -> None:
        ends = ((entry.source, entry.source_column or "**"), (entry.dataset, entry.column))
        self.ended |= {key for key in self.edges if key[:2] == ends}
        for name, (inputs, targets, *rest) in self.runs.items():
            is_job = len(rest) == 2
            if entry.source in inputs and (
                is_job or (entry.dataset in rest[3] and rest[0] >= self.clock - FORGOTTEN_MS)
            ):
                whos = {job for node, job in targets if node == ends[1] and str(job) == name} if is_job else {name}
                self.over |= {(*ends, who) for who in whos}

    def unlinked(self, entry: fact.Unlinked) -> None:
        self.links.discard(frozenset((entry.one, entry.other)))

    def rules(self, entry: fact.Rules) -> None:
        self.travels = dict(entry.tags)

    def declassified(self, entry: fact.Declassified) -> None:
        node = (entry.dataset, entry.column)
        listed = {(dataset, column or "**") for dataset, column in entry.edges}
        edges = {source for source in self.sources(node)[0] if source[0] in listed}
        self.stops.append((node, entry.tag, edges, entry.until))

    def ways(self) -> set[tuple[Node, Node, Way | None]]:
        found = {
            (src, dst, way) for (src, dst, way, job), time in self.edges.items()
            if (src, dst, way, job) not in self.ended and time >= self.replaced.get((job, dst[0]), -INF)
        }  # fmt: skip
        for one in self.names:
            found |= {((one, ""), (one, "**"), None), ((one, "*"), (one, "**"), None)}
            for folder in {*above(one)} & self.names:
                found |= {((folder, role), (one, ""), None) for role in ("", "*")}
                found |= {((one, "**"), (folder, "**"), None)}
        for dataset, column in self.columns:
            found |= {((dataset, ""), (dataset, column), None), ((dataset, column), (dataset, "*"), None)}
        roles = self.columns | {(one, role) for one in self.names for role in ("", "*", "**")}
        for one, other in map(tuple, self.links):
            same = {role for dataset, role in roles if dataset == one and (other, role) in roles}
            found |= {((a, role), (b, role), None) for role in same for a, b in ((one, other), (other, one))}
        return found

    def sources(self, node: Node) -> tuple[set[tuple[Node, Way | None]], set[Node]]:
        """What a node gets tags from, seen through what all columns of a dataset get."""
        ways, found, through, waiting = self.ways(), set[tuple[Node, Way | None]](), {node}, [(node, None)]
        while waiting:
            end, by = waiting.pop()
            for src, way in [(src, way or by) for src, dst, way in ways if dst == end]:
                if src[1]:
                    found.add((src, way))
                elif src not in through:
                    through.add(src)
                    waiting.append((src, way))
        return found, through

    def carried(self, tag: str, way: Way | None) -> str | None:
        rule = self.travels.get(tag.removesuffix(":masked").partition("=")[0], TagRule())
        if way is None or (tag == UNCLASSIFIED and (way != Way.INDIRECT or rule.indirect)):
            return tag
        if tag == UNCLASSIFIED or not rule.propagate or way == Way.STOPPED:
            return None
        if way == Way.MASKED:
            return None if rule.stops_on_mask else tag.removesuffix(":masked") + ":masked"
        return tag if way == Way.CARRY or rule.indirect else None

    def are_one(self, one: Dataset, other: Dataset) -> bool:
        found = {one}
        for _ in self.names:
            found |= {name for link in self.links if link & found for name in link}
        return other in found

    def effective(self) -> dict[Node, set[str]]:
        found: dict[Node, set[str]] = {(one, role): set() for one in self.names for role in ("", "*", "**")}
        same = {one: {two for two in self.names if self.are_one(one, two)} for one in self.names}
        lent = {((other, node[1]), node) for node, other in self.shared if node[0] in same.get(other, ())}
        declared = self.declared | {to for to, _ in lent}
        found |= {node: set() if node in declared else {UNCLASSIFIED} for node in self.columns}
        for one in self.met - {dataset for dataset, _ in self.columns} - {to[0] for to, _ in lent}:
            found[one, "**"].add(UNCLASSIFIED)
        for node, tags in self.own.items():
            found[node] |= tags
        ways = {(src, dst, way, frozenset[str]()) for src, dst, way in self.ways()}
        for node in {stop[0] for stop in self.stops} & found.keys():
            sources, through = self.sources(node)
            found[node] |= {tag for one in through for tag in self.own.get(one, ())}
            live = [stop for stop in self.stops if stop[0] == node and not 0 < stop[3] < self.clock]
            ways = {way for way in ways if way[1] != node}
            ways |= {(s, node, w, frozenset(stop[1] for stop in live if (s, w) in stop[2])) for s, w in sources}
        before = -1
        while before != (before := sum(map(len, found.values()))):
            for src, dst, way, stopped in ways:
                found[dst] |= {one for tag in found[src] if (one := self.carried(tag, way))} - stopped
        return found

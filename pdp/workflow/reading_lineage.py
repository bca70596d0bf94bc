"""What people read of lineage: around data, between data, and why a column carries a tag. Each as of one revision."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pdp.caller import Caller
from pdp.errors import InvalidRequest
from pdp.lineage import explain
from pdp.lineage.coverage import First, Found, Namespace, coverage, problems
from pdp.lineage.explain import Reason, Step
from pdp.lineage.fact import Dataset
from pdp.lineage.graph import Graph
from pdp.lineage.past import At
from pdp.lineage.portrait import Portrait, portrait
from pdp.lineage.view import State
from pdp.v1.lineage_pb2 import (
    ExplainTagRequest,
    GetCoverageRequest,
    GetLineageRequest,
    GetPathRequest,
    ListTagsRequest,
)
from pdp.workflow.answer import Decided
from pdp.workflow.known_data import KnownData, is_allowed
from pdp.workflow.tag_names import carried

MAX_DEPTH = 100
"""Steps around data."""
MAX_DATASETS, MAX_STEPS = 1000, 10_000
"""Datasets and steps of an answer."""
MAX_FIRST, USUAL_FIRST = 1000, 20
"""Datasets to classify first: the most that an answer names, and how many where the request does not say."""
Coverage: TypeAlias = tuple[Sequence[Namespace], Sequence[First]]
"""How much of each namespace is classified, and what to classify first."""


@dataclass(frozen=True, slots=True)
class Around:
    """Data, and what is around it: each dataset with its distance (below 0 for what the data comes from)."""

    state: State
    portraits: Sequence[tuple[Portrait, int]]
    steps: Sequence[Step]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Read:
    """The policy's decision, where it was asked, and where it is an allow the revision of what was read."""

    decided: Decided | None
    at: At | None


class ReadingLineage:
    """Reads for callers that may."""

    def __init__(self, known: KnownData) -> None:
        self._known, self.at = known, known.at

    async def around(self, request: GetLineageRequest, caller: Caller) -> tuple[Read, Around | None]:
        """What is known of data, and as many steps around it as are asked for."""
        for member in ("upstream", "downstream"):
            if getattr(request, member) > MAX_DEPTH:
                raise InvalidRequest.field(member, f"is more than the {MAX_DEPTH} steps that are shown")
        self._known.require_named(request.data, "data")
        decided = await self._known.permitted(request.data, request.scope, caller)
        if not is_allowed(decided):
            return Read(decided, None), None
        at = await self._known.at(request.at)
        state, datasets = self._known.found(at, request.data, "data")
        depths = request.upstream, request.downstream
        return Read(decided, at), await asyncio.to_thread(_around, at.graph, state, datasets, depths)

    async def path(self, request: GetPathRequest, caller: Caller) -> tuple[Read, Sequence[Step]]:
        """The shortest way from one of the datasets of the one to one of the other."""
        self._known.require_named(request.source, "source")
        self._known.require_named(request.target, "target")
        decided = await self._known.permitted(request.target, request.scope, caller)
        if not is_allowed(decided):
            return Read(decided, None), []
        at = await self._known.at(request.at)
        begins, ends = (
            self._known.found(at, data, path)[1]
            for data, path in ((request.source, "source"), (request.target, "target"))
        )
        return Read(decided, at), await asyncio.to_thread(_path, at.graph, begins, ends)

    async def why(self, request: ExplainTagRequest, caller: Caller) -> tuple[Read, Reason | None]:
        """The shortest way from an assertion of a tag to a column; None where the column does not carry it."""
        self._known.require_named(request.data, "data")
        tag = carried(request.tag, "tag")
        decided = await self._known.permitted(request.data, request.scope, caller)
        if not is_allowed(decided):
            return Read(decided, None), None
        at = await self._known.at(request.at)
        datasets = self._known.found(at, request.data, "data")[1]
        reasons = [
            await asyncio.to_thread(
                explain.why, at.graph, dataset, self._known.names.column(dataset, request.column), tag
            )
            for dataset in datasets
        ]
        found = [reason for reason in reasons if reason]
        return Read(decided, at), min(found, key=lambda reason: len(reason.steps), default=None)

    async def datasets(self, request: ListTagsRequest) -> tuple[At, Sequence[Dataset] | None]:
        """A revision, and the datasets that a list is of; None is all of them."""
        at = await self._known.at(request.at)
        if request.data.WhichOneof("name") is None:
            return at, None
        return at, self._known.found(at, request.data, "data")[1]

    async def problems(self, n: int) -> tuple[At, Sequence[Found]]:
        """What a person should look at, the newest first."""
        at = await self._known.at(n)
        return at, await asyncio.to_thread(problems, at.graph)

    async def coverage(self, request: GetCoverageRequest) -> tuple[At, Coverage]:
        """How much is classified, by namespace, and what to classify first."""
        if not 0 <= request.first <= MAX_FIRST:
            raise InvalidRequest.field("first", f"is {request.first}; send 1 to {MAX_FIRST}, or 0 for {USUAL_FIRST}")
        at = await self._known.at(request.at)
        namespaces, first = await asyncio.to_thread(coverage, at.graph)
        return at, (namespaces, first[: request.first or USUAL_FIRST])


def _around(graph: Graph, state: State, datasets: Sequence[Dataset], depths: tuple[int, int]) -> Around:
    distances: dict[Dataset, int] = dict.fromkeys(datasets, 0)
    steps: dict[Step, None] = {}
    for dataset in datasets:
        for look, depth, sign in ((explain.upstream, depths[0], -1), (explain.downstream, depths[1], 1)):
            near, ways = look(graph, dataset, depth) if depth else ({}, [])
            _nearest(distances, {one: sign * far for one, far in near.items()})
            steps.update(dict.fromkeys(ways))
    nearest = sorted(distances, key=lambda one: (abs(distances[one]), one))
    found = [(seen, distances[one]) for one in nearest[:MAX_DATASETS] if (seen := portrait(graph, one))]
    is_cut = len(nearest) > MAX_DATASETS or len(steps) > MAX_STEPS
    return Around(state, found, list(steps)[:MAX_STEPS], is_cut)


def _nearest(distances: dict[Dataset, int], more: Mapping[Dataset, int]) -> None:
    for one, far in more.items():
        if one not in distances or abs(far) < abs(distances[one]):
            distances[one] = far


def _path(graph: Graph, begins: Sequence[Dataset], ends: Sequence[Dataset]) -> Sequence[Step]:
    ways = [explain.path(graph, one, other) for one in begins for other in ends]
    return min((way for way in ways if way), key=len, default=[])

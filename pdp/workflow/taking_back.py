"""Untag, EndEdge, Unlink and Declassify: what takes something away is a decision first, and then a fact.

request -> the fact as of the revision that its caller saw -> decide, unless it is another one now -> log

Asked again under the same `request_id`, what is in the log is answered as before.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any, TypeAlias

from pdp import canonical
from pdp.caller import Caller
from pdp.decision import Effect
from pdp.errors import InvalidRequest
from pdp.lineage.fact import Dataset, Declassified, EdgeEnded, Unlinked, Untagged
from pdp.lineage.taking import Removal, said_by, sources, taken
from pdp.lineage.view import Revision
from pdp.lineage_errors import LineageChanged
from pdp.v1.lineage_pb2 import (
    DataName,
    DeclassifyRequest,
    EndEdgeRequest,
    LineageScope,
    UnlinkRequest,
    UntagRequest,
)
from pdp.workflow.answer import Answer, Decided
from pdp.workflow.deciding import Deciding
from pdp.workflow.known_data import KnownData, question
from pdp.workflow.tag_names import carried
from pdp.workflow.tagging import Write
from pdp.workflow.taken_before import Told

Taking: TypeAlias = UntagRequest | EndEdgeRequest | UnlinkRequest | DeclassifyRequest
"""What asks for a removal."""
Taken: TypeAlias = tuple[Decided, Revision | None]
"""The decision, and the revision that holds the removal, where there was one."""


class TakingBack:
    """Removals, each of which the policy allows."""

    def __init__(self, known: KnownData, deciding: Deciding, write: Write, told: Told) -> None:
        self._known, self._deciding, self._write, self._told = known, deciding, write, told

    async def untag(self, request: UntagRequest, caller: Caller) -> Taken:
        """End the assertions of a tag."""
        dataset, said = await self._of(request, request.data, caller)
        tag, column = carried(request.tag, "tag"), self._known.names.column(dataset, request.column)
        removal = Untagged(**said, dataset=dataset, column=column, tag=tag)
        return await self._take("lineage.untag", request, request.data, removal, {"column": column, "tag": tag}, caller)

    async def end_edge(self, request: EndEdgeRequest, caller: Caller) -> Taken:
        """End the edges between two columns."""
        dataset, said = await self._of(request, request.data, caller)
        source = self._known.dataset(request.source, "source")
        ends = (
            self._known.names.column(dataset, request.column),
            self._known.names.column(source, request.source_column),
        )
        removal = EdgeEnded(**said, dataset=dataset, column=ends[0], source=source, source_column=ends[1])
        told = {
            "column": ends[0],
            "source_namespace": source.namespace,
            "source_name": source.name,
            "source_column": ends[1],
        }
        return await self._take("lineage.end_edge", request, request.data, removal, told, caller)

    async def unlink(self, request: UnlinkRequest, caller: Caller) -> Taken:
        """Part two names."""
        data = DataName(dataset=request.one)
        one, said = await self._of(request, data, caller)
        other = self._known.dataset(request.other, "other")
        told = {"other_namespace": other.namespace, "other_name": other.name}
        return await self._take("lineage.unlink", request, data, Unlinked(**said, one=one, other=other), told, caller)

    async def declassify(self, request: DeclassifyRequest, caller: Caller) -> Taken:
        """Stop an inherited tag for the edges of then: at a column, or in what every column gets."""
        dataset, said = await self._of(request, request.data, caller)
        tag, column = carried(request.tag, "tag"), self._known.names.column(dataset, request.column)
        if request.column and not column:
            raise InvalidRequest.field("column", "is not the name of a column")
        until = _until(request)
        then = await self._known.at(request.revision)
        edges = await asyncio.to_thread(sources, then.graph, dataset, column)
        removal = Declassified(**said, dataset=dataset, column=column, tag=tag, edges=edges, until=until)
        told = {"column": column, "tag": tag}
        if until:
            told["expires_at"] = request.expires_at.ToDatetime(UTC).isoformat(timespec="milliseconds")
        return await self._take("lineage.declassify", request, request.data, removal, told, caller)

    async def _of(self, request: Taking, data: DataName, caller: Caller) -> tuple[Dataset, dict[str, Any]]:
        """The dataset, and what every removal says. Raises `InvalidRequest` and what finding the dataset raises."""
        if not request.reason:
            raise InvalidRequest.field("reason", "is required")
        if not request.revision:
            raise InvalidRequest.field("revision", "is required: the revision that you saw")
        _refuse_others(request.scope)
        reason = canonical.checked_text(request.reason, "reason")
        dataset = await self._known.one(data, request.revision)
        said = {"by": caller.identity, "at": time.time_ns() // 1_000_000, "reason": reason}
        return dataset, {**said, "request_id": request.scope.request_id}

    async def _take(
        self,
        action: str,
        request: Taking,
        data: DataName,
        removal: Removal,
        told: Mapping[str, str],
        caller: Caller,
    ) -> Taken:
        """Decide, and write where that is an allow. What an approval is bound to has the revision in it."""
        then = await self._known.at(request.revision)
        asked = question(action, data, request.scope, caller)
        dataset = removal.one if isinstance(removal, Unlinked) else removal.dataset
        asked.context.update({"namespace": dataset.namespace, "name": dataset.name, **told})
        asked.context.update({"revision": int(request.revision)})

        wanted = await asyncio.to_thread(taken, then.graph, removal)
        if not wanted:
            raise LineageChanged("at that revision there is nothing of this kind to take away; look at it again")
        if isinstance(removal, Untagged):
            asked.context.update({"sources": said_by(wanted)})

        async def ready(_: Answer) -> str:
            """Nothing is used up for a removal of something else than was seen."""
            if await asyncio.to_thread(taken, (await self._known.at(0)).graph, removal) != wanted:
                raise LineageChanged("what this would take away is not what it was at that revision; look at it again")
            return ""

        ask = self._deciding.checked(asked, caller)
        if before := await self._told.answer(ask, removal):
            return before
        decided = await self._deciding.decide_one(replace(ask, ready=ready))
        if decided.effect is not Effect.ALLOW:
            return decided, None
        return decided, await self._write(caller, [replace(removal, decision_id=decided.answer.decision_id)])


def _refuse_others(scope: LineageScope) -> None:
    for member in ("subject", "on_behalf_of"):
        if getattr(scope, member) and (member != "subject" or scope.HasField("subject")):
            raise InvalidRequest.field(f"scope.{member}", "is not taken here: only a person does this, as itself")


def _until(request: DeclassifyRequest) -> int:
    """When it ends, in milliseconds since 1970; 0 for never."""
    if not request.HasField("expires_at"):
        return 0
    until = request.expires_at.ToMilliseconds()
    if until <= time.time_ns() // 1_000_000:
        raise InvalidRequest.field("expires_at", "is over already")
    return until

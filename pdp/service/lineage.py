"""What people read of lineage: `pdp.workflow.reading_lineage` finds it; here are the contract's messages."""

from collections.abc import Collection

from pdp.caller import Caller
from pdp.lineage.listing import declared, proposals
from pdp.service import lineage_message, message
from pdp.service.dataset_message import assertion, step
from pdp.service.lineage_page import page
from pdp.v1.decision_pb2 import AuthorizeResponse
from pdp.v1.lineage_pb2 import (
    ExplainTagRequest,
    ExplainTagResponse,
    GetCoverageRequest,
    GetCoverageResponse,
    GetLineageRequest,
    GetLineageResponse,
    GetPathRequest,
    GetPathResponse,
    LineageRevision,
    ListProblemsRequest,
    ListProblemsResponse,
    ListSuggestionsRequest,
    ListSuggestionsResponse,
    ListTagsRequest,
    ListTagsResponse,
    SuggestionState,
)
from pdp.workflow.reading_lineage import Read, ReadingLineage

_ACCEPTED = {
    SuggestionState.SUGGESTION_STATE_ACCEPTED: True,
    SuggestionState.SUGGESTION_STATE_REJECTED: False,
}


class LineageRead:
    """The RPCs that read."""

    def __init__(self, reading: ReadingLineage, writers: Collection[str]) -> None:
        """`writers` are the identities that write events."""
        self._reading, self._writers = reading, writers

    async def GetLineage(self, request: GetLineageRequest, caller: Caller) -> GetLineageResponse:
        """Data and what is around it."""
        read, around = await self._reading.around(request, caller)
        answer = GetLineageResponse(decision=_decision(read))
        if read.at and around:
            answer.revision.CopyFrom(lineage_message.revision(read.at.revision))
            lineage_message.fill_around(answer, around)
        return answer

    async def GetPath(self, request: GetPathRequest, caller: Caller) -> GetPathResponse:
        """A way."""
        read, steps = await self._reading.path(request, caller)
        return GetPathResponse(
            decision=_decision(read),
            revision=_revision(read),
            steps=map(step, steps),
        )

    async def ExplainTag(self, request: ExplainTagRequest, caller: Caller) -> ExplainTagResponse:
        """Why a column carries a tag."""
        read, reason = await self._reading.why(request, caller)
        return ExplainTagResponse(
            decision=_decision(read),
            revision=_revision(read),
            carried=reason is not None,
            steps=map(step, reason.steps if reason else ()),
            assertions=map(assertion, reason.assertions if reason else ()),
        )

    async def ListTags(self, request: ListTagsRequest, _: Caller) -> ListTagsResponse:
        """What was declared."""
        at, datasets = await self._reading.datasets(request)
        found = declared(at.graph, datasets, self._writers)
        answer = ListTagsResponse(revision=lineage_message.revision(at.revision))
        answer.next_page_token = page(request, found, assertion, answer.assertions)
        return answer

    async def ListSuggestions(self, request: ListSuggestionsRequest, _: Caller) -> ListSuggestionsResponse:
        """What was suggested."""
        at = await self._reading.at(0)
        every = request.state == SuggestionState.SUGGESTION_STATE_UNSPECIFIED
        found = proposals(at.graph, accepted=_ACCEPTED.get(request.state), every=every)
        answer = ListSuggestionsResponse(revision=lineage_message.revision(at.revision))
        answer.next_page_token = page(
            request, found, lambda one: lineage_message.suggestion(one.suggested, one.settled), answer.suggestions
        )
        return answer

    async def ListProblems(self, request: ListProblemsRequest, _: Caller) -> ListProblemsResponse:
        """What a person should look at."""
        at, found = await self._reading.problems(request.at)
        answer = ListProblemsResponse(revision=lineage_message.revision(at.revision))
        answer.next_page_token = page(request, found, lineage_message.problem, answer.problems)
        return answer

    async def GetCoverage(self, request: GetCoverageRequest, _: Caller) -> GetCoverageResponse:
        """How much is classified."""
        at, found = await self._reading.coverage(request)
        answer = GetCoverageResponse(revision=lineage_message.revision(at.revision))
        lineage_message.fill_coverage(answer, found)
        return answer


def _decision(read: Read) -> AuthorizeResponse | None:
    return message.decision(read.decided) if read.decided else None


def _revision(read: Read) -> LineageRevision | None:
    return lineage_message.revision(read.at.revision) if read.at else None

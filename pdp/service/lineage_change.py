"""What people change in lineage: `pdp.workflow.tagging` and `pdp.workflow.taking_back` do it; here are the messages."""

from pdp.caller import Caller
from pdp.service import message
from pdp.service.dataset_message import dataset
from pdp.service.lineage_message import revision, suggestion
from pdp.v1.lineage_pb2 import (
    ClassifyRequest,
    ClassifyResponse,
    DeclassifyRequest,
    DeclassifyResponse,
    EndEdgeRequest,
    EndEdgeResponse,
    SettleSuggestionRequest,
    SettleSuggestionResponse,
    SuggestRequest,
    SuggestResponse,
    TagRequest,
    TagResponse,
    UnlinkRequest,
    UnlinkResponse,
    UntagRequest,
    UntagResponse,
)
from pdp.workflow.tagging import TaggingData
from pdp.workflow.taking_back import TakingBack


class LineageChange:
    """The RPCs of stewards."""

    def __init__(self, tagging: TaggingData, taking: TakingBack) -> None:
        self._tagging, self._taking = tagging, taking

    async def Tag(self, request: TagRequest, caller: Caller) -> TagResponse:
        """A tag more."""
        found, at = await self._tagging.tag(request, caller)
        return TagResponse(revision=revision(at), dataset=dataset(found))

    async def Classify(self, request: ClassifyRequest, caller: Caller) -> ClassifyResponse:
        """What is in columns."""
        found, at = await self._tagging.classify(request, caller)
        return ClassifyResponse(revision=revision(at), dataset=dataset(found))

    async def Suggest(self, request: SuggestRequest, caller: Caller) -> SuggestResponse:
        """Suggestions that are new."""
        new, at = await self._tagging.suggest(request, caller)
        return SuggestResponse(
            revision=revision(at),
            suggestions=[suggestion(one) for one in new],
            known=len(request.suggestions) - len(new),
        )

    async def SettleSuggestion(self, request: SettleSuggestionRequest, caller: Caller) -> SettleSuggestionResponse:
        """A suggestion that somebody decided about."""
        found, settled, at = await self._tagging.settle(request, caller)
        return SettleSuggestionResponse(revision=revision(at), suggestion=suggestion(found, settled))

    async def Untag(self, request: UntagRequest, caller: Caller) -> UntagResponse:
        """A tag less."""
        decided, at = await self._taking.untag(request, caller)
        return UntagResponse(decision=message.decision(decided), revision=revision(at) if at else None)

    async def EndEdge(self, request: EndEdgeRequest, caller: Caller) -> EndEdgeResponse:
        """An edge less."""
        decided, at = await self._taking.end_edge(request, caller)
        return EndEdgeResponse(decision=message.decision(decided), revision=revision(at) if at else None)

    async def Unlink(self, request: UnlinkRequest, caller: Caller) -> UnlinkResponse:
        """Two names parted."""
        decided, at = await self._taking.unlink(request, caller)
        return UnlinkResponse(decision=message.decision(decided), revision=revision(at) if at else None)

    async def Declassify(self, request: DeclassifyRequest, caller: Caller) -> DeclassifyResponse:
        """An inherited tag stopped."""
        decided, at = await self._taking.declassify(request, caller)
        return DeclassifyResponse(decision=message.decision(decided), revision=revision(at) if at else None)

"""LineageService of a server without lineage: every call says so."""

from collections.abc import AsyncGenerator
from typing import NoReturn

from pdp.caller import Caller
from pdp.lineage_errors import LineageOff

_SENTENCE = "this server keeps no lineage: its configuration has no part [lineage]"


class LineageService:
    """Knows nothing and takes nothing."""

    async def GetLineage(self, request: object, caller: Caller) -> NoReturn:  # noqa: ARG002
        """Refused."""
        raise LineageOff(_SENTENCE)

    GetPath = ExplainTag = ListTags = ListSuggestions = ListProblems = GetCoverage = GetLineage
    Tag = Classify = Untag = EndEdge = Unlink = Declassify = Suggest = SettleSuggestion = GetLineage

    async def Ingest(self, requests: object, caller: Caller) -> AsyncGenerator[NoReturn, None]:
        """Refused."""
        yield await self.GetLineage(requests, caller)

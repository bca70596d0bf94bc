"""AuthZEN's searches: which subjects, resources or actions are allowed, of those that are candidates."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from pdp.authzen_search import Search
from pdp.http.parsing import Parsing
from pdp.http.route import LARGE_BYTES, Answer, Call, Route
from pdp.workflow.searching import Found, Searching

SUBJECTS, RESOURCES, ACTIONS = (f"/access/v1/search/{kind}" for kind in ("subject", "resource", "action"))
SEARCHES: Mapping[str, str] = {SUBJECTS: "subject", RESOURCES: "resource", ACTIONS: "action"}
"""The paths of searches, and what each looks for."""


class Searches:
    """Searches, a page at a time."""

    def __init__(self, searching: Searching, parsing: Parsing) -> None:
        self._searching, self._parsing = searching, parsing

    def routes(self) -> list[Route]:
        """What is offered. Who may ask many questions and may search, may call."""
        rpc = "pdp.v1.DecisionService/BatchAuthorize"
        return [
            Route("POST", path, rpc, partial(self.search, kind), LARGE_BYTES, searches=True)
            for path, kind in SEARCHES.items()
        ]

    async def search(self, kind: str, call: Call) -> Answer:
        """A page of the answer to a search."""
        search = await self._parsing.parsed(call, partial(Search, kind))
        async with call.admitted(max(search.looks_at, 1)):
            return Answer(_answer(await self._searching.found(search, call.caller), search))


def _answer(found: Found, search: Search) -> dict[str, Any]:
    context = {
        "search_id": found.record,
        "policy_revision": found.revision,
        "source": found.source,
        "searched": found.searched,
        "known": found.known,
        "complete": found.is_complete,
        "unanswered": found.unanswered,
        "withheld": found.withheld,
    }
    told = {"ignored": list(search.ignored)} if search.ignored else {}
    page = {"next_token": found.next_token, "count": len(found.results)}
    return {"results": found.results, "page": page, "context": {**context, **told}}

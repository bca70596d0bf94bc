"""OpenLineage's two paths, to which every producer can send without a change (https://openlineage.io/apidocs/openapi).

Who may send is one row of the role table, that of `LineageService/Ingest`.
"""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from pdp.errors import InvalidRequest, PdpError
from pdp.http.problem import status
from pdp.http.route import LARGE_BYTES, Answer, Call, Route
from pdp.lineage.batch import NotEvents, items
from pdp.workflow.lineage import Ingesting, Taken

PATH = "/api/v1/lineage"
BATCH = f"{PATH}/batch"
RPC = "pdp.v1.LineageService/Ingest"
USUAL_SECONDS = 10.0
"""Seconds that a call may take: producers send no limit of their own."""
_AGAIN = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})


class Events:
    """Takes events."""

    def __init__(self, ingesting: Ingesting) -> None:
        self._ingesting = ingesting

    def routes(self) -> list[Route]:
        """What is offered."""
        return [_route(PATH, self.one), _route(BATCH, self.many)]

    async def one(self, call: Call) -> Answer:
        """One event: answered once it is in the log, with the revision that holds it."""
        async with call.admitted(1):
            taken = await self._ingesting.take(call.body, call.caller)
        return Answer({"revision": taken.place.n}, HTTPStatus.CREATED)

    async def many(self, call: Call) -> Answer:
        """An array of events, of which each is taken or refused for itself: answered by the specification's summary."""
        async with call.admitted(1):
            try:
                texts = await asyncio.to_thread(list, items(call.body))
            except NotEvents as error:
                raise InvalidRequest.field("body", f"is not an array of events: {error}") from None
            found = await self._ingesting.take_all(texts, call.caller)
        return Answer(summary(found))


def summary(found: Sequence[Taken | PdpError]) -> dict[str, Any]:
    """What became of a batch; `retriable` are those that may be taken when they are sent again."""
    failed: list[dict[str, Any]] = [
        {"index": index, "reason": one.sentence, "retriable": status(one) in _AGAIN}
        for index, one in enumerate(found)
        if isinstance(one, PdpError)
    ]
    retriable = sum(one["retriable"] for one in failed)
    revisions = [one.place.n for one in found if isinstance(one, Taken)]
    return {
        "status": "success" if not failed else "partial_success" if revisions else "failure",
        "summary": {
            "received": len(found),
            "successful": len(revisions),
            "failed": len(failed),
            "retriable": retriable,
            "non_retriable": len(failed) - retriable,
        },
        "failed_events": failed,
        **({"revision": max(revisions)} if revisions else {}),
    }


def _route(path: str, behaviour: Any) -> Route:
    return Route("POST", path, RPC, behaviour, most_bytes=LARGE_BYTES, takes_gzip=True, usual_seconds=USUAL_SECONDS)

"""What a person could review, or was asked in the person's name: what is over, too.

policy: which words reach the caller -> approvals with these words or of these names -> policy: may the caller see them
"""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from pdp.approval import ApprovalAt
from pdp.caller import Caller
from pdp.store.history import Filters, History
from pdp.workflow.queue import LOOKS, ReviewQueue
from pdp.workflow.reviewing import Reviewing

EARLIER = 10
"""Approvals of the same request that are named in one."""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Approvals, newest first, and the id behind which it goes on; empty at the end."""

    approvals: list[ApprovalAt]
    more: str


class Histories:
    """Pages through what callers may see. Nothing is in a page that `Reviewing.view` does not show the caller."""

    def __init__(self, history: History, queue: ReviewQueue, reviewing: Reviewing) -> None:
        self._history, self._queue, self._reviewing = history, queue, reviewing

    async def page(self, caller: Caller, filters: Filters, before: str, limit: int) -> HistoryPage:
        """At most `limit` approvals below `before`. It has fewer at the end, or where very many were looked at."""
        reach = await self._queue.reach(caller)
        names, found = {*reach.names, caller.identity}, list[ApprovalAt]()
        for _ in range(LOOKS):
            wanted = limit + 1 - len(found)
            looked = await self._history.page(reach.words, names, filters, before, wanted)
            found += await self._seen(caller, [held for held in looked if _matches(held, filters)])
            if len(found) > limit:
                return HistoryPage(found[:limit], found[limit - 1].approval.id)
            if len(looked) < wanted:
                return HistoryPage(found, "")
            before = looked[-1].approval.id
        return HistoryPage(found, before)

    async def earlier(self, caller: Caller, held: ApprovalAt) -> list[str]:
        """The ids of the approvals of the same request before this one that the caller may see."""
        approval = held.approval
        found = await self._history.of_request(approval.caller, approval.digest, approval.id, EARLIER)
        return [one.approval.id for one in await self._seen(caller, found)]

    async def _seen(self, caller: Caller, some: Sequence[ApprovalAt]) -> list[ApprovalAt]:
        seen = await self._reviewing.concerning(caller, some) if some else set()
        return [held for held in some if held.approval.id in seen]


def _matches(held: ApprovalAt, filters: Filters) -> bool:
    """What no index knows: the state by the clock, and what the request is about."""
    request = orjson.loads(held.approval.request)
    return (
        filters.state in (None, held.state)
        and filters.action in ("", request["action"]["name"])
        and filters.resource_type in ("", request["resource"]["type"])
    )

"""Approvals in any state: those that some words reach or that name somebody, and those of one request."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from pdp.approval import ApprovalAt, State
from pdp.store.approval_document import from_document
from pdp.store.approvals import FOUND
from pdp.store.database import Database, Document, unavailable


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for, where it is set. `state` is that by the clock."""

    state: State | None = None
    caller: str = ""
    action: str = ""
    resource_type: str = ""
    in_my_name: bool = False


class History:
    """Reads pages of approvals, newest first."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("approvals")

    async def page(
        self, words: Sequence[str], names: Collection[str], filters: Filters, before: str, limit: int
    ) -> list[ApprovalAt]:
        """At most `limit` below `before` (empty: from the newest) that the words reach or that name one of `names`."""
        return await self._find(condition(words, names, filters, before), limit)

    async def of_request(self, caller: str, digest: str, before: str, limit: int) -> list[ApprovalAt]:
        """This caller's approvals of a request with ids below `before`."""
        return await self._find({"caller": {"$eq": caller}, "digest": {"$eq": digest}, "_id": {"$lt": before}}, limit)

    async def _find(self, condition: Document, limit: int) -> list[ApprovalAt]:
        async with unavailable():
            found = self._collection.find(condition, FOUND, limit=limit).sort("_id", -1)
            return [_at(one["document"], one["now"]) async for one in found]


def condition(words: Sequence[str], names: Collection[str], filters: Filters, before: str) -> Document:
    """What a page is looked for by. An index serves each of its two halves, newest first, so that nothing is sorted."""
    named: Document = {"principals": {"$in": sorted(names)}}
    reached: Document = {"addressees": {"$in": list(words)}}
    wanted: Document = named if filters.in_my_name else {"$or": [named, reached]}
    if filters.caller:
        wanted["caller"] = {"$eq": filters.caller}
    if before:
        wanted["_id"] = {"$lt": before}
    return wanted


def _at(document: Document, now: datetime) -> ApprovalAt:
    return ApprovalAt(from_document(document), now)

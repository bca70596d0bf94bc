"""Counts the approvals that wait for people and finds recent denials, for the limits. Each query has its own index."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from pdp.approval import ApprovalAt, State
from pdp.store.approval_document import from_document
from pdp.store.approvals import FOUND
from pdp.store.database import Database, Document, unavailable
from pdp.store.deadlines import within


class Pressure:
    """Counts up to a limit. An approval whose time is over does not wait, even if no sweep has closed it yet."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("approvals")

    async def pending(self, caller: str, limit: int) -> int:
        """How many approvals of this caller wait, counted up to `limit`."""
        return await self._pending({"caller": {"$eq": caller}}, limit)

    async def pending_for(self, caller: str, persons: Sequence[str], limit: int) -> int:
        """The largest number of the caller's waiting approvals that name one of `persons`, counted up to `limit`."""
        counts = [self._pending({"caller": {"$eq": caller}, "named": {"$eq": person}}, limit) for person in persons]
        return max(await asyncio.gather(*counts), default=0)

    async def _pending(self, condition: Document, limit: int) -> int:
        async with unavailable():
            return await self._collection.count_documents({**condition, **_waits()}, limit=limit, hint="one_pending")

    async def oldest(self, limit: int) -> tuple[int, float]:
        """How many approvals of all callers wait, counted up to `limit`, and the seconds that the oldest has waited."""
        async with unavailable():
            count = await self._collection.count_documents(_waits(), limit=limit, hint="by_state")
            first = await self._collection.find_one(_waits(), {"created_at": 1, "now": "$$NOW"}, sort=[("_id", 1)])
        return count, (first["now"] - first["created_at"]).total_seconds() if first else 0.0

    async def denied(self, caller: str, digest: str, since: timedelta) -> list[ApprovalAt]:
        """The caller's approvals of this request that were denied in this time, newest first."""
        condition: Document = {"caller": {"$eq": caller}, "digest": {"$eq": digest}, "state": {"$eq": State.DENIED}}
        async with unavailable():
            cursor = self._collection.find({**condition, **within("closed_at", since)}, FOUND, hint="denied")
            found = await cursor.sort("closed_at", -1).to_list()
        return [ApprovalAt(from_document(one["document"]), one["now"]) for one in found]


def _waits() -> Document:
    over = {"$add": ["$created_at", "$pending_for_ms"]}
    return {"state": {"$eq": State.PENDING}, "$expr": {"$gt": [over, "$$NOW"]}}

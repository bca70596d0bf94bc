"""Counts the approvals that wait for people and finds recent denials, for the limits. Each query has its own index."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pdp.approval import State
from pdp.store.database import Database, Document, unavailable


class Pressure:
    """Counts up to a limit. An approval whose time is over does not wait, even if no sweep has closed it yet."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("approvals")

    async def pending(self, caller: str, limit: int) -> int:
        """How many approvals of this caller wait, counted up to `limit`."""
        condition = {"caller": {"$eq": caller}, **_waits()}
        async with unavailable():
            return await self._collection.count_documents(condition, limit=limit, hint="one_pending")

    async def pending_behind(self, persons: Sequence[str], limit: int) -> int:
        """The largest number of waiting approvals of one of `persons`. From `limit` on it may be counted too low."""
        if not persons:
            return 0
        among: Document = {"principals": {"$in": list(persons)}}
        pipeline: list[Document] = [
            {"$match": {**among, **_waits()}},
            {"$limit": limit * len(persons)},  # among this many, one person has at least `limit`
            {"$project": {"principals": 1}},
            {"$unwind": "$principals"},
            {"$match": among},
            {"$group": {"_id": "$principals", "pending": {"$sum": 1}}},
            {"$sort": {"pending": -1}},
            {"$limit": 1},
        ]
        async with unavailable():
            cursor = await self._collection.aggregate(pipeline, hint="pending_behind")
            return max([found["pending"] async for found in cursor], default=0)

    async def denied(self, caller: str, digest: str, within: timedelta) -> str:
        """The id of the caller's last approval of this request that was denied `within` this time; else empty."""
        ago = {"$subtract": ["$$NOW", int(within.total_seconds() * 1000)]}
        condition: dict[str, Any] = {
            "caller": {"$eq": caller},
            "digest": {"$eq": digest},
            "state": {"$eq": State.DENIED},
            "$expr": {"$gt": ["$closed_at", ago]},
        }
        async with unavailable():
            found = await self._collection.find_one(condition, ["_id"], sort=[("closed_at", -1)], hint="denied")
        return str(found["_id"]) if found else ""


def _waits() -> Document:
    over = {"$add": ["$created_at", "$pending_for_ms"]}
    return {"state": {"$eq": State.PENDING}, "$expr": {"$gt": [over, "$$NOW"]}}

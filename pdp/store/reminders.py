"""Which pending approvals have a reminder due, by MongoDB's clock.

`remind_at` only says where to look. When people are reminded follows from what is sealed in the approval.
"""

from datetime import datetime, timedelta

from pdp.approval import ApprovalAt, Opening, State
from pdp.reminder import times
from pdp.store.approval_document import from_document
from pdp.store.database import Database, Document, unavailable

_FOUND: Document = {"document": "$$ROOT", "now": "$$NOW"}


class Reminders:
    """Finds approvals with a reminder that is due."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("approvals")

    async def due(self, limit: int) -> list[ApprovalAt]:
        """Pending approvals whose next reminder is due."""
        condition: Document = {
            "state": {"$eq": State.PENDING},
            "remind_at": {"$exists": True},
            "$expr": {"$lte": ["$remind_at", "$$NOW"]},
        }
        async with unavailable():
            cursor = self._collection.find(condition, _FOUND, limit=limit)
            return [ApprovalAt(from_document(found["document"]), found["now"]) async for found in cursor]

    async def set_next(self, approval_id: str, at: datetime | None) -> None:
        """Store when the next reminder of an approval is due; None where there is none."""
        change: Document = {"$set": {"remind_at": at}} if at else {"$unset": {"remind_at": True}}
        async with unavailable():
            await self._collection.update_one({"_id": {"$eq": approval_id}}, change)


def first_reminder(opening: Opening, sealed_at: datetime) -> Document:
    """What a new approval holds of its first reminder."""
    return {"remind_at": sealed_at + timedelta(milliseconds=after)} if (after := min(times(opening), default=0)) else {}

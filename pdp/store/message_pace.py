"""How much people are told: one message each second in a conversation, twenty notices each hour to a person.

All processes share these documents, and every time is MongoDB's.
"""

from datetime import datetime, timedelta

from pymongo.errors import DuplicateKeyError

from pdp.store.database import Database, Document, unavailable

MOST_AN_HOUR = 20
"""Notices that a person gets in an hour, over all channels."""
HOUR = timedelta(hours=1)
"""The time over which notices are counted."""
_SECOND_MS = 1000
"""Milliseconds between two messages in one conversation."""


class MessagePace:
    """Admits messages."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._collection = database.database.get_collection("told")

    async def turn(self, channel: str, to: str) -> bool:
        """Take the turn of the next message in a conversation. False where the last one is less than a second ago."""
        this: Document = {"_id": {"$eq": f"turn:{channel}:{to}"}}
        over = {"$expr": {"$lte": [{"$add": ["$at", _SECOND_MS]}, "$$NOW"]}}
        stamp = {"$currentDate": {"at": True}}
        try:
            async with unavailable():
                if (await self._collection.update_one({**this, **over}, stamp)).matched_count:
                    return True
                await self._collection.update_one({**this, "at": {"$exists": False}}, stamp, upsert=True)
        except DuplicateKeyError:
            return False
        return True

    async def hold(self, channel: str, seconds: float) -> None:
        """Let nothing more out in a channel for so long, as its vendor asks."""
        until = await self._database.now() + timedelta(seconds=seconds)
        change: Document = {"$max": {"until": until}, "$currentDate": {"at": True}}
        async with unavailable():
            await self._collection.update_one({"_id": {"$eq": f"hold:{channel}"}}, change, upsert=True)

    async def is_held(self, channel: str) -> bool:
        """Whether the vendor wants to hear nothing now."""
        this: Document = {"_id": {"$eq": f"hold:{channel}"}, "$expr": {"$gt": ["$until", "$$NOW"]}}
        async with unavailable():
            return await self._collection.find_one(this) is not None

    async def admit(self, person: str, letter_id: str) -> datetime | None:
        """Count one more notice for a person; None if it is one of those that the hour has room for.

        Otherwise the time at which there is room. The same letter counts once, however often it is tried.
        """
        this: Document = {"_id": {"$eq": f"hour:{person}"}}
        now = await self._database.now()
        one = {"id": letter_id, "at": now}
        async with unavailable():
            old: Document = {"$pull": {"sent": {"at": {"$lte": now - HOUR}}}, "$currentDate": {"at": True}}
            await self._collection.update_one(this, old, upsert=True)
            new = {**this, "sent.id": {"$ne": letter_id}, f"sent.{MOST_AN_HOUR - 1}": {"$exists": False}}
            if (await self._collection.update_one(new, {"$push": {"sent": one}})).matched_count:
                return None
            sent = ((await self._collection.find_one(this)) or {}).get("sent", [])
        if not sent or any(other["id"] == letter_id for other in sent):
            return None
        earliest: datetime = sent[0]["at"]
        return earliest + HOUR

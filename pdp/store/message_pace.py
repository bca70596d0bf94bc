"""How much people are told: one message each second in a conversation, twenty notices each hour to a person.

Of the twenty, at most ten are about requests with the same name behind them. So one who asks for much, through however
many agents, leaves room for the requests of others.

All processes share these documents, and every time is MongoDB's.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo.errors import DuplicateKeyError

from pdp.store.database import Database, Document, unavailable

MOST_AN_HOUR = 20
"""Notices that a person gets in an hour, over all channels."""
MOST_OF_ONE = 10
"""Of these, the notices about requests with one name behind them all: a caller, an owner, or another."""
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

    async def admit(self, person: str, letter_id: str, behind: Collection[str]) -> datetime | None:
        """Count one more notice for a person; None if it is one of those that the hour has room for.

        Otherwise the time at which there is room. The same letter counts once, however often it is tried. `behind` are
        the names behind the request that it is about.
        """
        this: Document = {"_id": {"$eq": f"hour:{person}"}}
        now, names = await self._database.now(), sorted(behind)
        one = {"id": letter_id, "at": now, "behind": names}
        async with unavailable():
            old: Document = {"$pull": {"sent": {"at": {"$lte": now - HOUR}}}, "$currentDate": {"at": True}}
            await self._collection.update_one(this, old, upsert=True)
            new = {**this, "sent.id": {"$ne": letter_id}, f"sent.{MOST_AN_HOUR - 1}": {"$exists": False}}
            if (await self._collection.update_one(new | _share(names), {"$push": {"sent": one}})).matched_count:
                return None
            sent = ((await self._collection.find_one(this)) or {}).get("sent", [])
        if not sent or any(other["id"] == letter_id for other in sent):
            return None
        return _room(sent, names) + HOUR


def _share(names: Sequence[str]) -> Document:
    """The condition that each of the names has room for one more."""
    of_it: Document = {"$in": ["$$name", {"$ifNull": ["$$one.behind", []]}]}
    sent: Document = {"$filter": {"input": {"$ifNull": ["$sent", []]}, "as": "one", "cond": of_it}}
    has_room: Document = {"$lt": [{"$size": sent}, MOST_OF_ONE]}
    every: Document = {"$map": {"input": {"$literal": list(names)}, "as": "name", "in": has_room}}
    return {"$expr": {"$allElementsTrue": [every]}}


def _room(sent: Sequence[Document], names: Sequence[str]) -> datetime:
    """The time of the notice that must be an hour old before there is room."""
    full = [sent] if len(sent) >= MOST_AN_HOUR else []
    of_names = [[one for one in sent if name in one.get("behind", [])] for name in names]
    full += [found for found in of_names if len(found) >= MOST_OF_ONE]
    earliest: list[Any] = [found[0]["at"] for found in full] or [sent[0]["at"]]
    latest: datetime = max(earliest)
    return latest

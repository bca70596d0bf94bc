"""The log's writers: which of them are alive, and up to which batch each is in the projection."""

from dataclasses import dataclass
from datetime import timedelta

from bson.binary import Binary

from pdp.store.database import Database, Document, unavailable


@dataclass(frozen=True, slots=True)
class Silent:
    """A writer whose heartbeat is old, or a closed writer whose batches may not all be in the projection."""

    writer: bytes
    projected: int


class Writers:
    """One document for each writer."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("writers")

    async def beat(self, writer: bytes) -> None:
        """Store that the writer is alive now, by MongoDB's clock."""
        alive = {"$setOnInsert": {"closed": False, "projected": -1}, "$currentDate": {"heartbeat": True}}
        await self._set(writer, alive, upsert=True)

    async def projected(self, writer: bytes, seq: int) -> None:
        """Store that the writer's batches up to `seq` are in the projection."""
        await self._set(writer, {"$max": {"projected": seq}})

    async def close(self, writer: bytes) -> None:
        """Store that the writer has written its last batch."""
        await self._set(writer, {"$set": {"closed": True}})

    async def drop(self, writer: bytes) -> None:
        """Forget a closed writer whose batches are all projected."""
        async with unavailable():
            await self._collection.delete_one({"_id": Binary(writer), "closed": True})

    async def silent(self, age: timedelta) -> list[Silent]:
        """Open writers that had no heartbeat for `age`."""
        old = {"$lt": ["$heartbeat", {"$subtract": ["$$NOW", int(age.total_seconds() * 1000)]}]}
        return await self._find({"closed": False, "$expr": old})

    async def closed(self) -> list[Silent]:
        """Closed writers that are not dropped yet."""
        return await self._find({"closed": True})

    async def _set(self, writer: bytes, update: Document, *, upsert: bool = False) -> None:
        async with unavailable():
            await self._collection.update_one({"_id": Binary(writer)}, update, upsert=upsert)

    async def _find(self, condition: Document) -> list[Silent]:
        async with unavailable():
            cursor = self._collection.find(condition, limit=100)
            return [Silent(bytes(found["_id"]), found.get("projected", -1)) async for found in cursor]

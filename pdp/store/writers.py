"""The log's writers that have not ended, and when each of them was last alive."""

from datetime import timedelta

from bson.binary import Binary

from pdp.store.database import Database, unavailable


class Writers:
    """One document for each writer."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("writers")

    async def beat(self, writer: bytes) -> None:
        """Store that the writer is alive now, by MongoDB's clock."""
        async with unavailable():
            await self._collection.update_one(
                {"_id": Binary(writer)}, {"$currentDate": {"heartbeat": True}}, upsert=True
            )

    async def close(self, writer: bytes) -> None:
        """Forget a writer that has written its last batch."""
        async with unavailable():
            await self._collection.delete_one({"_id": Binary(writer)})

    async def silent(self, age: timedelta) -> list[bytes]:
        """Writers that had no heartbeat for `age`."""
        old = {"$lt": ["$heartbeat", {"$subtract": ["$$NOW", int(age.total_seconds() * 1000)]}]}
        ours = {"_id": {"$type": "binData"}, "$expr": old}  # writers have such ids
        async with unavailable():
            return [bytes(found["_id"]) async for found in self._collection.find(ours, limit=100)]

"""The collection of addressees: every group, and every set of claims, that a requirement has asked for so far.

They are few and never removed, so a process writes each of them once.
"""

from collections.abc import Mapping

from pymongo import UpdateOne

from pdp.requirement import Requirement
from pdp.store.approval_document import of_requirement, to_requirement
from pdp.store.database import Database, unavailable


class Addressees:
    """Notes words with what they ask for, and knows them all."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("addressees")
        self._noted: set[str] = set()

    async def note(self, asked: Mapping[str, Requirement]) -> None:
        """Store what is new, before an approval with these words is stored."""
        fresh = asked.keys() - self._noted
        if not fresh:
            return
        updates = [
            UpdateOne({"_id": word}, {"$setOnInsert": {"asks": of_requirement(asked[word])}}, upsert=True)
            for word in sorted(fresh)
        ]
        async with unavailable():
            await self._collection.bulk_write(updates, ordered=False)
        self._noted |= fresh

    async def all(self) -> dict[str, Requirement]:
        """Every word, with the requirement that asks for it alone."""
        async with unavailable():
            return {one["_id"]: to_requirement(one["asks"]) async for one in self._collection.find({})}

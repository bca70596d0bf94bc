"""The collection of addressees: every group, and every set of claims, that a requirement has asked for so far.

They are few and never removed, so a process writes each of them once.
"""

import logging
from collections.abc import Iterator, Mapping

from pymongo import UpdateOne

from pdp.requirement import Requirement
from pdp.store.approval_document import of_requirement, to_requirement
from pdp.store.database import Database, Document, unavailable

log = logging.getLogger(__name__)


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
            found = [one async for one in self._collection.find({})]
        return {word: asks for one in found for word, asks in _read(one)}


def _read(document: Document) -> Iterator[tuple[str, Requirement]]:
    """The word of a document, with what it asks for; nothing of one that was not written here."""
    try:
        yield document["_id"], to_requirement(document["asks"])
    except (LookupError, TypeError, ValueError, AttributeError):
        log.warning("a document in `addressees` is not as it was written, so the queue is read without it")

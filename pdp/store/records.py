"""The projection: the signed part of every record under its id, for lists. It can be rebuilt from the batches."""

import logging
from collections.abc import Sequence

import orjson
import pymongo
from pymongo.errors import BulkWriteError, OperationFailure, PyMongoError
from pymongo.write_concern import WriteConcern

from pdp.errors import StoreUnavailable
from pdp.store.database import Database, Document, unavailable
from pdp.store.indexes import OF_RECORDS, Partial

log = logging.getLogger(__name__)

_DUPLICATE_KEY = 11000
"""MongoDB's error code DuplicateKey."""
_DECISION, _EFFECTS = "decision", ("ALLOW", "DENY", "NEEDS_APPROVAL")
"""The kind of most records, which the index by kind leaves out; they are those that have an effect."""
_GONE, _NO_RIGHT = {26, 27}, {13}
"""MongoDB's error codes NamespaceNotFound and IndexNotFound, and Unauthorized."""
_INDEX_SECONDS = 3600.0
"""Seconds that one try may take. MongoDB goes on building when nobody waits any more."""


class Records:
    """Summaries of records, newest first."""

    def __init__(self, database: Database) -> None:
        collection = database.database.get_collection("records")
        self._collection = collection
        self._relaxed = collection.with_options(write_concern=WriteConcern(w=1))  # lost ones are projected again

    async def project(self, records: Sequence[bytes]) -> None:
        """Add records. A record that is there stays as it is."""
        try:
            await self._relaxed.insert_many([_document(record) for record in records], ordered=False)
        except BulkWriteError as error:
            if any(failure["code"] != _DUPLICATE_KEY for failure in error.details["writeErrors"]):
                raise StoreUnavailable("MongoDB did not take the projection") from None
        except PyMongoError:
            raise StoreUnavailable("MongoDB did not take the projection") from None

    async def move_indexes(self) -> None:
        """Make the partial indexes that a database of an older version lacks, and drop those that they replace.

        Nothing waits for it: MongoDB builds beside its work, and until then lists read by the index that was there.
        Where both was done already, nothing happens.
        """
        for partial in OF_RECORDS:
            await self._move(partial)

    async def _move(self, partial: Partial) -> None:
        try:
            with pymongo.timeout(_INDEX_SECONDS):
                await partial.make(self._collection)
                await self._collection.drop_index(partial.before)
        except OperationFailure as error:
            if error.code in _NO_RIGHT:
                told = "MongoDB's user may not drop the index %s of records; drop it, nothing reads it"
                log.warning(told, partial.before)
            elif error.code not in _GONE:
                raise StoreUnavailable("MongoDB did not make the index of records") from None
        except PyMongoError:
            raise StoreUnavailable("MongoDB has not made the index of records yet") from None

    async def page(self, *, kind: str, effect: str, approval_id: str, before: str, limit: int) -> list[Document]:
        """Records with ids below `before` (empty: from the newest). If set, only of this kind, effect and approval."""
        wanted = condition(kind=kind, effect=effect, approval_id=approval_id, before=before)
        async with unavailable():
            cursor = self._collection.find(wanted, limit=limit).sort("_id", -1)
            return [{**document, "id": document.pop("_id")} async for document in cursor]


def condition(*, kind: str, effect: str, approval_id: str, before: str) -> Document:
    """What `page` asks MongoDB for: each list has an index that gives it in order."""
    wanted = {"kind": kind, "effect": effect, "approval_id": approval_id}
    found: Document = {name: {"$eq": value} for name, value in wanted.items() if value}
    if kind == _DECISION and not effect:
        found["effect"] = {"$in": list(_EFFECTS)}
    if before:
        found["_id"] = {"$lt": before}
    return found


def _document(record: bytes) -> Document:
    members = orjson.loads(record)
    members["_id"] = members.pop("id")
    del members["payload_sha256"]
    return dict(members)

"""The projection: the signed part of every record under its id, for lists. It can be rebuilt from the batches."""

from collections.abc import Sequence

import orjson
from pymongo.errors import BulkWriteError, PyMongoError
from pymongo.write_concern import WriteConcern

from pdp.errors import StoreUnavailable
from pdp.store.database import Database, Document, unavailable

_DUPLICATE_KEY = 11000
"""MongoDB's error code DuplicateKey."""


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

    async def page(self, *, kind: str, effect: str, approval_id: str, before: str, limit: int) -> list[Document]:
        """Records with ids below `before` (empty: from the newest). If set, only of this kind, effect and approval."""
        wanted = {"kind": kind, "effect": effect, "approval_id": approval_id}
        condition: Document = {name: {"$eq": value} for name, value in wanted.items() if value}
        if before:
            condition["_id"] = {"$lt": before}
        async with unavailable():
            cursor = self._collection.find(condition, limit=limit).sort("_id", -1)
            return [{**document, "id": document.pop("_id")} async for document in cursor]


def _document(record: bytes) -> Document:
    members = orjson.loads(record)
    members["_id"] = members.pop("id")
    del members["payload_sha256"]
    return dict(members)

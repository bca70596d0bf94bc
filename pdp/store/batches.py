"""The collection of the log's batches, with `_id = {writer, seq}`. They are inserted and read, never changed.

A document says beside its batch, unsigned, which UUIDs its records have (`ids`), and which of them came from an outbox
(`posted`; absent where none did). An index lets no two batches post one record. For lists it has the greatest of the
UUIDs (`newest`), and what its records are (`marks`).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from bson.binary import Binary
from pymongo.errors import DuplicateKeyError

from pdp.audit.record import Entry
from pdp.errors import StoreUnavailable
from pdp.store.database import Database, Document, unavailable
from pdp.v1.audit_pb2 import Batch, Payload

INSERT_SECONDS = 5.0
"""Seconds that one insert may take before the writer sends the same document again."""
EVERY = "every"
"""The mark of each batch."""


@dataclass(slots=True)
class Posted(Exception):
    """Other batches have posted some of it already: `ids` are claimed by them, and `records` are in them.

    The batch that was to be inserted is not in the log and cannot come into it any more.
    """

    ids: frozenset[bytes]
    records: frozenset[bytes]


class Batches:
    """Inserts and reads batches. To insert the same batch again has no effect."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("batches")

    async def insert(self, batch: Batch, ids: Sequence[bytes], posted: Collection[bytes] = ()) -> bool:
        """Make the batch durable on a majority. Returns False if another batch has its place.

        Raises `StoreUnavailable` while it is unknown whether the batch is stored; then insert it again.
        Raises `Posted` if other batches have some of what is posted, on a majority.
        """
        try:
            async with unavailable(INSERT_SECONDS):
                await self._collection.insert_one(_document(batch, ids, posted))
        except DuplicateKeyError:
            stored = await self.at(batch.writer, batch.seq)
            if stored is None:
                await self._refuse_posted(batch, posted)
                # it is stored, or a batch with a record of it, but not yet on a majority
                raise StoreUnavailable("MongoDB has not confirmed the batch yet") from None
            return stored.head == batch.head
        return True

    async def _refuse_posted(self, batch: Batch, posted: Collection[bytes]) -> None:
        """Raise `Posted` if batches in other places have some of `posted`."""
        among, here = [Binary(one) for one in posted], place_id(batch.writer, batch.seq)
        async with unavailable(INSERT_SECONDS):
            found = self._collection.find({"posted": {"$in": among}, "_id": {"$ne": here}}, ["posted", "records"])
            others = [document async for document in found]
        if others:
            raise Posted(
                frozenset(bytes(one) for other in others for one in other["posted"]),
                frozenset(bytes(one) for other in others for one in other["records"]),
            )

    async def at(self, writer: bytes, seq: int) -> Batch | None:
        """The batch at one place."""
        async with unavailable(INSERT_SECONDS):
            document = await self._collection.find_one({"_id": place_id(writer, seq)})
        return batch_of(document) if document else None

    async def holds(self, record: bytes) -> bool:
        """Whether a batch holds the record with this UUID."""
        async with unavailable():
            return await self._collection.find_one({"ids": {"$eq": Binary(record)}}, ["_id"]) is not None

    async def holding(self, record: bytes) -> Batch | None:
        """The batch that holds the record with this UUID."""
        async with unavailable():
            document = await self._collection.find_one({"ids": {"$eq": Binary(record)}})
        return batch_of(document) if document else None

    async def last(self, writer: bytes) -> Batch | None:
        """The writer's newest batch."""
        async with unavailable():
            whole_writer = {"$gte": place_id(writer, 0), "$lt": place_id(writer, 2**62)}
            document = await self._collection.find_one({"_id": whole_writer}, sort=[("_id", -1)])
        return batch_of(document) if document else None

    async def after(self, writer: bytes, seq: int, limit: int) -> list[Batch]:
        """The writer's batches after `seq`, oldest first."""
        async with unavailable():
            behind = {"$gt": place_id(writer, seq), "$lt": place_id(writer, 2**62)}
            cursor = self._collection.find({"_id": behind}, sort=[("_id", 1)], limit=limit)
            return [batch_of(document) async for document in cursor]


def ids_of(entries: Sequence[Entry]) -> list[bytes]:
    """The UUIDs of the entries' records, for the index that finds them."""
    return [uuid_of(entry.id) for entry in entries]


def uuid_of(record: str) -> bytes:
    """The UUID in the id of a record."""
    return bytes.fromhex(record[4:])


def place_id(writer: bytes, seq: int) -> Document:
    """The `_id` of a batch."""
    return {"writer": Binary(writer), "seq": seq}


def _document(batch: Batch, ids: Sequence[bytes], posted: Collection[bytes]) -> Document:
    return {
        "_id": place_id(batch.writer, batch.seq),
        "prev": batch.prev,
        "head": batch.head,
        "signature": batch.signature,
        "records": list(batch.records),
        "payloads": [{"salt": payload.salt, "payload": payload.payload} for payload in batch.payloads],
        "leaves": batch.leaves,
        "ids": list(ids),
        "newest": max(ids, default=b""),
        "marks": _marks(batch.records),
        **({"posted": [Binary(one) for one in posted]} if posted else {}),
    }


def _marks(records: Iterable[bytes]) -> list[str]:
    """What lists can ask for of these records: few for each batch, so that its index costs little."""
    marks = {EVERY}
    for record in records:
        members = orjson.loads(record)
        marks |= {members["kind"], members.get("effect", ""), members.get("approval_id", "")}
    return sorted(marks - {""})


def batch_of(document: Document) -> Batch:
    """A batch as it is stored. What has another form than a server writes is empty, and `audit verify` finds it."""
    place = document["_id"] if isinstance(document["_id"], dict) else {}
    seq, records, payloads = place.get("seq"), document.get("records"), document.get("payloads")
    return Batch(
        writer=_bytes(place.get("writer")),
        seq=seq if isinstance(seq, int) and 0 <= seq < 2**63 else 0,
        **{name: _bytes(document.get(name)) for name in ("prev", "head", "signature", "leaves")},
        records=map(_bytes, records if isinstance(records, list) else ()),
        payloads=map(_payload, payloads if isinstance(payloads, list) else ()),
    )


def _payload(stored: Any) -> Payload:
    """What is left of a payload; `audit verify` finds what is gone."""
    members = stored if isinstance(stored, dict) else {}
    return Payload(salt=_bytes(members.get("salt")), payload=_bytes(members.get("payload")))


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes) else b""

"""What followed from the log of lineage at some numbers of it, so that a start need not read all of the log.

A snapshot lies in parts, as a document of MongoDB holds 16 MiB. Its own document is inserted last.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from bson.binary import Binary
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from pdp.store.database import Database, Document, unavailable

PART_BYTES = 8 * 1024 * 1024
"""Bytes of one part."""
PART_SECONDS = 30.0
"""Seconds that one part may take."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state behind number `n` of the log, whose head there was `head`, and a signature over `n` and `hash`."""

    n: int
    head: bytes
    hash: bytes
    size: int
    signature: bytes


class LineageSnapshots:
    """Inserts and reads snapshots. Nothing here says whether one is ours; who reads it checks hash and signature."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("lineage_snapshots")
        self._parts = database.database.get_collection("lineage_snapshot_parts")

    async def has(self, n: int) -> bool:
        """Whether somebody has stored one of this number."""
        async with unavailable(PART_SECONDS):
            return await self._collection.find_one({"_id": n}, ["_id"]) is not None

    async def keep(self, snapshot: Snapshot, data: bytes) -> None:
        """Store one. What is there already stays, as equal numbers have equal bytes."""
        for start in range(0, len(data), PART_BYTES):
            part = {"_id": _part(snapshot, start), "data": Binary(data[start : start + PART_BYTES])}
            await _insert(self._parts, part)
        kept: Document = {"_id": snapshot.n, "size": snapshot.size}
        kept |= {name: Binary(getattr(snapshot, name)) for name in ("head", "hash", "signature")}
        await _insert(self._collection, kept)

    async def newest_first(self) -> AsyncIterator[Snapshot]:
        """Every snapshot; one whose document is not of this form is left out."""
        async with unavailable(seconds=3600):
            async for found in self._collection.find(sort=[("_id", -1)]):
                with suppress(KeyError, TypeError, ValueError):
                    yield _snapshot(found)

    async def data(self, snapshot: Snapshot) -> bytes:
        """Its bytes, as far as they are there."""
        read = bytearray()
        for start in range(0, snapshot.size, PART_BYTES):
            async with unavailable(PART_SECONDS):
                found = await self._parts.find_one({"_id": _part(snapshot, start)})
            if found is None or not isinstance(found.get("data"), bytes):
                break
            read += found["data"]
        return bytes(read)


async def _insert(collection: AsyncCollection[Document], document: Document) -> None:
    with suppress(DuplicateKeyError):
        async with unavailable(PART_SECONDS):
            await collection.insert_one(document)


def _part(snapshot: Snapshot, start: int) -> Document:
    return {"hash": Binary(snapshot.hash), "start": start}


def _snapshot(found: Document) -> Snapshot:
    if found["_id"] < 0:
        raise ValueError
    return Snapshot(
        int(found["_id"]), bytes(found["head"]), bytes(found["hash"]), int(found["size"]), bytes(found["signature"])
    )

"""The unmaskings that go on chunk by chunk: how far each is, and which of its streams may go on."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pymongo.errors import DuplicateKeyError

from pdp.errors import Conflict
from pdp.store.database import Database, Document, unavailable

_SCHEMA_VERSION = 1
"""The version of these documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmasking:
    """One claim's work: whose it is, which request it is for, and how far it is.

    1. `digest` is that of the request, which covers its tokens, its table and the people behind it.
    2. `sent` chunks have left, of which the last one may not have arrived.
    3. `stream` is the one that may go on; it began at chunk `first`, and follows the stream `after`.
    4. `is_done` says that all have arrived, and `record_id` where the log says it. `is_over` says that a day has
       passed since it began `at` this time.
    """

    claim: str
    decision_id: str
    caller: str
    request_id: str
    digest: str
    sent: int = 0
    stream: str = ""
    after: str = ""
    first: int = 0
    record_id: str = ""
    is_done: bool = False
    is_over: bool = False
    at: datetime | None = None

    @property
    def next_chunk(self) -> int:
        """The first chunk that is not known to have arrived: the last one that left, unless all have arrived."""
        return self.sent if self.is_done else max(self.sent - 1, 0)

    def followed(self, stream: str) -> "Unmasking":
        """The same with another stream that goes on."""
        return replace(self, stream=stream, after=self.stream, first=self.next_chunk)


class Unmaskings:
    """One document for each claim. A stream may go on only as long as it is the document's own."""

    def __init__(self, database: Database, lasts: timedelta) -> None:
        self._collection, self._lasts = database.database.get_collection("unmaskings"), lasts

    async def of_request(self, caller: str, request_id: str) -> Unmasking | None:
        """The work that this caller's request id began; none without an id."""
        condition = {"caller": {"$eq": caller}, "request_id": {"$eq": request_id}}
        return await self._one(condition) if request_id else None

    async def begin(self, begun: Unmasking) -> None:
        """Insert it, unless its claim is there. Raises `Conflict` where another claim has the request id."""
        held: Document = {
            "decision_id": begun.decision_id,
            "caller": begun.caller,
            "digest": begun.digest,
            "sent": 0,
            "stream": "",
            "schema_version": _SCHEMA_VERSION,
        }
        if begun.request_id:
            held["request_id"] = begun.request_id
        first = {"$setOnInsert": held, "$currentDate": {"at": True}}
        try:
            async with unavailable():
                await self._collection.update_one({"_id": begun.claim, "sent": {"$exists": False}}, first, upsert=True)
        except DuplicateKeyError as error:
            if "request_id" in (error.details or {}).get("keyPattern", {}):
                raise Conflict("another stream under this request_id began just now; try again") from None

    async def of_claim(self, claim: str) -> Unmasking:
        """The work of a claim. Raises `Conflict` where it is gone."""
        found = await self._one({"_id": {"$eq": claim}})
        if found is None:
            raise Conflict("this unmasking is gone; take a new request_id")
        return found

    async def take(self, found: Unmasking, work: Unmasking) -> bool:
        """Let the stream of `work` go on; not where another did since it was found."""
        return await self._changed(found, found.sent, {"$set": {"stream": work.stream, "first": work.first}})

    async def advance(self, work: Unmasking, chunk: int) -> None:
        """Chunk number `chunk` is about to leave: the next one, or the last one that left, once more.

        Raises `Conflict` where another stream goes on.
        """
        is_new = chunk >= work.sent
        change: Document = {"$inc": {"sent": 1}} if is_new else {"$set": {"again": chunk}}
        if not await self._changed(work, chunk if is_new else chunk + 1, change):
            raise Conflict("another stream under this request_id goes on; this one has ended")

    async def done(self, work: Unmasking, chunks: int, record_id: str) -> None:
        """All chunks have arrived, as this record says. Raises `Conflict` where another stream goes on."""
        ends = {"is_done": True, "record_id": record_id}
        if not await self._changed(work, chunks, {"$set": ends}):
            raise Conflict("another stream under this request_id goes on; this one has ended")

    async def _changed(self, work: Unmasking, sent: int, change: Document) -> bool:
        this = {"_id": {"$eq": work.claim}, "stream": work.stream, "sent": sent}
        async with unavailable():
            return bool((await self._collection.update_one(this, change)).matched_count)

    async def _one(self, condition: Document) -> Unmasking | None:
        over = {"$lte": [{"$add": ["$at", int(self._lasts.total_seconds() * 1000)]}, "$$NOW"]}
        async with unavailable():
            found = await self._collection.find_one(condition, {"is_over": over, **dict.fromkeys(_STORED, 1)})
        return _read(found) if found else None


_STORED = (
    *("decision_id", "caller", "request_id", "digest"),
    *("sent", "stream", "first", "record_id", "is_done", "at"),
)


def _read(document: Document) -> Unmasking:
    members: dict[str, Any] = {name: document[name] for name in (*_STORED, "is_over") if name in document}
    return Unmasking(claim=document["_id"], **{"request_id": "", "digest": "", **members})

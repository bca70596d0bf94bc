"""The log of lineage: documents with `_id` from 1 on, without gaps. They are inserted and read, never changed.

1. To insert number n is the compare-and-set: of two processes that try, one has to read the other's document first.
2. What a document holds and what it claims to have seen (`seen`, unique) is one insert: a process that dies has written
   both or nothing. A transaction over two collections would hold the number for a minute where its process dies.
3. Nothing here says whether a document is one of ours; who reads it checks its head and signature.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from bson.binary import Binary
from pymongo.errors import DuplicateKeyError, PyMongoError
from pymongo.read_concern import ReadConcern

from pdp.background import raise_if_cancelled
from pdp.errors import StoreUnavailable
from pdp.store.database import Database, Document, unavailable

INSERT_SECONDS = 5.0
"""Seconds that one insert may take before the same document is sent again."""
READ_SECONDS = 5.0
"""Seconds that one read may take. Nobody waits for it: a process reads ahead."""
CONFIRM_MS = 2000
"""Milliseconds after which MongoDB gives up to confirm that it is the primary of a majority."""
WAIT_MS = 250
"""Milliseconds for which MongoDB holds an answer back if nothing changes. A cancellation may take as long."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One document: its entries, their hash chained to the one before (`head`), and a signature over `n` and `head`.

    `seen` are hashes of what its entries were made of, which no other document may have.
    """

    n: int
    entries: Sequence[bytes]
    head: bytes
    signature: bytes
    seen: Sequence[bytes] = ()


@dataclass(slots=True)
class Seen(Exception):
    """Other documents claim to hold some of it: `claims` says which, by the hash of what they have seen.

    The document that was to be inserted is not in the log.
    """

    claims: dict[bytes, Logged]


class LineageLog:
    """Inserts and reads the documents. To insert the same one again has no effect."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("lineage_log")

    async def insert(self, document: Logged) -> bool:
        """Make the document durable on a majority. Returns False if another one has its number.

        Raises `StoreUnavailable` while it is unknown whether it is stored; then insert it again.
        Raises `Seen` if others on a majority claim what it has seen.
        """
        try:
            async with unavailable(INSERT_SECONDS):
                await self._collection.insert_one(_document(document))
        except DuplicateKeyError:
            stored = await self.at(document.n)
            if stored is None:
                await self._refuse_seen(document)
                # it is stored, or one that has seen the same, but not yet on a majority
                raise StoreUnavailable("MongoDB has not confirmed the lineage yet") from None
            return stored.head == document.head
        return True

    async def _refuse_seen(self, document: Logged) -> None:
        """Raise `Seen` if documents with other numbers claim some of what this one has seen."""
        wanted = set(document.seen)
        among = {"seen": {"$in": [Binary(one) for one in wanted]}, "_id": {"$ne": document.n}}
        async with unavailable(READ_SECONDS):
            others = [_logged(found) async for found in self._collection.find(among)]
        if others:
            raise Seen({key: other for other in others for key in other.seen if key in wanted})

    async def seeing(self, key: bytes) -> list[Logged]:
        """The documents that claim to have seen this."""
        async with unavailable(READ_SECONDS):
            return [_logged(found) async for found in self._collection.find({"seen": Binary(key)})]

    async def at(self, n: int) -> Logged | None:
        """The document with this number."""
        async with unavailable(READ_SECONDS):
            found = await self._collection.find_one({"_id": n})
        return _logged(found) if found else None

    async def after(self, n: int, limit: int) -> list[Logged]:
        """The documents behind this number, in order."""
        async with unavailable(READ_SECONDS):
            cursor = self._collection.find({"_id": {"$gt": n}}, sort=[("_id", 1)], limit=limit)
            return [_logged(found) async for found in cursor]

    async def newest(self) -> tuple[int, bytes]:
        """Number and head of the last document, as a primary has it that a majority follows just then; 0 without any.

        So an old primary that the others have left does not confirm that nothing is new.
        """
        current = self._collection.with_options(read_concern=ReadConcern("linearizable"))
        async with unavailable(READ_SECONDS):
            found = await current.find_one({}, ["head"], sort=[("_id", -1)], max_time_ms=CONFIRM_MS)
        return (_number(found["_id"]), _bytes(found.get("head"))) if found else (0, b"")

    async def follow(self) -> AsyncGenerator[int | None, None]:
        """Yield None when the stream is open, and then for each new document None, and its number for any other change.

        A change of the whole collection has the number 0. Raises `StoreUnavailable`; then call it again.
        """
        shown: Sequence[Document] = [{"$project": {"operationType": 1, "documentKey": 1}}]
        try:
            async with await self._collection.watch(shown, max_await_time_ms=WAIT_MS) as stream:
                yield None
                while stream.alive:
                    found = await stream.try_next()
                    raise_if_cancelled()
                    if found is not None:
                        yield _changed(found)
        except PyMongoError:
            raise StoreUnavailable("MongoDB's change stream broke") from None


def _changed(found: Document) -> int | None:
    if found["operationType"] == "insert":
        return None
    return _number(found.get("documentKey", {}).get("_id"))


def _document(one: Logged) -> Document:
    return {
        "_id": one.n,
        "entries": [Binary(entry) for entry in one.entries],
        "head": Binary(one.head),
        "signature": Binary(one.signature),
        **({"seen": [Binary(key) for key in one.seen]} if one.seen else {}),
    }


def _logged(found: Document) -> Logged:
    """What a document holds; what is not of its type becomes empty, which no head and no signature fit."""
    return Logged(
        _number(found["_id"]),
        _list(found.get("entries")),
        _bytes(found.get("head")),
        _bytes(found.get("signature")),
        _list(found.get("seen")),
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _list(value: object) -> Sequence[bytes]:
    return [_bytes(one) for one in value] if isinstance(value, list) else []


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes) else b""

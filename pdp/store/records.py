"""Lists of the log's records, newest first: batches by the newest record of each, and a batch from its last record."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson
from bson.binary import Binary

from pdp import identifier
from pdp.audit.record import Kind
from pdp.store.batches import EVERY, batch_of
from pdp.store.database import Database, Document, unavailable

_READ_AT_ONCE = 16
"""Batches that are read at one time. It bounds the memory, and how long their parsing holds the event loop."""
_UUID_BYTES = 16
_NEEDED = frozenset({"id", "kind", "time"})
"""The members that each record has."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in lists: the UUID of the newest record of its batch, and its index in the batch."""

    newest: bytes
    index: int

    def __str__(self) -> str:
        return f"rec_{self.newest.hex()}.{self.index}"

    @staticmethod
    def parse(text: str) -> "Place | None":
        """The place that was written so; None for any other text."""
        newest, _, index = text.partition(".")
        uuid = identifier.uuid_bytes(newest)
        is_index = index.isascii() and index.isdecimal() and len(index) < len("10000")
        return Place(uuid, int(index)) if uuid is not None and is_index else None


@dataclass(frozen=True, slots=True)
class Listed:
    """The signed part of a record, and its place."""

    members: dict[str, Any]
    place: Place


class Records:
    """Reads the signed parts of records from the log, unverified."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("batches")

    async def page(
        self, *, kind: str = "", effect: str = "", approval_id: str = "", after: Place | None = None, limit: int
    ) -> list[Listed]:
        """Records behind a place, or the newest. If set, only of this kind, effect and approval."""
        wanted = {"kind": kind, "effect": effect, "approval_id": approval_id}
        wanted = {name: value for name, value in wanted.items() if value}
        page = list[Listed]()
        async with unavailable(), aclosing(self._batches(condition(kind, effect, approval_id, after))) as batches:
            async for batch in batches:
                page += [listed for listed in _records(batch, wanted) if after is None or _is_behind(after, listed)]
                if len(page) >= limit:
                    break
        return page[:limit]

    async def _batches(self, wanted: Document) -> AsyncGenerator[Document]:
        async with self._collection.find(wanted, ["newest", "records"], batch_size=_READ_AT_ONCE) as cursor:
            async for batch in cursor.sort("newest", -1):
                yield batch


def condition(kind: str, effect: str, approval_id: str, after: Place | None) -> Document:
    """What `page` asks MongoDB for: one index gives each list in order, without a batch that has nothing for it."""
    of_no_record = f"{kind} {effect}" if effect and kind not in {"", Kind.DECISION} else ""
    found: Document = {"marks": approval_id or of_no_record or effect or kind or EVERY}
    return found | {"newest": {"$lte": Binary(after.newest)}} if after else found


def _records(batch: Document, wanted: dict[str, str]) -> Iterator[Listed]:
    """Those of a batch, from the last one. What has another form than a server writes is left out."""
    newest, needles = batch.get("newest"), [orjson.dumps({name: value})[1:-1] for name, value in wanted.items()]
    if not isinstance(newest, bytes) or len(newest) != _UUID_BYTES:
        return
    for index, record in reversed([*enumerate(batch_of(batch).records)]):
        if all(needle in record for needle in needles):
            members = _members(record)
            if members and all(members.get(name) == value for name, value in wanted.items()):
                yield Listed(members, Place(bytes(newest), index))


def _members(record: bytes) -> dict[str, Any]:
    try:
        members = orjson.loads(record)
    except orjson.JSONDecodeError:
        return {}
    return members if isinstance(members, dict) and members.keys() >= _NEEDED else {}


def _is_behind(place: Place, listed: Listed) -> bool:
    return listed.place.newest != place.newest or listed.place.index < place.index

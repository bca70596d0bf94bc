"""Reads the log, one writer's chain after the other, in pieces that are so small that other calls go on meanwhile.

A piece is a query of its own: a reader may take as long as it likes between two, and no cursor of MongoDB waits for it.
What somebody planted among the batches, with an id of any form, is read at its place, and `audit verify` finds it.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias

from bson import encode
from bson.max_key import MaxKey
from bson.min_key import MinKey

from pdp.store.batches import INSERT_SECONDS, batch_of, place_id
from pdp.store.database import Database, unavailable
from pdp.v1.audit_pb2 import Batch

PIECE_BYTES = 128 * 1024
"""Bytes of batches that are read at one time: to decode them holds the event loop for half a millisecond."""
MOST_AT_ONCE = 128
"""Batches of one piece, however small they are."""
MOST_BYTES = 1024 * 1024
"""Bytes of one piece, unless one batch has more. A message that holds a piece stays below its limit."""
_PLACES_AT_ONCE = 500
"""Places that are looked up in one query."""
_BY_ID = [("_id", 1)]
Stored: TypeAlias = tuple[Any, Batch]
"""A batch, and the id that it has in the collection."""


class Chains:
    """The chains of all writers, as they are stored."""

    def __init__(self, database: Database) -> None:
        self._collection = database.database.get_collection("batches")

    async def pieces(
        self, after: Mapping[bytes, int] | None = None, writers: Sequence[bytes] = ()
    ) -> AsyncGenerator[list[Batch]]:
        """Batches one writer after the other, each in order; of these `writers` alone where there are any.

        Of a writer in `after` only what is behind that seq. Raises `StoreUnavailable`.
        """
        reached = after or {}
        if not writers:
            async with aclosing(self._whole(reached)) as pieces:
                async for piece in pieces:
                    yield piece
        for writer in writers:
            begin = {"writer": writer, "seq": reached.get(writer, MinKey())}
            async with aclosing(self._between(begin, {"writer": writer, "seq": MaxKey()})) as found:
                async for stored in found:
                    yield [batch for _, batch in stored]

    async def newest(self) -> AsyncIterator[Batch]:
        """The newest batch of each writer, and everything whose id names no writer."""
        begin: Any = MinKey()
        while found := await self._read(begin, MaxKey(), 1):
            [(begin, batch)] = found
            if (writer := _writer(begin)) is not None:
                first, begin = {"writer": writer, "seq": MinKey()}, {"writer": writer, "seq": MaxKey()}
                [(_, batch)] = await self._read(first, begin, 1, direction=-1)
            yield batch

    async def heads(self, places: Sequence[tuple[bytes, int]]) -> dict[tuple[bytes, int], bytes]:
        """The heads of the batches at these places, as far as they are there."""
        found: dict[tuple[bytes, int], bytes] = {}
        for at in range(0, len(places), _PLACES_AT_ONCE):
            among = [place_id(*place) for place in places[at : at + _PLACES_AT_ONCE]]
            async with unavailable():
                async for document in self._collection.find({"_id": {"$in": among}}, ["head"]):
                    batch = batch_of(document)
                    found[batch.writer, batch.seq] = batch.head
        return found

    async def _whole(self, reached: Mapping[bytes, int]) -> AsyncGenerator[list[Batch]]:
        begin: Any = MinKey()
        while begin is not None:
            async with aclosing(self._between(begin, MaxKey())) as pieces:
                begin = None
                async for stored in pieces:
                    fresh, begin = _up_to_known(stored, reached)
                    if fresh:
                        yield fresh
                    if begin is not None:
                        break

    async def _between(self, begin: Any, end: Any) -> AsyncGenerator[list[Stored]]:
        """What has an id behind `begin` and before `end`, in pieces of about `PIECE_BYTES`."""
        at_once = 1
        while piece := await self._read(begin, end, at_once):
            yield piece
            begin, _ = piece[-1]
            size = sum(batch.ByteSize() for _, batch in piece) // len(piece)
            at_once = max(1, min(MOST_AT_ONCE, PIECE_BYTES // max(size, 1)))

    async def _read(self, begin: Any, end: Any, limit: int, direction: int = 1) -> list[Stored]:
        """Ids of every type are in one order, which `$gt` does not follow and `min` does; that includes `begin`."""
        known = encode({"_id": begin})
        async with unavailable(INSERT_SECONDS):
            cursor = self._collection.find(limit=limit + 1, sort=[("_id", direction)])
            found, size = list[Stored](), 0
            async with cursor.hint(_BY_ID).min([("_id", begin)]).max([("_id", end)]) as documents:
                async for document in documents:
                    if encode({"_id": document["_id"]}) == known:
                        continue
                    batch = batch_of(document)
                    size += batch.ByteSize()
                    if len(found) == limit or (found and size > MOST_BYTES):
                        break
                    found.append((document["_id"], batch))
        return found


def _up_to_known(piece: list[Stored], reached: Mapping[bytes, int]) -> tuple[list[Batch], Any]:
    """The batches before the first that the reader has, and the id behind which to go on; None where it has none."""
    for index, (stored_id, _) in enumerate(piece):
        writer = _writer(stored_id)
        seq = reached.get(writer) if writer is not None else None
        if seq is not None and stored_id["seq"] <= seq:
            return [batch for _, batch in piece[:index]], {"writer": writer, "seq": seq}
    return [batch for _, batch in piece], None


def _writer(stored_id: Any) -> bytes | None:
    """The writer whose batch it is; None if the id has another form."""
    is_place = isinstance(stored_id, dict) and list(stored_id) == ["writer", "seq"]
    if not is_place or type(stored_id["writer"]) is not bytes or not isinstance(stored_id["seq"], int):
        return None
    return bytes(stored_id["writer"])

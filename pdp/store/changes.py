"""The change stream of the approvals: every step, in MongoDB's order, as soon as a majority has it.

A position is MongoDB's time of a change, as one number. MongoDB's own resume token names an approval; a position does
not, so callers may have it.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson.timestamp import Timestamp
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.errors import OperationFailure, PyMongoError

from pdp.background import raise_if_cancelled
from pdp.errors import ResumeTokenTooOld, SetupError, StoreUnavailable
from pdp.store.database import Database, Document, unavailable

WAIT_MS = 250
"""Milliseconds for which MongoDB holds an answer back if nothing changes. A cancellation may take as long."""
RESUME_SECONDS = 3600
"""The greatest age of a position in seconds. For an older one it costs less to begin again."""
CATCH_UP_SECONDS = 1.5
"""Seconds that one catch-up may take. It bounds the work that one token can cause."""
CATCH_UPS_AT_ONCE = 4
"""Catch-ups at one time. Each holds a stream of its own in MongoDB."""
MAX_MISSED = 1000
"""Approvals that one catch-up may find. For more it costs less to begin again."""
_HISTORY_LOST = {136, 222, 260, 280, 286}
"""CappedPositionLost, CloseChangeStream, InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost."""

_PIPELINE: Sequence[Document] = [
    {
        "$match": {
            "$or": [
                {"operationType": {"$in": ["insert", "replace"]}},
                {"updateDescription.updatedFields.version": {"$exists": True}},  # not where only the outbox is emptied
            ]
        }
    },
    {
        "$project": {
            "documentKey": 1,
            "clusterTime": 1,
            "version": {"$ifNull": ["$updateDescription.updatedFields.version", "$fullDocument.version"]},
        }
    },
]


@dataclass(frozen=True, slots=True)
class Change:
    """The approval had this version at this position."""

    approval_id: str
    version: int
    position: int


class HistoryLost(Exception):
    """MongoDB no longer knows all changes since the last one; `follow` continues at the present."""


class Changes:
    """One stream to `follow` as long as the process lives, and short streams to catch up."""

    def __init__(self, database: Database) -> None:
        self._client = database.database.client
        self._collection = database.database.get_collection("approvals")
        self._where: Mapping[str, Any] = {}
        self._catching_up = asyncio.Semaphore(CATCH_UPS_AT_ONCE)

    async def begin(self) -> None:
        """Fix the point from which `follow` sees every change. Raises `SetupError`."""
        try:
            async with await self._open(self._where) as stream:
                self._where = _behind(stream)
        except PyMongoError:
            raise SetupError("MongoDB shows no change stream of the approvals; the user needs changeStream") from None

    async def follow(self) -> AsyncGenerator[Change | None, None]:
        """Yield None when the stream is open, and then every change after the last one that was yielded, without end.

        Raises `StoreUnavailable` or `HistoryLost`; then call it again.
        """
        try:
            async with await self._open(self._where) as stream:
                yield None
                while stream.alive:
                    found = await stream.try_next()
                    raise_if_cancelled()
                    self._where = _behind(stream)
                    if found is not None:
                        yield _change(found)
        except PyMongoError as error:
            if not _is_lost(error):
                raise StoreUnavailable("MongoDB's change stream broke") from None
        self._where = {}
        raise HistoryLost

    async def position(self) -> int:
        """A position such that every later read sees all changes before it. Raises `StoreUnavailable`."""
        async with unavailable(), self._client.start_session() as session:
            await self._collection.find_one({}, {"_id": 1}, session=session)
            return _number(session.operation_time or Timestamp(0, 0))

    async def since(self, position: int) -> tuple[list[Change], int]:
        """The last change of each approval after `position`, in order, and the position up to which they are complete.

        Raises `ResumeTokenTooOld`, `StoreUnavailable`.
        """
        async with self._catching_up:
            now = await self.position()
            if not 0 <= (now >> 32) - (position >> 32) <= RESUME_SECONDS or position > now:
                raise _too_old()
            try:
                async with asyncio.timeout(CATCH_UP_SECONDS):
                    return await self._since(position), now
            except TimeoutError:
                raise _too_old() from None
            except PyMongoError as error:
                if _is_lost(error):
                    raise _too_old() from None
                raise StoreUnavailable("MongoDB's change stream broke; try again") from None

    async def _since(self, position: int) -> list[Change]:
        missed: dict[str, Change] = {}
        behind = {"start_at_operation_time": _timestamp(position + 1)}
        async with await self._open(behind, wait_ms=1) as stream:
            while (found := await stream.try_next()) is not None:
                raise_if_cancelled()
                change = _change(found)
                missed.pop(change.approval_id, None)
                missed[change.approval_id] = change
                if len(missed) > MAX_MISSED:
                    raise _too_old()
        return list(missed.values())

    async def _open(self, where: Mapping[str, Any], *, wait_ms: int = WAIT_MS) -> AsyncChangeStream[Document]:
        return await self._collection.watch(_PIPELINE, max_await_time_ms=wait_ms, **where)


def _behind(stream: AsyncChangeStream[Document]) -> Mapping[str, Any]:
    return {"resume_after": stream.resume_token}


def _change(found: Mapping[str, Any]) -> Change:
    return Change(found["documentKey"]["_id"], found["version"], _number(found["clusterTime"]))


def _is_lost(error: PyMongoError) -> bool:
    return isinstance(error, OperationFailure) and error.code in _HISTORY_LOST


def _number(time: Timestamp) -> int:
    return time.time << 32 | time.inc


def _timestamp(position: int) -> Timestamp:
    return Timestamp(position >> 32, position & 0xFFFFFFFF)


def _too_old() -> ResumeTokenTooOld:
    return ResumeTokenTooOld("the server no longer knows the changes since this resume_token; begin again without one")

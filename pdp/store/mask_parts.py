"""The streams of mask jobs: one document for each piece of an attempt, until the job is finished."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.errors import DuplicateKeyError

from pdp.errors import InvalidRequest
from pdp.mask_job import JobSealer, PartRepeated, Place, Streamed
from pdp.store.database import Database, Document, unavailable

_SCHEMA_VERSION = 1
"""The version of these documents."""
_AT_ONCE = 1000
"""Streams that are read at one time."""
_MOST = (1 << 63) - 1
"""The highest sum that is told of a job that runs: of what is in the database, nothing was signed for it."""
_READ_SECONDS = 5.0
"""Seconds in which MongoDB sums up, closes or forgets all streams of a job."""


@dataclass(frozen=True, slots=True)
class SoFar:
    """How far a job is: parts with an attempt that came to its end, and its rows; other attempts, and theirs."""

    parts: int = 0
    rows: int = 0
    other_attempts: int = 0
    other_rows: int = 0


class MaskParts:
    """What was streamed. A document is inserted once and closed once: by its stream, or by the end of the job."""

    def __init__(self, database: Database, sealer: JobSealer) -> None:
        self._collection, self._sealer = database.database.get_collection("mask_parts"), sealer

    async def begin(self, job_id: str, place: Place) -> None:
        """Insert a stream that begins. Raises `PartRepeated` where it is there."""
        document: Document = {
            "_id": _key(job_id, place),
            "job": job_id,
            "part": place.part,
            "attempt": place.attempt,
            "piece": place.piece,
            "state": "open",
            "rows": 0,
            "schema_version": _SCHEMA_VERSION,
        }
        this = {"_id": document.pop("_id"), "state": {"$exists": False}}
        change = {"$setOnInsert": document, "$currentDate": {"at": True}}
        try:
            async with unavailable():
                await self._collection.update_one(this, change, upsert=True)
        except DuplicateKeyError:
            raise PartRepeated(
                f"part {place.part}, attempt {place.attempt}, piece {place.piece} was streamed before; give each try "
                "of a part an attempt of its own"
            ) from None

    async def forget(self, job_id: str, place: Place) -> None:
        """Take out a stream that did not begin, because its job had ended."""
        async with unavailable():
            await self._collection.delete_one({"_id": _key(job_id, place), "state": "open"})

    async def close(self, job_id: str, streamed: Streamed) -> bool:
        """Keep what a stream sent. False where its job was finished without it, or was stopped before its end."""
        change = {
            "state": streamed.state,
            "rows": streamed.rows,
            "values": list(streamed.values),
            "seal": self._sealer.streamed(job_id, streamed),
        }
        this: Document = {"_id": _key(job_id, streamed.place), "state": "open", "left_out": {"$exists": False}}
        if streamed.state == "ended":
            this["stopped"] = {"$exists": False}
        async with unavailable():
            return bool((await self._collection.update_one(this, {"$set": change})).matched_count)

    async def stop(self, job_id: str) -> None:
        """No stream that is open comes to its end."""
        async with unavailable(_READ_SECONDS):
            await self._collection.update_many({"job": {"$eq": job_id}, "state": "open"}, {"$set": {"stopped": True}})

    async def leave_out(self, job_id: str) -> None:
        """The job ends without what its open streams send from now on."""
        async with unavailable(_READ_SECONDS):
            await self._collection.update_many({"job": {"$eq": job_id}, "state": "open"}, {"$set": {"left_out": True}})

    async def is_left_out(self, job_id: str, place: Place) -> bool:
        """Whether its job ended without what a stream sent."""
        async with unavailable():
            found = await self._collection.find_one(
                {"_id": _key(job_id, place), "left_out": True, "state": "open"}, ["_id"]
            )
        return found is not None

    async def all(self, job_id: str) -> AsyncGenerator[list[Streamed], None]:
        """Every stream of a job, by part, attempt and piece, some at a time; without what has not a stream's form."""
        order = [("part", 1), ("attempt", 1), ("piece", 1)]
        found = self._collection.find({"job": {"$eq": job_id}}, batch_size=10_000).sort(order)
        while some := await self._next(found):
            yield [streamed for one in some if (streamed := _read(one))]

    @staticmethod
    async def _next(found: AsyncCursor[Document]) -> list[Document]:
        """What is read next. The time is that of each read: what is done with it in between may take longer."""
        async with unavailable():
            return await found.to_list(_AT_ONCE)

    async def so_far(self, job_id: str) -> SoFar:
        """How far a running job is. Of attempts of one part that came to their end the one with most rows counts.

        A stream that broke before it sent anything counts for nothing.
        """
        has_ended = {"$and": [{"$gt": ["$ended", 0]}, {"$eq": ["$pieces", "$ended"]}]}
        is_empty = {"$and": [{"$eq": ["$state", "broken"]}, {"$eq": ["$rows", 0]}]}
        pipeline: list[Document] = [
            {"$match": {"job": {"$eq": job_id}, "rows": {"$type": ["int", "long"], "$gte": 0}}},
            {
                "$group": {
                    "_id": {"part": "$part", "attempt": "$attempt"},
                    "rows": {"$sum": "$rows"},
                    "pieces": {"$sum": {"$cond": [is_empty, 0, 1]}},
                    "ended": {"$sum": {"$cond": [{"$eq": ["$state", "ended"]}, 1, 0]}},
                }
            },
            {
                "$group": {
                    "_id": "$_id.part",
                    "done": {"$max": {"$cond": [has_ended, 1, 0]}},
                    "rows": {"$max": {"$cond": [has_ended, "$rows", 0]}},
                    "attempts": {"$sum": 1},
                    "all_rows": {"$sum": "$rows"},
                }
            },
            {
                "$group": {
                    "_id": None,
                    "parts": {"$sum": "$done"},
                    "rows": {"$sum": "$rows"},
                    "other_attempts": {"$sum": {"$subtract": ["$attempts", "$done"]}},
                    "other_rows": {"$sum": {"$subtract": ["$all_rows", "$rows"]}},
                }
            },
            {"$unset": "_id"},
        ]
        async with unavailable(_READ_SECONDS):
            found = [one async for one in await self._collection.aggregate(pipeline)]
        sums = {name: min(int(number), _MOST) for name, number in (found[0] if found else {}).items()}
        return SoFar(**sums)

    async def drop(self, job_id: str) -> None:
        """Forget the streams of a job whose record is in the log; those that it left out stay for a day."""
        async with unavailable(_READ_SECONDS):
            await self._collection.delete_many({"job": {"$eq": job_id}, "left_out": {"$exists": False}})


def _read(document: Document) -> Streamed | None:
    """A stream; None where no server wrote it so. Of an open one its place alone counts."""
    try:
        place = Place(document["part"], document["attempt"], document["piece"]).require("")
        state, rows, seal = document["state"], document["rows"], document.get("seal", "")
        values = tuple(document.get("values", ()))
    except (InvalidRequest, KeyError, TypeError):
        return None
    numbers = place.part, place.attempt, place.piece, rows, *values
    is_sound = all(isinstance(number, int) and number >= 0 for number in numbers) and isinstance(seal, str)
    if not is_sound or not isinstance(state, str) or document["_id"] != _key(document["job"], place):
        return None
    return Streamed(place) if state == "open" else Streamed(place, state, rows, values, seal)


def _key(job_id: str, place: Place) -> str:
    return f"{job_id}/{place.part}/{place.attempt}/{place.piece}"

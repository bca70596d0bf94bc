"""The mask jobs: what each began with, and where it stands."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import orjson
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from pdp.audit.record import Entry
from pdp.errors import NotFound
from pdp.mask_job import MAX_STREAMS, JobSealer, JobState, MaskJob, MaskJobTampered, tampered
from pdp.store.database import Database, Document, unavailable

_SCHEMA_VERSION = 1
"""The version of these documents."""
_IS_OVER = {"$lte": ["$expires_at", "$$NOW"]}
_TAMPERED = "TAMPERED"
"""The state of a document that no server wrote. It is set aside."""
_READ = {"outbox": False}
"""What a query leaves out: a record may have a megabyte."""
_OF_ATTEMPT = 10
"""Jobs of one attempt that are looked at: each one ends those before it."""
_OPEN = {"state": {"$in": [JobState.RUNNING, JobState.STOPPED]}}


_Read = TypeVar("_Read")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unsent:
    """A finished job whose record may not be in the log yet."""

    job: MaskJob
    entry: Entry


class StoredMaskJobs:
    """One document for each job, and each change is one compare-and-set."""

    def __init__(self, database: Database, sealer: JobSealer) -> None:
        self._collection, self._database, self._sealer = database.database.get_collection("mask_jobs"), database, sealer

    async def now(self) -> datetime:
        """MongoDB's time."""
        return await self._database.now()

    async def begin(self, job: MaskJob) -> bool:
        """Insert a job that runs. False where there is one with this id."""
        document: Document = {
            "_id": job.id,
            "state": JobState.RUNNING,
            "caller": job.facts["caller"]["identity"],
            "people": job.facts["people"],
            "attempt": job.facts.get("attempt", ""),
            "frozen": job.frozen,
            "seal": job.seal,
            "started_at": job.started_at,
            "expires_at": job.expires_at,
            "streams": 0,
            "schema_version": _SCHEMA_VERSION,
        }
        try:
            async with unavailable():
                await self._collection.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    async def enter(self, job_id: str) -> MaskJob:
        """The job, with one more stream. Raises `MaskJobEnded` unless it runs and its time is not over."""
        runs: Document = {"_id": {"$eq": job_id}, "state": JobState.RUNNING, "streams": {"$lt": MAX_STREAMS}}
        runs["$expr"] = {"$gt": ["$expires_at", "$$NOW"]}
        async with unavailable():
            found = await self._collection.find_one_and_update(
                runs, {"$inc": {"streams": 1}}, _READ, return_document=ReturnDocument.AFTER
            )
        if found is None:
            raise (await self.get(job_id)).ended()
        return self._job(found)

    async def get(self, job_id: str) -> MaskJob:
        """A job. Raises `NotFound`."""
        found = await self._documents({"_id": {"$eq": job_id}}, 1)
        if not found:
            raise unknown()
        return self._job(found[0])

    async def require_running(self, job_id: str) -> None:
        """Raise `MaskJobEnded` where a job was stopped or finished, and `NotFound` where it is gone."""
        async with unavailable():
            runs = await self._collection.find_one({"_id": {"$eq": job_id}, "state": JobState.RUNNING}, ["_id"])
        if runs is None:
            raise (await self.get(job_id)).ended()

    async def listed(
        self, whose: str, state: JobState | None, before: str, limit: int, *, in_name: bool = True
    ) -> list[MaskJob]:
        """The jobs with ids below `before` (empty: from the newest), newest first; `whose` is empty for all of them.

        With `in_name` also those that run in the name of `whose`.
        """
        mine: list[Document] = [{"caller": {"$eq": whose}}, *([{"people": {"$eq": whose}}] if in_name else [])]
        condition: Document = {"$or": mine} if whose else {}
        if state is not None:
            condition["state"] = {"$eq": state}
        if before:
            condition["_id"] = {"$lt": before}
        return await self._find(condition, limit)

    async def of_attempt(self, job: MaskJob) -> list[MaskJob]:
        """The other jobs that run and that the same attempt began."""
        attempt = job.facts.get("attempt")
        if not attempt:
            return []
        found = await self._find({"attempt": {"$eq": attempt}, "state": JobState.RUNNING}, _OF_ATTEMPT)
        return [one for one in found if one.id != job.id and one.facts.get("attempt") == attempt]

    async def stop(self, job_id: str, told: Mapping[str, Any]) -> bool:
        """Let no part of a running job begin any more; `told` has `by` and `why`. False where it does not run."""
        text = orjson.dumps(told)
        change = {"state": JobState.STOPPED, "stop": text, "stop_seal": self._sealer.signed("stop", job_id, text)}
        async with unavailable():
            changed = await self._collection.update_one(
                {"_id": {"$eq": job_id}, "state": JobState.RUNNING}, {"$set": change}
            )
        return bool(changed.matched_count)

    async def finish(self, job: MaskJob, result: bytes, entry: Entry) -> bool:
        """End a stopped job with its result, and its record in the outbox. False where another call did."""
        text = b"\0".join([entry.record, entry.salt, entry.payload])
        change = {
            "state": JobState.FINISHED,
            "result": result,
            "result_seal": self._sealer.signed("result", job.id, result),
            "outbox": {"id": entry.id, "record": entry.record, "salt": entry.salt, "payload": entry.payload},
            "outbox_seal": self._sealer.signed("outbox", job.id, text),
        }
        this = {"_id": {"$eq": job.id}, "state": JobState.STOPPED}
        async with unavailable():
            changed = await self._collection.update_one(this, {"$set": change, "$currentDate": {"finished_at": True}})
        return bool(changed.matched_count)

    async def sent(self, job_id: str) -> None:
        """Its record is in the log."""
        async with unavailable():
            await self._collection.update_one({"_id": {"$eq": job_id}}, {"$unset": {"outbox": True}})

    async def unsent(self, job_id: str = "", age: timedelta = timedelta(), limit: int = 1) -> list[Unsent]:
        """Finished jobs with their record in the outbox for longer than `age`: this one, or any."""
        condition: Document = {"state": JobState.FINISHED, **({"_id": {"$eq": job_id}} if job_id else {})}
        old = {"$lte": ["$finished_at", {"$subtract": ["$$NOW", int(age.total_seconds() * 1000)]}]}
        async with unavailable():
            found = await self._collection.find({**condition, "outbox.id": {"$exists": True}, "$expr": old}).to_list(
                limit
            )
        return [unsent for one in found if (unsent := await self._sound(one, self._unsent))]

    async def over(self, grace: timedelta, limit: int) -> list[MaskJob]:
        """Jobs that are not finished although their time has been over for `grace`."""
        late = {"$lte": ["$expires_at", {"$subtract": ["$$NOW", int(grace.total_seconds() * 1000)]}]}
        return await self._find({**_OPEN, "$expr": late}, limit)

    async def _find(self, condition: Document, limit: int) -> list[MaskJob]:
        found = await self._documents(condition, limit)
        return [job for one in found if (job := await self._sound(one, self._job))]

    async def _documents(self, condition: Document, limit: int) -> list[Document]:
        pipeline: Sequence[Document] = [
            {"$match": condition},
            {"$sort": {"_id": -1}},
            {"$limit": limit},
            {"$set": {"is_over": _IS_OVER}},
            {"$unset": "outbox"},
        ]
        async with unavailable():
            return [one async for one in await self._collection.aggregate(pipeline)]

    async def _sound(self, document: Document, read: Callable[[Document], _Read]) -> _Read | None:
        """What `read` gives of a document. One that no server wrote is said in the log once, and left out then."""
        try:
            return read(document)
        except MaskJobTampered as changed:
            if document.get("state") != _TAMPERED:
                log.error("%s", changed.sentence)  # noqa: TRY400  # without a trace: it is not ours
                set_aside = {"$set": {"state": _TAMPERED}, "$currentDate": {"finished_at": True}}
                async with unavailable():
                    await self._collection.update_one({"_id": document["_id"]}, set_aside)
            return None

    def _unsent(self, document: Document) -> Unsent:
        return Unsent(self._job(document), self._entry(document))

    def _job(self, document: Document) -> MaskJob:
        """The job. Raises `MaskJobTampered` unless a server wrote it so."""
        with _any_form(document):
            members = {name: document[name] for name in _STORED if name in document}
            job = self._sealer.require(MaskJob(id=document["_id"], state=JobState(document["state"]), **members))
            facts = orjson.loads(job.frozen)
            listed = document["caller"] == facts["caller"]["identity"] and document["people"] == facts["people"]
            if listed and isinstance(document["streams"], int):
                return replace(job, facts=facts)
        raise tampered(str(document["_id"]))

    def _entry(self, document: Document) -> Entry:
        """The record as it was when the job was finished. Raises `MaskJobTampered`."""
        with _any_form(document):
            held = document["outbox"]
            entry = Entry(held["id"], held["record"], held["salt"], held["payload"])
            text = b"\0".join([entry.record, entry.salt, entry.payload])
            self._sealer.require_signed("outbox", document["_id"], text, document["outbox_seal"])
            return entry
        raise tampered(str(document["_id"]))


_STORED = (
    *("frozen", "seal", "started_at", "expires_at", "finished_at", "streams"),
    *("stop", "stop_seal", "result", "result_seal", "is_over"),
)


@contextmanager
def _any_form(document: Document) -> Iterator[None]:
    """A member that is missing, or of another type or form than servers write, is `MaskJobTampered`."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError):
        raise tampered(str(document["_id"])) from None


def unknown() -> NotFound:
    """The error of a job that is not there, or not for this caller to see."""
    return NotFound("MASK_JOB_NOT_FOUND", "there is no such mask job, or this caller may not see it")

"""Stored mask jobs: each change is one compare-and-set, and what was changed elsewhere is refused."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from joserfc.jwk import OKPKey

from pdp import identifier
from pdp.audit.record import Kind, entry
from pdp.errors import NotFound
from pdp.mask_job import MAX_STREAMS, JobSealer, JobState, MaskJob, MaskJobEnded, MaskJobTampered
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from pdp.store.mask_jobs import StoredMaskJobs

SEALER = JobSealer(OKPKey.generate_key("Ed25519", {"kid": "seal"}), "example")
STOP = {"by": "cancel", "why": "enough"}


@pytest.fixture(scope="module")
async def database(mongod: MongodProcess) -> AsyncIterator[Database]:
    opened = await Database.open(mongod.uri, f"t{uuid4().hex[:16]}")
    yield opened
    await opened.close()


@pytest.fixture
def jobs(database: Database) -> StoredMaskJobs:
    return StoredMaskJobs(database, SEALER)


async def begun(jobs: StoredMaskJobs, lasts: timedelta = timedelta(hours=1), **facts: Any) -> MaskJob:
    """A job that runs for so long from now."""
    job_id, now = identifier.new("job"), await jobs.now()
    told = {"caller": {"identity": "agent:etl"}, "people": ["user:alice"], **facts}
    frozen = orjson.dumps(told)
    job = MaskJob(
        id=job_id,
        state=JobState.RUNNING,
        frozen=frozen,
        seal=SEALER.beginning(job_id, frozen, now, now + lasts),
        started_at=now,
        expires_at=now + lasts,
        facts=told,
    )
    await jobs.begin(job)
    return job


async def test_running_job_is_entered_and_counts_its_streams(jobs: StoredMaskJobs) -> None:
    job = await begun(jobs)
    assert [(await jobs.enter(job.id)).streams for _ in range(3)] == [1, 2, 3]
    assert (await jobs.get(job.id)).facts == job.facts


@pytest.mark.parametrize("how", ["stopped", "over", "finished"])
async def test_job_that_does_not_run_is_not_entered(jobs: StoredMaskJobs, how: str) -> None:
    job = await begun(jobs, timedelta(seconds=-1) if how == "over" else timedelta(hours=1))
    if how != "over":
        assert await jobs.stop(job.id, STOP)
    if how == "finished":
        result = orjson.dumps({"why": "", "outcome": "FAILED"})
        assert await jobs.finish(job, result, entry(Kind.MASK))
    with pytest.raises(MaskJobEnded) as refused:
        await jobs.enter(job.id)
    assert refused.value.metadata["state"] == ("FINISHED" if how == "finished" else "STOPPED")


async def test_job_with_the_most_streams_says_so(jobs: StoredMaskJobs, database: Database) -> None:
    job = await begun(jobs)
    collection = database.database.get_collection("mask_jobs")
    await collection.update_one({"_id": job.id}, {"$set": {"streams": MAX_STREAMS}})
    with pytest.raises(MaskJobEnded, match="1,000,000 streams"):
        await jobs.enter(job.id)


async def test_job_is_stopped_and_finished_by_one_of_many(jobs: StoredMaskJobs) -> None:
    job = await begun(jobs)
    assert sorted(await asyncio.gather(*(jobs.stop(job.id, STOP) for _ in range(4)))) == [False] * 3 + [True]
    entries = [entry(Kind.MASK) for _ in range(4)]
    ended = await asyncio.gather(*(jobs.finish(job, b'{"why":"x"}', one) for one in entries))
    assert sorted(ended) == [False] * 3 + [True]
    [unsent] = await jobs.unsent(job.id)
    assert unsent.entry == entries[ended.index(True)]
    await jobs.sent(job.id)
    assert await jobs.unsent(job.id) == []
    assert (await jobs.get(job.id)).state is JobState.FINISHED


async def test_running_job_is_not_finished(jobs: StoredMaskJobs) -> None:
    job = await begun(jobs)
    assert not await jobs.finish(job, b"{}", entry(Kind.MASK))


async def test_only_jobs_that_nobody_finished_are_over(jobs: StoredMaskJobs) -> None:
    late, stopped = [await begun(jobs, timedelta(minutes=-5)) for _ in range(2)]
    runs = await begun(jobs)
    await jobs.stop(stopped.id, STOP)
    found = {job.id for job in await jobs.over(timedelta(minutes=4), 100)}
    assert {late.id, stopped.id} <= found
    assert runs.id not in found
    assert late.id not in {job.id for job in await jobs.over(timedelta(minutes=6), 100)}


async def test_record_in_the_outbox_is_the_one_that_was_signed(jobs: StoredMaskJobs, database: Database) -> None:
    job = await begun(jobs)
    await jobs.stop(job.id, STOP)
    await jobs.finish(job, b'{"why":""}', entry(Kind.MASK, b'{"rows":5}'))
    collection = database.database.get_collection("mask_jobs")
    await collection.update_one({"_id": job.id}, {"$set": {"outbox.payload": b'{"rows":0}'}})
    assert await jobs.unsent(job.id) == []
    with pytest.raises(MaskJobTampered):
        await jobs.get(job.id)


async def test_job_that_no_server_wrote_holds_up_no_other(
    jobs: StoredMaskJobs, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    who = {"caller": {"identity": f"agent:{uuid4().hex}"}}
    made_up, job = await begun(jobs, timedelta(minutes=-9), **who), await begun(jobs, timedelta(minutes=-9), **who)
    collection = database.database.get_collection("mask_jobs")
    await collection.update_one({"_id": made_up.id}, {"$set": {"seal": job.seal}})
    for _ in range(2):
        found = {one.id for one in await jobs.over(timedelta(minutes=8), 100)}
        assert (job.id in found, made_up.id in found) == (True, False)
    assert [one.id for one in await jobs.listed(who["caller"]["identity"], None, "", 10)] == [job.id]
    assert sum(made_up.id in record.getMessage() for record in caplog.records) == 1
    with pytest.raises(MaskJobTampered):
        await jobs.enter(made_up.id)


async def test_jobs_are_listed_for_caller_person_and_all(jobs: StoredMaskJobs) -> None:
    who = f"agent:{uuid4().hex}"
    mine = [await begun(jobs, caller={"identity": who}, people=[f"user:{who}"]) for _ in range(3)]
    names = [job.id for job in reversed(mine)]
    for whose in (who, f"user:{who}"):
        assert [job.id for job in await jobs.listed(whose, None, "", 10)] == names
        assert [job.id for job in await jobs.listed(whose, None, names[0], 1)] == names[1:2]
    assert await jobs.listed(who, JobState.FINISHED, "", 10) == []
    assert names[0] in [job.id for job in await jobs.listed("", JobState.RUNNING, "", 10)]


async def test_unknown_job_is_not_found(jobs: StoredMaskJobs) -> None:
    with pytest.raises(NotFound):
        await jobs.enter("job_" + "0" * 32)


PLANTED: dict[str, Any] = {
    "frozen": ["{}", b"{}", b"[", None, 5],
    "seal": [None, 5, "x"],
    "state": ["ODD", 5, None],
    "started_at": [None, 5, "now"],
    "expires_at": [datetime(2026, 1, 1, tzinfo=UTC)],
    "caller": ["agent:another", None],
    "people": [["user:another"], 5],
    "streams": [None, "many", 2.5],
    "stop": [5, b"[", b"{}"],
    "result": [5, b"{}"],
}
"""What one member of a job that runs is set to; None takes it out."""


@pytest.mark.parametrize(("member", "value"), [(name, one) for name, many in PLANTED.items() for one in many], ids=str)
async def test_job_of_any_form_in_the_database_ends_no_reading(
    jobs: StoredMaskJobs, database: Database, member: str, value: Any
) -> None:
    planted, job = await begun(jobs, timedelta(minutes=-9)), await begun(jobs, timedelta(minutes=-9))
    change = {"$unset": {member: True}} if value is None else {"$set": {member: value}}
    collection = database.database.get_collection("mask_jobs")
    await collection.update_one({"_id": planted.id}, change)
    with pytest.raises(MaskJobTampered):
        await jobs.get(planted.id)
    found = {one.id for one in await jobs.over(timedelta(minutes=8), 100)}
    assert (job.id in found, planted.id in found) == (True, False)
    assert planted.id not in {one.id for one in await jobs.listed("", None, "", 100)}
    await collection.delete_many({"_id": {"$in": [planted.id, job.id]}})


@pytest.mark.parametrize("outbox", [5, {"id": "rec_1"}, {"id": 5, "record": 5, "salt": 5, "payload": 5}], ids=str)
async def test_record_of_any_form_in_the_outbox_holds_up_no_other(
    jobs: StoredMaskJobs, database: Database, outbox: Any
) -> None:
    planted, job = [await begun(jobs) for _ in range(2)]
    for one in (planted, job):
        await jobs.stop(one.id, STOP)
        await jobs.finish(one, b'{"why":""}', entry(Kind.MASK))
    collection = database.database.get_collection("mask_jobs")
    await collection.update_one({"_id": planted.id}, {"$set": {"outbox": outbox}})
    assert await jobs.unsent(planted.id) == []
    assert job.id in {unsent.job.id for unsent in await jobs.unsent(limit=100)}
    assert await collection.count_documents({"_id": planted.id, "state": "TAMPERED"}) == (outbox != 5)
    await collection.update_many({"_id": {"$ne": planted.id}}, {"$unset": {"outbox": True}})
    again = (await begun(jobs)).id
    await jobs.stop(again, STOP)
    await jobs.finish(await jobs.get(again), b'{"why":""}', entry(Kind.MASK))
    assert [unsent.job.id for unsent in await jobs.unsent(limit=1)] == [again]


async def test_end_of_a_job_in_the_database_is_the_one_that_was_signed(
    jobs: StoredMaskJobs, database: Database
) -> None:
    over = await begun(jobs, timedelta(seconds=-1))
    collection = database.database.get_collection("mask_jobs")
    later = {"$set": {"expires_at": over.expires_at + timedelta(hours=9)}}
    await collection.update_one({"_id": over.id}, later)
    with pytest.raises(MaskJobTampered):
        await jobs.enter(over.id)

"""The end of a mask job: what was streamed against what is said, and what is recorded."""

import asyncio
import json
from pathlib import Path
from typing import Any

import grpc
import pytest
from bson import BSON

from pdp import keys
from pdp.compact_parts import expanded
from pdp.mask_job import JobSealer, Place, Streamed
from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_pb2
from pdp.v1.approval_pb2 import OutcomeState
from pdp.v1.mask_job_pb2 import MaskedValues, MaskJobState
from pdp.workflow.job_ending import GRACE
from pdp.workflow.job_parts import LOOK_SECONDS
from tests.faults import eventually, failing, verified_log
from tests.mask_jobs import FAILED, ON_EXECUTORS, STOPPED, Stage, over, refused, request, rows, staged, start_of, told
from tests.parts import log, refusal
from tests.pdp.mongo import database
from tests.tokens import bearer


async def test_finish_names_no_part_that_was_not_streamed_to_its_end(stage: Stage) -> None:
    begun = await stage.start()
    await stage.part(begun.ticket, 0, rows("a"))
    for said in ([(0, 0, 2)], [(0, 1, 1)], [(1, 0, 0)], [(0, 0, 1), (5, 5, 5)]):
        for outcome in (FAILED, 1):
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await stage.finish(begun.job_id, said, outcome)
            assert told(error.value) == ("INVALID_ARGUMENT", "INVALID_REQUEST"), said
    await stage.part(begun.ticket, 1, rows("b"))
    assert (await stage.finish(begun.job_id, [(0, 0, 1), (1, 0, 1)])).rows == 2


@pytest.mark.parametrize("said", [[(-1, 0, 0)], [(1 << 40, 0, 0)], [(0, 0, 1), (0, 1, 1)]], ids=str)
async def test_finish_takes_no_part_out_of_range_or_twice(stage: Stage, said: list[tuple[int, int, int]]) -> None:
    begun = await stage.start()
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stage.finish(begun.job_id, said, FAILED)
    assert told(error.value) == ("INVALID_ARGUMENT", "INVALID_REQUEST")


@pytest.mark.parametrize("by", ["bob", "dana", "alice"])
async def test_only_its_caller_finishes_a_job(stage: Stage, by: str) -> None:
    begun = await stage.start()
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stage.finish(begun.job_id, [], FAILED, by=by)
    assert told(error.value)[1] in {"MASK_JOB_NOT_FOUND", "ROLE_REQUIRED"}
    assert (await stage.get(begun.job_id)).state == MaskJobState.MASK_JOB_STATE_RUNNING


async def test_person_behind_a_job_cancels_it_and_a_stranger_does_not(stage: Stage) -> None:
    begun = await stage.start()
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stage.cancel(begun.job_id, by="bob")
    assert told(error.value)[1] == "MASK_JOB_NOT_FOUND"
    job = await stage.cancel(begun.job_id, by="alice", reason="wrong table")
    assert (job.state, job.why) == (STOPPED, "user:alice cancelled it: wrong table")
    answer = await refused(stage, begun.ticket)
    assert (answer.reason, answer.metadata["state"]) == ("MASK_JOB_ENDED", "STOPPED")
    assert "wrong table" in answer.message


async def test_cancelled_job_may_only_have_failed(stage: Stage) -> None:
    begun = await stage.start()
    await stage.part(begun.ticket, 0, rows("a"))
    await stage.cancel(begun.job_id)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stage.finish(begun.job_id, [(0, 0, 1)])
    assert told(error.value) == ("FAILED_PRECONDITION", "MASK_JOB_ENDED")
    job = await stage.finish(begun.job_id, [(0, 0, 1)], FAILED)
    assert (job.rows, job.why) == (1, "agent:report-bot cancelled it")


async def test_part_that_streams_while_its_job_is_cancelled_does_not_end(stage: Stage) -> None:
    begun = await stage.start()
    call = await stage.streaming(begun.ticket)
    await stage.cancel(begun.job_id)
    await call.done_writing()
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await call.read()
    assert told(ended.value) == ("FAILED_PRECONDITION", "MASK_JOB_ENDED")
    job = await stage.finish(begun.job_id, [], FAILED)
    assert (job.parts, job.other_attempts, job.other_rows) == (0, 1, 2)


async def test_stream_ends_soon_after_its_job_was_cancelled(stage: Stage) -> None:
    begun = await stage.start()
    call = stage.server.masks.MaskStream(metadata=bearer(begun.ticket))
    await call.write(mask_pb2.MaskStreamRequest(start=start_of(0)))
    assert (await call.read()).HasField("opened")
    await stage.cancel(begun.job_id, reason="enough")
    sent = 0

    async def send() -> None:
        nonlocal sent
        while True:
            await call.write(mask_pb2.MaskStreamRequest(arrow_message=bytes(rows("a").serialize())))
            assert (await call.read()).arrow_message
            sent += 1
            await asyncio.sleep(0.05)

    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await asyncio.wait_for(send(), 10 * LOOK_SECONDS)
    assert told(ended.value) == ("FAILED_PRECONDITION", "MASK_JOB_ENDED")
    assert "enough" in (ended.value.details() or "")
    job = await stage.finish(begun.job_id, [], FAILED)
    assert (job.other_attempts, job.other_rows) == (1, sent)


async def test_what_a_stream_sends_after_the_end_of_its_job_is_recorded_by_itself(stage: Stage) -> None:
    begun = await stage.start()
    call = stage.server.masks.MaskStream(metadata=bearer(begun.ticket))
    await call.write(mask_pb2.MaskStreamRequest(start=start_of(4, attempt=9)))
    assert (await call.read()).HasField("opened")
    job = await stage.finish(begun.job_id, [], FAILED)
    assert job.other_attempts == 1
    await call.write(mask_pb2.MaskStreamRequest(arrow_message=bytes(rows("a").serialize())))
    assert (await call.read()).arrow_message
    await call.done_writing()
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await call.read()
    assert told(ended.value) == ("FAILED_PRECONDITION", "MASK_JOB_ENDED")

    async def late() -> list[Any]:
        mine = [held["details"] for _, held in await log(stage.server, "mask")]
        return [one for one in mine if one["phase"] == "late" and one["mask_job"]["job"] == begun.job_id]

    [found] = await eventually(late)
    assert (found["rows"], found["mask_job"]["part"], found["mask_job"]["attempt"]) == (1, 4, 9)


async def record_of(stage: Stage, job_id: str) -> dict[str, Any]:
    """What the one record of a job says."""
    found = [held["details"] for _, held in await log(stage.server, "mask")]
    [details] = [one for one in found if one["phase"] != "late" and one.get("mask_job", {}).get("job") == job_id]
    return dict(details)


async def test_record_tells_parts_rows_values_and_what_was_thrown_away(stage: Stage) -> None:
    begun = await stage.start()
    await stage.part(begun.ticket, 0, rows("a", None, "c"), attempt=4)
    await stage.part(begun.ticket, 1, rows("a"), attempt=2)
    await stage.part(begun.ticket, 1, rows("b"), attempt=5)
    await stage.finish(begun.job_id, [(0, 4, 3), (1, 5, 1)])
    told = await record_of(stage, begun.job_id)
    job = told["mask_job"]
    assert (told["decision_id"], told["phase"], told["rows"], told["values"]) == (
        begun.decision.decision_id,
        "complete",
        5,
        4,
    )
    assert expanded(job["ended"]) == [(0, 4, 3), (1, 5, 1)]
    assert job["thrown_away"] == [[1, 2, 1, 1, "ended"]]
    assert (job["values"], job["counted_by"], job["keys"]) == ({"id": 4}, "server", "server")


async def test_job_that_is_never_finished_is_unknown_with_what_left(stage: Stage, mongod: MongodProcess) -> None:
    begun = await stage.start()
    await stage.part(begun.ticket, 2, rows("a", "b"))
    async with database(mongod, stage.server) as found:
        await over(stage, found, begun.job_id, GRACE)
    assert (await refused(stage, begun.ticket, part=3)).reason == "MASK_JOB_ENDED"

    async def is_over() -> bool:
        return (await stage.get(begun.job_id)).state == MaskJobState.MASK_JOB_STATE_FINISHED

    await eventually(is_over)
    job = await stage.get(begun.job_id)
    assert (job.outcome, job.parts, job.other_attempts, job.other_rows) == (
        OutcomeState.OUTCOME_STATE_UNKNOWN,
        0,
        1,
        2,
    )
    told = (await record_of(stage, begun.job_id))["mask_job"]
    assert (told["by"], told["thrown_away"]) == ("sweep", [[2, 0, 1, 2, "ended"]])
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stage.finish(begun.job_id, [(2, 0, 2)])
    assert refusal(error.value).reason == "MASK_JOB_ENDED"


async def test_record_of_a_process_that_died_is_delivered_by_a_sweep(stage: Stage, mongod: MongodProcess) -> None:
    begun = await stage.start()
    await stage.part(begun.ticket, 0, rows("a"))
    async with failing(mongod.uri, f"{stage.server.database}.batches", errorCode=6):
        with pytest.raises(grpc.aio.AioRpcError):
            await stage.finish(begun.job_id, [(0, 0, 1)])

    async def is_there() -> bool:
        return any(
            held["details"].get("mask_job", {}).get("job") == begun.job_id
            for _, held in await log(stage.server, "mask")
        )

    await eventually(is_there, seconds=30)
    assert (await record_of(stage, begun.job_id))["mask_job"]["outcome"] == "SUCCEEDED"
    assert (await stage.finish(begun.job_id, [(0, 0, 1)])).rows == 1
    await verified_log(stage.server)


async def test_what_was_changed_in_the_database_is_not_recorded_as_sent(stage: Stage, mongod: MongodProcess) -> None:
    begun = await stage.start()
    for part in range(3):
        await stage.part(begun.ticket, part, rows("a"))
    async with database(mongod, stage.server) as found:
        await found["mask_parts"].update_one({"_id": f"{begun.job_id}/0/0/0"}, {"$set": {"rows": 900}})
        await found["mask_parts"].delete_one({"_id": f"{begun.job_id}/1/0/0"})
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stage.finish(begun.job_id, [(0, 0, 900)])
    assert "it is changed" in (error.value.details() or "")
    await stage.finish(begun.job_id, [(2, 0, 1)], FAILED)
    told = (await record_of(stage, begun.job_id))["mask_job"]
    assert (told["attempts_changed_in_the_database"], told["streams_missing_in_the_database"]) == (1, 1)


async def test_record_and_document_of_ten_thousand_parts_are_small(stage: Stage, mongod: MongodProcess) -> None:
    begun = await stage.start()
    key = keys.private_key(stage.server.state / "keys" / "seal.jwk")
    sealer, number = JobSealer(key, "dev"), 10_000
    sent = [Streamed(Place(part, 3 * part + 11), "ended", 100_000 + part, (100_000,)) for part in range(number)]
    async with database(mongod, stage.server) as found:
        await found["mask_parts"].insert_many(
            {
                "_id": f"{begun.job_id}/{one.place.part}/{one.place.attempt}/0",
                "job": begun.job_id,
                "part": one.place.part,
                "attempt": one.place.attempt,
                "piece": 0,
                "state": "ended",
                "rows": one.rows,
                "values": list(one.values),
                "seal": sealer.streamed(begun.job_id, one),
            }
            for one in sent
        )
        job = await stage.finish(begun.job_id, [(one.place.part, one.place.attempt, one.rows) for one in sent])
        assert (job.parts, job.other_attempts) == (number, 0)
        held = await found["mask_jobs"].find_one({"_id": begun.job_id})
        assert len(BSON.encode(held)) < 256 * 1024
        assert await found["mask_parts"].count_documents({"job": begun.job_id}) == 0
    told = await record_of(stage, begun.job_id)
    assert len(json.dumps(told, separators=(",", ":"))) < 256 * 1024
    assert len(expanded(told["mask_job"]["ended"])) == number


async def test_counts_of_a_caller_reach_the_quota_and_a_full_one_refuses_the_next_start(
    state: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    async with staged(state, mongod.uri, tmp_path / "policy", mask_values_an_hour=10) as stage:
        begun, second = await stage.start(request(ON_EXECUTORS)), await stage.start(request(ON_EXECUTORS))
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stage.finish(begun.job_id, [(0, 0, 9)], values=[MaskedValues(column="note", values=1)])
        assert refusal(error.value).fields == ("values[0]",)
        counts = {"values": [MaskedValues(column="id", values=9)], "thrown_away_rows": 4, "thrown_away_attempts": 1}
        job = await stage.finish(begun.job_id, [(0, 7, 5)], **counts)
        assert await stage.finish(begun.job_id, [(0, 7, 5)], **counts) == job
        assert (job.parts, job.rows, job.other_attempts, job.other_rows) == (1, 5, 1, 4)
        told = (await record_of(stage, begun.job_id))["mask_job"]
        assert (told["counted_by"], told["keys"], told["values"]) == ("caller", "executors", {"id": 9})
        in_server = await stage.start()
        await stage.part(in_server.ticket, 0, rows("a"))
        assert (await refused(stage, in_server.ticket, rows("b"), part=1)).reason == "QUOTA_EXCEEDED"
        await stage.finish(second.job_id, [(0, 0, 1)], values=[MaskedValues(column="id", values=1_000_000)])
        with pytest.raises(grpc.aio.AioRpcError) as full:
            await stage.start(request(ON_EXECUTORS))
        assert refusal(full.value).reason == "QUOTA_EXCEEDED"


async def test_server_takes_no_counts_of_what_it_counts_itself(stage: Stage) -> None:
    begun = await stage.start()
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stage.finish(begun.job_id, [], FAILED, thrown_away_rows=1)
    assert refusal(error.value).fields == ("values",)

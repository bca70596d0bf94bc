"""Parts of mask jobs: which are let in, and what is kept of each."""

import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pyarrow as pa
import pytest

from pdp import keys
from pdp.mask_job import MAX_ATTEMPT, MAX_PARTS, MAX_PIECES
from pdp.mask_ticket import read
from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_pb2
from pdp.workflow.job_parts import Look
from tests.faults import eventually, failing
from tests.mask_jobs import FAILED, TABLE, Stage, refused, request, rows, start_of, told
from tests.masks import masking
from tests.parts import log
from tests.pdp.mongo import database
from tests.tokens import bearer


async def test_repeated_stream_is_refused_and_another_attempt_is_another_entry(stage: Stage) -> None:
    begun = await stage.start()
    await stage.part(begun.ticket, 3, rows("a"), attempt=1)
    assert (await refused(stage, begun.ticket, part=3, attempt=1)).reason == "PART_REPEATED"
    await stage.part(begun.ticket, 3, rows("a"), attempt=2)
    await stage.part(begun.ticket, 3, rows("b"), attempt=2, piece=1)
    job = await stage.finish(begun.job_id, [(3, 2, 2)])
    assert (job.parts, job.rows, job.other_attempts, job.other_rows) == (1, 2, 1, 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("part", -1),
        ("part", MAX_PARTS),
        ("part", 1 << 40),
        ("attempt", -1),
        ("attempt", MAX_ATTEMPT + 1),
        ("piece", -1),
        ("piece", MAX_PIECES),
        ("piece", 1 << 40),
    ],
)
async def test_place_is_in_its_range(stage: Stage, field: str, value: int) -> None:
    begun = await stage.start()
    answer = await refused(stage, begun.ticket, **{"part": 0, field: value})
    assert (answer.code, answer.fields) == ("INVALID_ARGUMENT", (f"start.job.{field}",))
    assert (await stage.get(begun.job_id)).other_attempts == 0


def test_stream_looks_at_its_job_now_and_then_and_goes_on_for_a_while_without_an_answer() -> None:
    look = Look(100.0, 100.0)
    assert [look.is_due(100.0 + seconds) for seconds in (0, 1.9, 2, 2.1, 3.9, 4)] == [
        False,
        False,
        True,
        False,
        False,
        True,
    ]
    assert [look.is_blind(100.0 + seconds) for seconds in (59, 60)] == [False, True]


async def test_stream_that_is_left_is_kept_with_what_it_sent(stage: Stage) -> None:
    begun = await stage.start()
    call = await stage.streaming(begun.ticket)
    call.cancel()
    await has_other_rows(stage, begun.job_id, 2)


async def has_other_rows(stage: Stage, job_id: str, number: int) -> None:
    """What a broken stream had sent is kept in the end."""

    async def is_kept() -> bool:
        return (await stage.get(job_id)).other_rows == number

    await eventually(is_kept)


async def test_what_a_broken_stream_had_sent_is_kept_once_mongodb_is_there(stage: Stage, mongod: MongodProcess) -> None:
    begun = await stage.start()
    call = await stage.streaming(begun.ticket)
    away: dict[str, Any] = {"failCommands": ["update"], "errorCode": 6, "mode": {"times": 6}}
    async with failing(mongod.uri, f"{stage.server.database}.mask_parts", **away):
        call.cancel()
        await has_other_rows(stage, begun.job_id, 2)


@pytest.mark.parametrize(
    ("schema", "what"),
    [
        (pa.schema([("note", pa.string()), ("id", pa.string())]), "column note stands where the job has id"),
        (pa.schema([("id", pa.string())]), "column note of the job is missing"),
        (pa.schema([*TABLE, ("more", pa.string())]), "column more is not in the job"),
        (pa.schema([("id", pa.large_string()), ("note", pa.string())]), "column id is large_string here and string"),
    ],
    ids=["order", "fewer", "more", "type"],
)
async def test_schema_is_the_jobs_and_the_error_names_the_column(stage: Stage, schema: pa.Schema, what: str) -> None:
    begun = await stage.start()
    answer = await refused(stage, begun.ticket, schema=schema)
    assert (answer.code, answer.fields) == ("INVALID_ARGUMENT", ("start.shape.arrow_schema",))
    assert what in answer.message


async def test_metadata_nullability_and_name_of_a_zone_do_not_matter(stage: Stage) -> None:
    def schema(zone: str, *, nullable: bool) -> pa.Schema:
        fields = [pa.field("id", pa.string(), nullable=nullable), pa.field("at", pa.timestamp("us", zone))]
        return pa.schema(fields, metadata={"x": zone})

    begun = await stage.start(request(schema=schema("UTC", nullable=True)))
    here = schema("Etc/UTC", nullable=False)
    batch = pa.record_batch({"id": ["a"], "at": pa.array([1_700_000_000_000_000], here.field("at").type)}, schema=here)
    answer = await stage.part(begun.ticket, 0, batch, schema=here)
    assert answer.table["at"].cast(pa.int64()).to_pylist() == [1_700_000_000_000_000]
    without = pa.schema([("id", pa.string()), ("at", pa.timestamp("us"))])
    assert "column at is timestamp" in (await refused(stage, begun.ticket, part=1, schema=without)).message


async def test_parts_go_to_any_server_of_the_deployment(stage: Stage, state: Path, mongod: MongodProcess) -> None:
    begun = await stage.start()
    async with masking(state, mongod.uri, policy=[stage.folder], database=stage.server.database) as other:
        here = await stage.part(begun.ticket, 0, rows("a"))
        there = await stage.part(begun.ticket, 1, rows("a"), server=other)
        assert here.table == there.table
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stage.part(begun.ticket, 0, rows("a"), server=other)
        assert told(error.value)[1] == "PART_REPEATED"
        await stage.cancel(begun.job_id)
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await stage.part(begun.ticket, 2, rows("a"), server=other)
        assert told(ended.value)[1] == "MASK_JOB_ENDED"


async def test_stream_ends_with_its_ticket(stage: Stage) -> None:
    begun = await stage.start()
    key = keys.private_key(stage.server.state / "keys" / "seal.jwk")
    soon = replace(read(begun.ticket, key, 0.0), exp=int(time.time()) + 2)
    call = stage.server.masks.MaskStream(metadata=bearer(soon.signed(key)))
    await call.write(mask_pb2.MaskStreamRequest(start=start_of(0)))
    await call.write(mask_pb2.MaskStreamRequest(arrow_message=bytes(rows("a").serialize())))
    assert (await call.read()).HasField("opened")
    assert (await call.read()).arrow_message
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await call.read()
    assert told(ended.value)[0] == "UNAUTHENTICATED"
    await has_other_rows(stage, begun.job_id, 1)


async def test_neither_ticket_nor_value_is_in_logs_records_or_the_database(
    stage: Stage, mongod: MongodProcess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = "CANARY-5d1f07"
    begun = await stage.start(request())
    await stage.part(begun.ticket, 0, rows(canary, canary))
    await refused(stage, begun.ticket, rows(canary), part=0)
    await refused(stage, begun.ticket[:-4] + "AAAA", rows(canary), part=1)
    await stage.finish(begun.job_id, [(0, 0, 2)])
    records = [f"{record} {payload}" for record, payload in await log(stage.server)]
    async with database(mongod, stage.server) as found:
        stored = [str(one) for name in ("mask_jobs", "mask_parts", "quotas") async for one in found[name].find()]
    texts = [*(record.getMessage() for record in caplog.records), *records, *stored]
    signature = begun.ticket.rpartition(".")[2]
    assert len(texts) > 5
    assert not [text for text in texts if canary in text or signature in text]


async def test_no_end_leaves_before_what_was_sent_is_stored(stage: Stage, mongod: MongodProcess) -> None:
    begun = await stage.start()
    streams = f"{stage.server.database}.mask_parts"
    async with failing(mongod.uri, streams, failCommands=["update"], errorCode=6):
        assert (await refused(stage, begun.ticket)).code == "UNAVAILABLE"
    call = stage.server.masks.MaskStream(metadata=bearer(begun.ticket))
    await call.write(mask_pb2.MaskStreamRequest(start=start_of(1)))
    assert (await call.read()).HasField("opened")
    async with failing(mongod.uri, streams, failCommands=["update"], errorCode=6):
        await call.write(mask_pb2.MaskStreamRequest(arrow_message=bytes(rows("a").serialize())))
        assert (await call.read()).arrow_message
        await call.done_writing()
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await call.read()
        assert told(ended.value)[0] == "UNAVAILABLE"
    with pytest.raises(grpc.aio.AioRpcError) as unsaid:
        await stage.finish(begun.job_id, [(1, 0, 1)])
    assert "part 1, attempt 0, did not come to its end" in (unsaid.value.details() or "")
    job = await stage.finish(begun.job_id, [], FAILED)
    assert (job.parts, job.rows) == (0, 0)

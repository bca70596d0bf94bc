"""UnmaskStream over gRPC: one approval for many chunks, each opened where and as its entry says, and never twice."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pyarrow as pa
import pytest

from pdp.arrow import token_tree
from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_pb2
from pdp.v1.request_pb2 import Effect
from tests.faults import verified_log
from tests.masks import masking, records, scope
from tests.parts import Placet, log, refusal
from tests.unmasking import announced, chunk, masked, opened, unmasked

SSN = {"soc_sec_id": "customer.ssn"}
NUMBERS = list(range(100, 112))
DATA = {"soc_sec_id": NUMBERS, "postcode": ["2011"] * len(NUMBERS)}


@pytest.fixture(scope="module")
async def server(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with masking(state, mongod.uri) as running:
        yield running


@pytest.fixture(scope="module")
async def table(server: Placet) -> pa.RecordBatch:
    return await masked(server, DATA)


@pytest.fixture
def batches(table: pa.RecordBatch) -> list[pa.RecordBatch]:
    """Four chunks of three rows."""
    return [table.slice(at, 3) for at in range(0, table.num_rows, 3)]


def fresh(**context: Any) -> mask_pb2.MaskScope:
    made = scope(request_id=uuid4().hex)
    made.context.update(context)
    return made


async def approved(server: Placet, start: mask_pb2.UnmaskStreamStart) -> None:
    async with opened(server, start) as asked:
        assert asked.effect == Effect.EFFECT_NEEDS_APPROVAL
        await server.review(asked.opened.decision.approval, "bob")


async def test_one_approval_unmasks_all_chunks(server: Placet, batches: list[pa.RecordBatch]) -> None:
    start = announced(fresh(), batches, SSN)
    async with opened(server, start) as asked:
        approval = asked.opened.decision.approval
        context = approval.request.context
        assert list(context["columns"]) == ["soc_sec_id"]
        assert list(context["domains"]) == list(context["column_domains"]) == ["customer.ssn"]
        assert (context["count"], context["chunks"]) == (12, 4)
        assert not asked.opened.HasField("plan")
        await server.review(approval, "bob")
    async with opened(server, start) as stream:
        assert stream.effect == Effect.EFFECT_ALLOW
        assert stream.opened.next_chunk == 0
        for index, batch in enumerate(batches):
            assert await stream.send(index, batch) == NUMBERS[3 * index : 3 * index + 3]
        end = await stream.end()
    assert (end.rows, end.values, end.chunks) == (12, 12, 4)
    record, held = (await log(server, "unmask"))[-1]
    assert record["id"] == end.record_id
    assert held["details"]["phase"] == "complete"
    assert held["details"]["tokens_tree"] == context["tokens_tree"]
    assert (held["details"]["from_chunk"], held["details"]["to_chunk"], held["details"]["values"]) == (0, 4, 12)


async def test_server_alone_says_which_chunks_are_unmasked(server: Placet, batches: list[pa.RecordBatch]) -> None:
    for name in ("columns", "domains", "column_domains", "count", "chunks", "tokens_tree", "tokens_sha256"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            async with opened(server, announced(fresh(**{name: "x"}), batches, SSN)):
                pass
        assert refusal(refused.value).fields == (f"start.scope.context.{name}",)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"soc_sec_id": "customer.phone"}, "MASK_PLAN_REFUSED"),
        ({"postcode": ""}, "MASK_PLAN_REFUSED"),
        ({"nothing": ""}, "MASK_PLAN_REFUSED"),
        ({}, "INVALID_REQUEST"),
    ],
)
async def test_columns_and_domains_are_those_of_the_policy(
    server: Placet, batches: list[pa.RecordBatch], columns: dict[str, str], reason: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async with opened(server, announced(fresh(), batches, columns)):
            pass
    assert refusal(refused.value).reason == reason


WRONG: dict[str, Any] = {
    "another place": lambda batches: chunk(2, batches[1]),
    "again": lambda batches: chunk(0, batches[0]),
    "another chunk": lambda batches: chunk(1, batches[2]),
    "fewer rows": lambda batches: chunk(1, batches[1].slice(0, 2)),
    "another order of rows": lambda batches: chunk(1, batches[1].take([2, 1, 0])),
    "no rows": lambda _: mask_pb2.UnmaskChunk(index=1),
    "two batches": lambda batches: mask_pb2.UnmaskChunk(
        index=1, arrow_messages=[*chunk(1, batches[1]).arrow_messages, *chunk(1, batches[1]).arrow_messages]
    ),
    "no Arrow": lambda _: mask_pb2.UnmaskChunk(index=1, arrow_messages=[b"x" * 64]),
}


@pytest.mark.parametrize("name", WRONG)
async def test_chunk_that_is_not_the_next_one_as_announced_ends_the_stream_unopened(
    server: Placet, batches: list[pa.RecordBatch], name: str
) -> None:
    start = announced(fresh(), batches, SSN)
    await approved(server, start)
    async with opened(server, start) as stream:
        await stream.send(0, batches[0])
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stream.send_chunk(WRONG[name](batches))
    assert refusal(refused.value).code == "INVALID_ARGUMENT"
    record, held = (await log(server, "unmask"))[-1]
    assert record["error"] == refusal(refused.value).reason
    assert (held["details"]["phase"], held["details"]["to_chunk"], held["details"]["values"]) == ("broken", 1, 3)
    assert await unmasked(server, start, batches) == NUMBERS


@pytest.mark.parametrize("left", range(5))
async def test_stream_that_broke_goes_on_at_the_last_chunk_that_left(
    server: Placet, batches: list[pa.RecordBatch], left: int
) -> None:
    start = announced(fresh(), batches, SSN)
    await approved(server, start)
    async with opened(server, start) as stream:
        for index in range(left):
            await stream.send(index, batches[index])
    decision_id = stream.opened.decision.decision_id
    async with opened(server, start) as stream:
        assert stream.opened.next_chunk == max(left - 1, 0)
        assert stream.opened.decision.decision_id == decision_id
        if left > 1:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stream.send(left - 2, batches[left - 2])
            assert refusal(refused.value).reason == "CHUNK_REFUSED"
    rest = await unmasked(server, start, batches)
    assert rest == NUMBERS[3 * max(left - 1, 0) :]
    await verified_log(server)


async def test_what_has_arrived_in_whole_opens_no_more(server: Placet, batches: list[pa.RecordBatch]) -> None:
    start = announced(fresh(), batches, SSN)
    await approved(server, start)
    await unmasked(server, start, batches)
    completed = (await log(server, "unmask"))[-1][0]["id"]
    async with opened(server, start) as stream:
        assert stream.opened.next_chunk == 4
        assert (await stream.end()).record_id == completed
    for index in (3, 4):
        async with opened(server, start) as stream:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stream.send(index, batches[3])
            assert refusal(refused.value).reason == "CHUNK_REFUSED"
    assert (await log(server, "unmask"))[-1][0]["id"] == completed


async def test_an_end_before_the_last_chunk_is_refused(server: Placet, batches: list[pa.RecordBatch]) -> None:
    start = announced(fresh(), batches, SSN)
    await approved(server, start)
    async with opened(server, start) as stream:
        await stream.send(0, batches[0])
        with pytest.raises(grpc.aio.AioRpcError, match="1 of 4 chunks came"):
            await stream.end()


async def test_of_two_streams_the_later_one_goes_on(server: Placet, batches: list[pa.RecordBatch]) -> None:
    start = announced(fresh(), batches, SSN)
    await approved(server, start)
    async with opened(server, start) as first:
        await first.send(0, batches[0])
        async with opened(server, start) as second:
            await second.send(0, batches[0])
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await first.send(1, batches[1])
            assert (refusal(refused.value).code, refusal(refused.value).reason) == ("ABORTED", "CONFLICT")
            for index in (1, 2, 3):
                await second.send(index, batches[index])
            await second.end()
    await verified_log(server)


async def test_request_id_is_of_one_start_and_one_caller(server: Placet, batches: list[pa.RecordBatch]) -> None:
    start = announced(fresh(), batches, SSN)
    await approved(server, start)
    async with opened(server, start) as stream:
        await stream.send(0, batches[0])
    other = announced(start.scope, batches[:2], SSN)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async with opened(server, other):
            pass
    assert refusal(refused.value).reason == "REQUEST_ID_REUSED"
    async with opened(server, start, by="dev") as stranger:
        assert stranger.effect == Effect.EFFECT_NEEDS_APPROVAL
        assert not stranger.opened.HasField("plan")


async def test_nothing_to_unmask_is_complete_at_once(server: Placet, table: pa.RecordBatch) -> None:
    start = announced(fresh(), [table.slice(0, 0)], SSN)
    del start.chunks[:]
    await approved(server, start)
    async with opened(server, start) as stream:
        assert stream.opened.next_chunk == 0
        assert (await stream.end()).rows == 0
    await verified_log(server)


async def test_records_are_opened_as_texts(server: Placet) -> None:
    texts = [f'{{"soc_sec_id":"{number}","postcode":"2011"}}' for number in NUMBERS[:4]]
    request = mask_pb2.MaskRequest(scope=scope(), data=records(*texts))
    masked_texts = (await server.masks.Mask(request, metadata=server.metadata("report-bot"))).data.records.records
    batches = [pa.record_batch({"record": pa.array(masked_texts[at : at + 2], pa.large_string())}) for at in (0, 2)]
    start = mask_pb2.UnmaskStreamStart(scope=fresh(), columns=SSN, domains=SSN.values())
    start.shape.record_paths.paths.extend(["postcode", "soc_sec_id"])
    start.chunks.extend(token_tree.entry(batch, list(SSN), is_records=True) for batch in batches)
    await approved(server, start)
    opened_texts = await unmasked(server, start, batches)
    assert [json.loads(text)["soc_sec_id"] for text in opened_texts] == [str(number) for number in NUMBERS[:4]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda start: (start.ClearField("columns"), start.ClearField("domains")), "start.columns"),
        (lambda start: start.domains.append("x"), "start.domains"),
        (lambda start: setattr(start.chunks[0], "rows", 65_537), "start.chunks[0].rows"),
        (lambda start: setattr(start.chunks[0], "tokens_sha256", b"x"), "start.chunks[0].tokens_sha256"),
        (lambda start: start.chunks.extend([start.chunks[0]] * 65_536), "start.chunks"),
        (lambda start: start.ClearField("shape"), "start.shape"),
    ],
)
async def test_start_beyond_the_contract_is_refused_by_field(
    server: Placet, batches: list[pa.RecordBatch], change: Any, field: str
) -> None:
    start = announced(fresh(), batches, SSN)
    change(start)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async with opened(server, start):
            pass
    assert (refusal(refused.value).code, refusal(refused.value).fields) == ("INVALID_ARGUMENT", (field,))

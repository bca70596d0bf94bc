"""Answers that come too late, or that do not fit into a message."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pyarrow as pa
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from grpc_status import rpc_status

from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_pb2
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest
from tests.masks import arrow, masking, records, scope, shape
from tests.parts import Placet, asking, log, placet, refusal

MANY = 40_000
REASON = """package policy

# METADATA
# title: A long reason
allow contains {"rule": "long", "reason": concat("", [text | some _ in numbers.range(1, 500); text := "0123456789"])}
"""


@pytest.fixture(scope="module")
async def server(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with masking(state, mongod.uri) as running:
        yield running


def many() -> mask_pb2.MaskRequest:
    """Forty thousand records: far below 4 MiB, and more than a moment's work."""
    texts = [f'{{"soc_sec_id":"{1_000_000 + number}","postcode":"2011"}}' for number in range(MANY)]
    return mask_pb2.MaskRequest(scope=scope(), data=records(*texts))


def retries(error: grpc.aio.AioRpcError) -> bool:
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # an AioRpcError has what it reads
    return status is not None and any(detail.Is(RetryInfo.DESCRIPTOR) for detail in status.details)


async def test_masking_that_takes_the_calls_time_is_named_and_not_recorded(server: Placet) -> None:
    began = time.perf_counter()
    await server.masks.Mask(many(), metadata=server.metadata("report-bot"))
    half = (time.perf_counter() - began) / 2
    before = len(await log(server, "mask"))
    with pytest.raises(grpc.aio.AioRpcError) as late:
        await server.masks.Mask(many(), metadata=server.metadata("report-bot"), timeout=half)
    why = refusal(late.value)
    assert (why.code, why.reason, why.metadata) == ("DEADLINE_EXCEEDED", "OUT_OF_TIME", {"stage": "masking"})
    assert "masking took" in why.message
    assert "MongoDB" not in why.message
    assert not retries(late.value)
    assert len(await log(server, "mask")) == before


async def test_mask_has_time_for_many_records_also_without_a_deadline(server: Placet) -> None:
    answer = await server.masks.Mask(many(), metadata=server.metadata("report-bot"))
    assert answer.rows == MANY


async def test_answer_that_does_not_fit_names_the_stream_and_is_not_recorded(server: Placet) -> None:
    before = len(await log(server, "mask"))
    data = arrow({"soc_sec_id": [str(1_000_000 + number) for number in range(120_000)]})
    assert data.ByteSize() < 4 << 20
    with pytest.raises(grpc.aio.AioRpcError) as large:
        await server.masks.Mask(mask_pb2.MaskRequest(scope=scope(), data=data), metadata=server.metadata("report-bot"))
    why = refusal(large.value)
    assert (why.code, why.reason) == ("RESOURCE_EXHAUSTED", "ANSWER_TOO_LARGE")
    assert why.message.endswith("use MaskStream")
    assert not retries(large.value)
    assert len(await log(server, "mask")) == before


async def test_answers_of_a_stream_are_one_arrow_stream_less_its_schema_and_end(server: Placet) -> None:
    batch = pa.record_batch({"postcode": ["4814", "2011", None]})
    start = mask_pb2.StreamStart(scope=scope(), shape=shape(batch.schema))
    sent = [mask_pb2.MaskStreamRequest(start=start)]
    sent += [mask_pb2.MaskStreamRequest(arrow_message=message) for message in [batch.serialize().to_pybytes()] * 2]
    answers = [one async for one in server.masks.MaskStream(iter(sent), metadata=server.metadata("report-bot"))]
    schema = answers[0].opened.plan.output_schema
    assert [one.WhichOneof("message") for one in answers] == ["opened", "arrow_message", "arrow_message", "end"]
    whole = schema + b"".join(one.arrow_message for one in answers) + b"\xff\xff\xff\xff\0\0\0\0"
    masked = pa.ipc.open_stream(whole).read_all()
    assert masked.num_rows == answers[-1].end.rows == 6
    assert masked["postcode"].to_pylist()[2] is None


async def test_no_answer_is_left_to_grpc_to_fail(state: Path, mongod: MongodProcess, tmp_path: Path) -> None:
    (tmp_path / "long.rego").write_text(REASON)
    batch = BatchAuthorizeRequest(defaults=asking("read"), items=[AuthorizeRequest()] * 1000)
    async with placet(state, mongod.uri, policy=[tmp_path]) as running:
        with pytest.raises(grpc.aio.AioRpcError) as large:
            await running.decisions.BatchAuthorize(batch, metadata=running.metadata("report-bot"), timeout=10)
    assert (refusal(large.value).code, refusal(large.value).reason) == ("RESOURCE_EXHAUSTED", "ANSWER_TOO_LARGE")

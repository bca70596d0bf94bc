"""The client's half of a mask stream: the decision first, batches in order, and nothing that is not whole."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pyarrow as pa
import pytest

from pdp.arrow import table
from pdp.client import Client
from pdp.client.masks import MESSAGE_BYTES, Incomplete, MaskCall, shape
from pdp.v1.decision_pb2 import AuthorizeResponse
from pdp.v1.mask_pb2 import (
    MaskPlan,
    MaskStreamRequest,
    MaskStreamResponse,
    RewrapRequest,
    RewrapResponse,
    StreamEnd,
    StreamOpened,
    StreamStart,
)
from pdp.v1.request_pb2 import Effect
from tests.informed import informed

SCHEMA = pa.schema([("id", pa.string())])
OPENED = StreamOpened(
    decision=AuthorizeResponse(effect=Effect.EFFECT_ALLOW), plan=MaskPlan(output_schema=table.schema_bytes(SCHEMA))
)
END = StreamEnd(rows=6, record_id="rec_1")
Answers = Callable[[AsyncIterator[bytes]], AsyncIterator[bytes]]


def batches(count: int = 3, size: int = 1) -> list[pa.RecordBatch]:
    return [pa.record_batch({"id": [f"{number}" * size, "b"]}, SCHEMA) for number in range(count)]


def messages(made: list[pa.RecordBatch], response: Any = MaskStreamResponse) -> list[bytes]:
    """The batches in the envelopes of answers."""
    writer = table.Writer(SCHEMA)
    bodies = [bytes(message) for batch in made for message in writer.messages(batch)]
    return [response(arrow_message=body).SerializeToString() for body in bodies]


@asynccontextmanager
async def answering(answers: Answers, rpc: str = "MaskStream") -> AsyncIterator[Client]:
    """A client of a server that answers a stream as it is told."""

    async def handle(requests: AsyncIterator[bytes], _: Any) -> AsyncIterator[bytes]:
        async for answer in answers(requests):
            yield answer

    server = informed(grpc.aio.server())
    handler = grpc.method_handlers_generic_handler(
        "pdp.v1.MaskService", {rpc: grpc.stream_stream_rpc_method_handler(handle)}
    )
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with Client(f"127.0.0.1:{port}", "token") as client:
        yield client
    await server.stop(None)


def saying(*answers: bytes) -> Answers:
    """These answers, whatever is asked, once all of it is there."""

    async def answer(requests: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        assert [body async for body in requests]
        for one in answers:
            yield one

    return answer


def opened(response: Any = MaskStreamResponse) -> bytes:
    return bytes(response(opened=OPENED).SerializeToString())


def ended(response: Any = MaskStreamResponse) -> bytes:
    return bytes(response(end=END).SerializeToString())


@pytest.mark.parametrize(
    ("rewrap", "request_class", "response"),
    [(False, MaskStreamRequest, MaskStreamResponse), (True, RewrapRequest, RewrapResponse)],
)
async def test_what_is_sent_comes_back_in_order_and_the_end_with_it(
    *, rewrap: bool, request_class: Any, response: Any
) -> None:
    starts: list[StreamStart] = []

    async def echo(requests: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        starts.append(request_class.FromString(await anext(requests)).start)
        yield opened(response)
        async for body in requests:
            yield response(arrow_message=request_class.FromString(body).arrow_message).SerializeToString()
        yield ended(response)

    start = StreamStart(shape=shape(SCHEMA))
    async with answering(echo, "Rewrap" if rewrap else "MaskStream") as client:
        call = MaskCall(client, start, SCHEMA, rewrap=rewrap)
        assert (await call.open(iter(batches()))).decision.effect == Effect.EFFECT_ALLOW
        assert call.end is None
        assert [batch async for batch in call.batches()] == batches()
        assert call.end == END
    [sent] = starts
    assert (len(sent.scope.attempt_id), sent.shape) == (32, start.shape)
    assert not start.scope.attempt_id


async def test_large_batch_goes_in_several_messages() -> None:
    sizes: list[int] = []

    async def count(requests: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        yield opened()
        async for body in requests:
            sizes.append(len(body))
            yield body
        yield bytes(MaskStreamResponse(end=StreamEnd(rows=6000)).SerializeToString())

    rows = pa.record_batch({"id": ["x" * 1000] * 6000}, SCHEMA)
    async with answering(count) as client:
        call = MaskCall(client, StreamStart(), SCHEMA)
        await call.open(iter([rows]))
        assert sum([batch.num_rows async for batch in call.batches()]) == 6000
    assert len(sizes) > 3
    assert max(sizes) < MESSAGE_BYTES + 1000


async def whole(call: MaskCall) -> list[pa.RecordBatch]:
    await call.open(iter(batches()))
    return [batch async for batch in call.batches()]


@pytest.mark.parametrize(
    "answers",
    [(), (opened(),), (opened(), *messages(batches())), (opened(), *messages(batches(1)))],
    ids=["nothing", "only a beginning", "all but the end", "some"],
)
async def test_stream_that_is_not_whole_is_incomplete(answers: tuple[bytes, ...]) -> None:
    async with answering(saying(*answers)) as client:
        call = MaskCall(client, StreamStart(), SCHEMA)
        with pytest.raises(Incomplete):
            await whole(call)
    assert call.end is None


async def test_decision_without_a_plan_is_told_before_any_data() -> None:
    denied = StreamOpened(decision=AuthorizeResponse(effect=Effect.EFFECT_DENY))
    async with answering(saying(MaskStreamResponse(opened=denied).SerializeToString())) as client:
        call = MaskCall(client, StreamStart(), SCHEMA)
        found = await call.open(iter(()))
        assert found.decision.effect == Effect.EFFECT_DENY
        assert not found.HasField("plan")


def test_shape_is_a_schema_or_paths() -> None:
    assert table.schema(shape(SCHEMA).arrow_schema, "x") == SCHEMA
    assert list(shape(SCHEMA, ["a", "b[]"]).record_paths.paths) == ["a", "b[]"]

"""Either side of a mask stream may fail at each step; what is raised is the first real cause of either."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pyarrow as pa
import pytest

from masker.errors import FileRefused
from pdp.arrow import table
from pdp.client import Client
from pdp.client.masks import Incomplete, MaskCall
from pdp.v1.decision_pb2 import AuthorizeResponse
from pdp.v1.mask_pb2 import MaskPlan, MaskStreamResponse, StreamEnd, StreamOpened, StreamStart
from pdp.v1.request_pb2 import Effect
from tests.informed import informed

SCHEMA = pa.schema([("id", pa.string())])
BATCH = pa.record_batch({"id": ["x" * 1000] * 1000}, SCHEMA)
BATCHES = 8
NEVER = 1 << 30
OPENED = MaskStreamResponse(
    opened=StreamOpened(
        decision=AuthorizeResponse(effect=Effect.EFFECT_ALLOW), plan=MaskPlan(output_schema=table.schema_bytes(SCHEMA))
    )
)


@asynccontextmanager
async def failing(at: int, lost_rows: int = 0) -> AsyncIterator[Client]:
    """A server that sends messages back, refuses when it has seen `at` of them, and may say that rows are lost."""

    async def handle(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        seen = 0
        async for body in requests:
            if seen == at:
                await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "refused", (("reason", "PLAN"),))
            yield OPENED.SerializeToString() if seen == 0 else body
            seen += 1
        end = StreamEnd(rows=(seen - 1) * BATCH.num_rows - lost_rows)
        yield MaskStreamResponse(end=end).SerializeToString()

    server = informed(grpc.aio.server())
    handler = grpc.stream_stream_rpc_method_handler(handle)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("pdp.v1.MaskService", {"MaskStream": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with Client(f"127.0.0.1:{port}", "token") as client:
        yield client
    await server.stop(None)


def reading(at: int) -> Iterator[pa.RecordBatch]:
    """A file that breaks at a batch."""
    for number in range(BATCHES):
        if number == at:
            raise FileRefused("broken")
        yield BATCH


async def outcome(client: Client, own: int) -> str:
    """The number of rows that came, or the cause."""
    try:
        async with MaskCall(client, StreamStart(), SCHEMA) as call:
            await call.open(reading(own))
            return str(sum([batch.num_rows async for batch in call.batches()]))
    except FileRefused as error:
        return str(error)
    except grpc.aio.AioRpcError as error:
        return f"{error.code().name} {error.details()}"


@pytest.mark.parametrize("server", [NEVER, *range(BATCHES + 1)])
@pytest.mark.parametrize("own", [NEVER, *range(BATCHES)])
async def test_the_first_real_cause_is_raised_wherever_a_side_fails(own: int, server: int) -> None:
    causes = {
        *(["broken"] if own != NEVER else []),
        *(["FAILED_PRECONDITION refused"] if server != NEVER else []),
    } or {str(BATCHES * BATCH.num_rows)}
    async with failing(server) as client:
        assert await outcome(client, own) in causes


async def test_refusal_while_the_client_writes_is_told_as_it_is() -> None:
    async with failing(0) as client:
        assert {await outcome(client, NEVER) for _ in range(60)} == {"FAILED_PRECONDITION refused"}


async def test_lost_rows_are_an_error() -> None:
    async with failing(NEVER, lost_rows=1) as client:
        with pytest.raises(Incomplete, match="8,000 rows were sent, 7,999 masked and 8,000 came back"):
            await outcome(client, NEVER)

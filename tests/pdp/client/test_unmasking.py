"""The client's half of an unmasking: it goes on wherever a stream broke, tells the real cause, and loses no row."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pyarrow as pa
import pytest

from masker.errors import FileRefused
from pdp.arrow import chunks, table
from pdp.client import Client
from pdp.client.masks import Incomplete, shape
from pdp.client.token import Token
from pdp.client.unmasking import Stopped, UnmaskCall, announced, reversed_columns
from pdp.v1.decision_pb2 import AuthorizeResponse
from pdp.v1.mask_pb2 import (
    MaskedColumn,
    MaskPlan,
    MaskScope,
    UnmaskChunk,
    UnmaskStreamEnd,
    UnmaskStreamOpened,
    UnmaskStreamRequest,
    UnmaskStreamResponse,
    UnmaskStreamStart,
)
from pdp.v1.request_pb2 import Effect
from tests.informed import informed

SCHEMA = pa.schema([("t", pa.string())])
BATCHES = [pa.record_batch({"t": [f"tok_{number}", "x"]}, SCHEMA) for number in range(4)]
PLAN = MaskPlan(output_schema=table.schema_bytes(SCHEMA), columns=[MaskedColumn(column="t", mask="token", domain="d")])
STEPS = range(2 * len(BATCHES) + 2)
"""Each place where a stream can break: before and behind each message."""


Handle = Callable[[AsyncIterator[bytes], Any], AsyncIterator[bytes]]


@dataclass
class Unmasker:
    """A server that opens chunks as the contract says, and breaks streams where it is told."""

    breaks: list[int] = field(default_factory=list)
    code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE
    later: Effect.ValueType = Effect.EFFECT_ALLOW
    lost_rows: int = 0
    sent: int = -1
    arrived: int = 0
    starts: list[UnmaskStreamStart] = field(default_factory=list)
    leaving: list[int] = field(default_factory=list)

    async def handle(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        steps = iter(range(1 << 30))
        at = self.breaks.pop(0) if self.breaks else -1

        async def step() -> None:
            if next(steps) == at:
                await context.abort(self.code, "gone", (("reason", "GONE"),))

        await step()
        start = UnmaskStreamRequest.FromString(await anext(requests)).start
        self.starts.append(start)
        effect = Effect.EFFECT_ALLOW if len(self.starts) == 1 else self.later
        following = self.arrived
        yield self._opened(effect, following)
        async for body in requests:
            chunk = UnmaskStreamRequest.FromString(body).chunk
            await step()
            assert chunk.index == following
            following += 1
            self.arrived = max(self.arrived, chunk.index)
            self.leaving.append(chunk.index)
            yield UnmaskStreamResponse(chunk=chunk).SerializeToString()
            await step()
        await step()
        self.arrived = len(start.chunks)
        rows = sum(entry.rows for entry in start.chunks) - self.lost_rows
        yield UnmaskStreamResponse(end=UnmaskStreamEnd(rows=rows, chunks=len(start.chunks))).SerializeToString()

    def _opened(self, effect: Effect.ValueType, following: int) -> bytes:
        plan = PLAN if effect == Effect.EFFECT_ALLOW else None
        opened = UnmaskStreamOpened(decision=AuthorizeResponse(effect=effect), plan=plan, next_chunk=following)
        return UnmaskStreamResponse(opened=opened).SerializeToString()


@asynccontextmanager
async def serving(unmasker: Unmasker | Handle) -> AsyncIterator[Client]:
    server = informed(grpc.aio.server())
    handle = unmasker.handle if isinstance(unmasker, Unmasker) else unmasker
    handler = grpc.stream_stream_rpc_method_handler(handle)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("pdp.v1.MaskService", {"UnmaskStream": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with Client(f"127.0.0.1:{port}", "token") as client:
        yield client
    await server.stop(None)


def start() -> UnmaskStreamStart:
    return announced(MaskScope(table="t"), shape(SCHEMA), reversed_columns(PLAN), BATCHES)


async def unmasked(client: Client, made: Iterator[pa.RecordBatch], patience: float = 20.0) -> list[str]:
    async with UnmaskCall(client, start(), made, SCHEMA, patience=patience) as call:
        await call.open()
        kept = [value for batch in [one async for one in call.batches()] for value in batch.column(0).to_pylist()]
        assert call.end is not None
        return kept


ALL = [value for batch in BATCHES for value in batch.column(0).to_pylist()]


def test_start_says_what_each_chunk_holds() -> None:
    made = start()
    assert made.columns == ["t"]
    assert made.domains == ["d"]
    assert [(entry.rows, entry.values) for entry in made.chunks] == [(2, 2)] * 4
    assert made.scope.request_id


@pytest.mark.parametrize("second", [-1, 1, 4])
@pytest.mark.parametrize("first", STEPS)
async def test_stream_that_breaks_anywhere_goes_on_in_another(first: int, second: int) -> None:
    unmasker = Unmasker(breaks=[first, second])
    async with serving(unmasker) as client:
        assert await unmasked(client, iter(BATCHES)) == ALL
    assert len({one.SerializeToString() for one in unmasker.starts}) == 1
    assert all(
        later - earlier in {0, 1} for earlier, later in zip(unmasker.leaving, unmasker.leaving[1:], strict=False)
    )
    assert sorted(set(unmasker.leaving)) == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED"])
async def test_run_goes_on_after_what_passes_and_says_so_once(name: str) -> None:
    unmasker, said = Unmasker(breaks=[4, 0, 0], code=grpc.StatusCode[name]), list[str]()
    async with (
        serving(unmasker) as client,
        UnmaskCall(client, start(), iter(BATCHES), SCHEMA, told=said.append) as call,
    ):
        await call.open()
        assert [batch async for batch in call.batches()] == BATCHES
    assert said == ["the connection broke; it goes on at chunk 2 when the server is there again"]


async def test_run_goes_on_with_the_next_token_where_one_has_ended() -> None:
    unmasker, tokens = Unmasker(breaks=[4], code=grpc.StatusCode.UNAUTHENTICATED), iter(["first", "first", "next"])
    async with serving(unmasker) as client:
        client._token = Token(lambda: next(tokens, "next"), renews=True)
        assert await unmasked(client, iter(BATCHES)) == ALL
    assert len(unmasker.starts) == 2


async def test_token_that_nothing_renews_ends_the_run() -> None:
    unmasker = Unmasker(breaks=[4], code=grpc.StatusCode.UNAUTHENTICATED)
    async with serving(unmasker) as client:
        with pytest.raises(grpc.aio.AioRpcError, match="gone"):
            await unmasked(client, iter(BATCHES))


@pytest.mark.parametrize("at", STEPS)
async def test_refusal_is_told_as_it_is_wherever_it_comes(at: int) -> None:
    unmasker = Unmasker(breaks=[at], code=grpc.StatusCode.FAILED_PRECONDITION)
    async with serving(unmasker) as client:
        with pytest.raises(grpc.aio.AioRpcError, match="gone") as refused:
            await unmasked(client, iter(BATCHES))
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert len(unmasker.starts) <= 1


@pytest.mark.parametrize("at", range(len(BATCHES)))
async def test_broken_file_is_told_as_it_is(at: int) -> None:
    def reading() -> Iterator[pa.RecordBatch]:
        yield from BATCHES[:at]
        raise FileRefused("broken")

    async with serving(Unmasker(breaks=[3])) as client:
        with pytest.raises(FileRefused, match="broken"):
            await unmasked(client, reading())


@pytest.mark.parametrize(
    "changed",
    [BATCHES[:3], [*BATCHES, BATCHES[0]], [BATCHES[0].slice(1), *BATCHES[1:]]],
    ids=["cut", "longer", "other"],
)
async def test_file_that_changed_meanwhile_is_an_error(changed: list[pa.RecordBatch]) -> None:
    async with serving(Unmasker()) as client:
        with pytest.raises(Incomplete, match="the data changed"):
            await unmasked(client, iter(changed))


async def test_lost_rows_are_an_error() -> None:
    async with serving(Unmasker(lost_rows=1)) as client:
        with pytest.raises(Incomplete, match="8 rows were sent and 7 unmasked"):
            await unmasked(client, iter(BATCHES))


async def test_deny_of_today_ends_what_was_begun() -> None:
    async with serving(Unmasker(breaks=[4], later=Effect.EFFECT_DENY)) as client:
        with pytest.raises(Stopped) as stopped:
            await unmasked(client, iter(BATCHES))
    assert stopped.value.decision.effect == Effect.EFFECT_DENY


async def test_what_another_run_began_is_not_taken_for_whole() -> None:
    async with serving(Unmasker(arrived=2)) as client:
        with pytest.raises(Incomplete, match="another run began"):
            await unmasked(client, iter(BATCHES))


async def test_what_was_unmasked_to_its_end_is_named_as_that() -> None:
    async with serving(Unmasker(arrived=len(BATCHES))) as client:
        with pytest.raises(Incomplete, match="all of it was unmasked before"):
            await unmasked(client, iter(BATCHES))


async def test_server_that_stays_away_ends_the_run() -> None:
    async with serving(Unmasker(breaks=[4, *[0] * 100])) as client:
        with pytest.raises(grpc.aio.AioRpcError, match="gone"):
            await unmasked(client, iter(BATCHES), patience=0.5)


async def test_without_an_allow_nothing_is_read() -> None:
    async def handle(requests: AsyncIterator[bytes], _: Any) -> AsyncIterator[bytes]:
        await anext(requests)
        opened = UnmaskStreamOpened(decision=AuthorizeResponse(effect=Effect.EFFECT_NEEDS_APPROVAL))
        yield UnmaskStreamResponse(opened=opened).SerializeToString()

    async with serving(handle) as client, UnmaskCall(client, start(), iter(BATCHES), SCHEMA) as call:
        opened = await call.open()
    assert opened.decision.effect == Effect.EFFECT_NEEDS_APPROVAL


async def test_chunk_with_other_rows_is_an_error() -> None:
    async def handle(requests: AsyncIterator[bytes], _: Any) -> AsyncIterator[bytes]:
        await anext(requests)
        opened = UnmaskStreamOpened(decision=AuthorizeResponse(effect=Effect.EFFECT_ALLOW), plan=PLAN)
        yield UnmaskStreamResponse(opened=opened).SerializeToString()
        async for body in requests:
            index = UnmaskStreamRequest.FromString(body).chunk.index
            other = UnmaskChunk(index=index, arrow_messages=chunks.messages(BATCHES[0].slice(1), SCHEMA))
            yield UnmaskStreamResponse(chunk=other).SerializeToString()
        end = UnmaskStreamEnd(rows=8, chunks=len(BATCHES))
        yield UnmaskStreamResponse(end=end).SerializeToString()

    async with serving(handle) as client:
        with pytest.raises(Incomplete, match="came back with other rows"):
            await unmasked(client, iter(BATCHES))


async def test_cancelled_run_ends_at_once() -> None:
    async with serving(Unmasker(breaks=[4, *[0] * 100])) as client:
        running = asyncio.ensure_future(unmasked(client, iter(BATCHES), patience=60))
        await asyncio.wait([running], timeout=1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

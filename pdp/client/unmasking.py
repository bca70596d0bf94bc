"""The client's half of UnmaskStream: chunk after chunk, going on by itself where the connection breaks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

import grpc

from pdp.arrow import chunks, table, token_tree
from pdp.arrow.table import Batch, Schema
from pdp.client.backoff import Backoff
from pdp.client.connection import Client
from pdp.client.masks import Incomplete
from pdp.client.refusal import Refusal
from pdp.client.token import Metadata
from pdp.v1.decision_pb2 import AuthorizeResponse
from pdp.v1.mask_pb2 import (
    MaskPlan,
    MaskScope,
    MaskShape,
    UnmaskChunk,
    UnmaskStreamEnd,
    UnmaskStreamOpened,
    UnmaskStreamRequest,
    UnmaskStreamResponse,
    UnmaskStreamStart,
)
from pdp.v1.request_pb2 import Effect

T = TypeVar("T")

PATIENCE_SECONDS = 600.0
"""Seconds without a chunk after which a broken stream is given up: a server is updated within ten minutes."""
_ANSWER_SECONDS = 120.0
"""Seconds that the server may take for one answer; then the connection counts as broken."""
_PASSES = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.ABORTED,  # the policy changed meanwhile, or a stream before was still there
}
"""What ended a stream that can go on in another."""


class Broken(Incomplete):
    """The stream ended without a reason that the server gave; another may go on."""


class Stopped(Incomplete):
    """The policy does not allow any more what was begun; `decision` says why."""

    reason = "STREAM_STOPPED"

    def __init__(self, decision: AuthorizeResponse) -> None:
        super().__init__("the policy ended the stream before all was unmasked; nothing of it may be used")
        self.decision = decision


def reversed_columns(plan: MaskPlan) -> dict[str, str]:
    """The columns that a plan to unmask reverses, with their domains."""
    return {each.column: each.domain for each in plan.columns if each.mask != "keep"}


def announced(
    scope: MaskScope,
    shape: MaskShape,
    columns: Mapping[str, str],
    made: Iterable[Batch],
    told: Callable[[int], None] = lambda _: None,
) -> UnmaskStreamStart:
    """The start for these chunks, in which `columns` have these domains. `told` gets the rows of each."""
    start = UnmaskStreamStart(scope=scope, shape=shape, columns=columns, domains=columns.values())
    start.scope.request_id = scope.request_id or uuid4().hex
    start.scope.attempt_id = scope.attempt_id or uuid4().hex
    is_records = shape.WhichOneof("shape") == "record_paths"
    for chunk in made:
        start.chunks.append(token_tree.entry(chunk, start.columns, is_records=is_records))
        told(chunk.num_rows)
    token_tree.refuse_unbounded(start)
    return start


class UnmaskCall:
    """One unmasking. `open` it, look at `opened.decision`, take `batches`; `end` is there once they are all.

    1. A stream that breaks goes on in another one of the same attempt, unless nothing came for `patience`
       seconds. `told` gets a sentence about each break.
    2. What the server or the reading of the chunks fails with is raised as it is; `Stopped` where the policy says no.
    3. A batch counts as kept when the next one is asked for.
    4. Rows that are missing, before or behind the server, are `Incomplete`: nothing that came may be used.
    """

    def __init__(
        self,
        client: Client,
        start: UnmaskStreamStart,
        made: Iterator[Batch],
        schema: Schema,
        *,
        patience: float = PATIENCE_SECONDS,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._client, self._start, self._patience, self._told = client, start, patience, told
        self._reader = _ChunkReader(start, made, schema)
        self._call: Any = None
        self._metadata: Metadata = ()
        self._refusal: Refusal
        self._kept = 0
        self.opened = UnmaskStreamOpened()
        self.end: UnmaskStreamEnd | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hang_up()
        await self._reader.close()

    async def open(self) -> UnmaskStreamOpened:
        """Begin, and return the decision."""
        await self._persistently(_nothing)
        return self.opened

    async def batches(self) -> AsyncIterator[Batch]:
        """The chunks as they were before they were masked."""
        described = table.schema(self.opened.plan.output_schema, "output_schema")
        for index, entry in enumerate(self._start.chunks):
            answer = await self._persistently(lambda: self._exchanged(self._kept))
            batch = await asyncio.to_thread(_read, answer, described)
            if answer.index != index or batch.num_rows != entry.rows:
                raise Incomplete(f"chunk {index} came back with other rows than were sent; nothing may be used")
            yield batch
            self._kept = index + 1
        await self._reader.require_end()
        self.end = await self._persistently(self._ended)
        self._require_totals(self.end)

    async def _persistently(self, step: Callable[[], Awaitable[T]]) -> T:
        """The result of a step on an open stream; a stream that broke is opened anew."""
        clock, backoff = asyncio.get_running_loop().time, Backoff()
        end = clock() + self._patience
        for attempt in count():
            try:
                if self._call is None:
                    await self._connect()
                return await step()
            except (grpc.aio.AioRpcError, Broken) as error:
                cause = await self._cause(error)
                if clock() > end or not await self._passes(cause):
                    raise cause from None
                if attempt == 0:
                    self._told(f"the connection broke; it goes on at chunk {self._kept} when the server is there again")
            await backoff.pause()
        raise AssertionError("the last attempt returns or raises")

    async def _passes(self, cause: Exception) -> bool:
        """Whether another stream may go on: this one broke, or its token has ended and the next one is there."""
        if not isinstance(cause, grpc.aio.AioRpcError) or cause.code() in _PASSES:
            return True
        return cause.code() is grpc.StatusCode.UNAUTHENTICATED and await self._client.is_renewed(self._metadata)

    async def _cause(self, error: Exception) -> Exception:
        """The server's own error, where there is one. The stream is closed."""
        if self._call is not None and isinstance(error, grpc.aio.AioRpcError):
            error = await self._refusal.behind(error)
        self._hang_up()
        return error

    async def _connect(self) -> None:
        """Open a stream, and bring it to the chunk that is next here. Raises `Stopped` and `Incomplete`."""
        begun = self.opened.HasField("plan")
        self._metadata = self._client.metadata
        start = await self._client.expecting(UnmaskStreamRequest(start=self._start))
        self._call = self._client.masks.UnmaskStream(metadata=self._metadata)
        self._refusal = Refusal(self._call, self._client.noticed)
        opened = (await self._answer(start)).opened
        if begun and opened.decision.effect != Effect.EFFECT_ALLOW:
            raise Stopped(opened.decision)
        if begun and opened.plan.output_schema != self.opened.plan.output_schema:
            raise Incomplete("the policy unmasks otherwise than before; nothing of it may be used")
        self.opened = opened
        if opened.next_chunk == self._kept - 1:
            await self._exchanged(opened.next_chunk)  # it is kept here, which the server did not get to know
        elif opened.HasField("plan") and 0 == self._kept < len(self._start.chunks) == opened.next_chunk:
            raise Incomplete(
                "all of it was unmasked before under this request id, and it leaves once; to unmask it again, take "
                "another one, and another approval"
            )
        elif opened.HasField("plan") and opened.next_chunk != self._kept:
            raise Incomplete(
                f"the server goes on at chunk {opened.next_chunk} and this run at {self._kept}: another run began "
                "under this request id; take another one, and another approval"
            )

    async def _exchanged(self, index: int) -> UnmaskChunk:
        chunk = await self._reader.chunk(index)
        answering = self._answer(UnmaskStreamRequest(chunk=chunk))
        self._reader.read_ahead(index + 1)
        return (await answering).chunk

    async def _ended(self) -> UnmaskStreamEnd:
        return (await self._answer(None)).end

    async def _answer(self, request: UnmaskStreamRequest | None) -> UnmaskStreamResponse:
        """The answer to a request, or to the end of all requests. Raises `AioRpcError` and `Broken`."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                with suppress(asyncio.InvalidStateError):  # it has ended; reading tells how
                    await (self._call.done_writing() if request is None else self._call.write(request))
                answer = await self._call.read()
        except TimeoutError:
            raise Broken(f"the server gave no answer for {_ANSWER_SECONDS:.0f} s; nothing may be used") from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise Broken("the stream was cancelled; nothing of it may be used") from None
        if answer is grpc.aio.EOF:
            raise Broken("the stream ended before all was unmasked; nothing of it may be used")
        return answer  # type: ignore[no-any-return]

    def _hang_up(self) -> None:
        if self._call is not None:
            self._call.cancel()
        self._call = None

    def _require_totals(self, end: UnmaskStreamEnd) -> None:
        rows = sum(entry.rows for entry in self._start.chunks)
        if (end.rows, end.chunks) != (rows, len(self._start.chunks)):
            raise Incomplete(f"{rows:,} rows were sent and {end.rows:,} unmasked; nothing may be used")


class _ChunkReader:
    """Reads chunks in threads, and keeps the last two: the server may ask for the one before again."""

    def __init__(self, start: UnmaskStreamStart, made: Iterator[Batch], schema: Schema) -> None:
        self._start, self._made, self._schema = start, made, schema
        self._reading: dict[int, asyncio.Future[UnmaskChunk | None]] = {}

    async def chunk(self, index: int) -> UnmaskChunk:
        """A chunk of the last two, or the next one. Raises what reading raises, and `Incomplete`."""
        self.read_ahead(index)
        chunk = await asyncio.shield(self._reading[index])
        self._reading = {at: reading for at, reading in self._reading.items() if at >= index - 1}
        if chunk is None:
            raise _changed()
        return chunk

    def read_ahead(self, index: int) -> None:
        """Begin to read a chunk."""
        if index not in self._reading:
            reading = asyncio.get_running_loop().run_in_executor(None, self._next, index)
            reading.add_done_callback(
                lambda done: done.cancelled() or done.exception()
            )  # it is raised when it is taken
            self._reading[index] = reading

    async def require_end(self) -> None:
        """Raise `Incomplete` where there are more chunks than were announced."""
        last = len(self._start.chunks)
        self.read_ahead(last)
        if await asyncio.shield(self._reading.pop(last)) is not None:
            raise _changed()

    async def close(self) -> None:
        """Wait until nothing reads any more."""
        if self._reading:
            await asyncio.wait(self._reading.values())

    def _next(self, index: int) -> UnmaskChunk | None:
        batch = next(self._made, None)
        if batch is None:
            return None
        if index >= len(self._start.chunks) or batch.num_rows != self._start.chunks[index].rows:
            raise _changed()
        return UnmaskChunk(index=index, arrow_messages=chunks.messages(batch, self._schema))


def _changed() -> Incomplete:
    return Incomplete("the data changed while it was read; nothing that came back may be used")


def _read(answer: UnmaskChunk, described: Schema) -> Batch:
    reader = table.Reader("arrow_messages", described)
    batch = None
    for message in answer.arrow_messages:
        batch = reader.take(message)
    if batch is None:
        raise Incomplete("a chunk came back without its rows; nothing may be used")
    return batch


async def _nothing() -> None:
    """What `open` does on an open stream."""

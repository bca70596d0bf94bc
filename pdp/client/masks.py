"""The client's half of MaskStream and Rewrap: batches out, masked batches in, in bounded memory."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from itertools import chain
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

import grpc

from pdp.arrow import envelope, table
from pdp.arrow.pipeline import prefetched
from pdp.arrow.table import Batch, Schema
from pdp.client.awaiting import heard
from pdp.client.connection import Client
from pdp.client.refusal import Refusal
from pdp.errors import PdpError
from pdp.v1.mask_pb2 import (
    MaskShape,
    MaskStreamRequest,
    MaskStreamResponse,
    RecordPaths,
    RewrapRequest,
    RewrapResponse,
    StreamEnd,
    StreamOpened,
    StreamStart,
)

T = TypeVar("T")

MESSAGE_BYTES = 2 * 1024 * 1024
"""Bytes of an Arrow message that the client sends: half of what the server takes."""
_SENDING = 0.8
"""The part of a stream's time in which it is sent; the rest is for what is under way then."""


class Incomplete(PdpError):
    """The stream ended without saying that it is whole; discard what came."""

    code = "DATA_LOSS"
    reason = "STREAM_INCOMPLETE"


def shape(schema: Schema, paths: Sequence[str] | None = None) -> MaskShape:
    """A table's shape, or, with `paths`, that of JSON records."""
    if paths is not None:
        return MaskShape(record_paths=RecordPaths(paths=paths))
    return MaskShape(arrow_schema=table.schema_bytes(schema))


class MaskCall:
    """One stream. `open` it, look at `opened.decision`, take `batches`; `end` is there once they are all.

    1. Whichever side fails first gives the error: what reading `batches` raised, or the server's `AioRpcError`.
    2. As many rows come back as were sent, and as the server counted; else it is `Incomplete`.
    3. Behind `async with`, nothing reads the batches any more. `stop` ends a read that waits for its next batch.
    4. Before the server ends the stream because of its length, this ends it at a batch. `rest` then has the others.
    """

    def __init__(
        self,
        client: Client,
        start: StreamStart,
        schema: Schema,
        *,
        rewrap: bool = False,
        stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._client, self._start, self._schema = client, _attempt(start), schema
        self._name = "Rewrap" if rewrap else "MaskStream"
        self._request: Any = RewrapRequest if rewrap else MaskStreamRequest
        self._response: Any = RewrapResponse if rewrap else MaskStreamResponse
        self._stop = stop
        self._call: Any = None
        self._answers: AsyncIterator[Any]
        self._reading: asyncio.Future[Any] | None = None
        self._failure: Exception | None = None
        self._refusal: Refusal
        self._sent_rows = 0
        self._until = float("inf")
        self.rest: Iterator[Batch] | None = None
        self.opened = StreamOpened()
        self.end: StreamEnd | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._call is not None:
            self._call.cancel()
        if self._reading is not None and not self._reading.done():
            self._stop()
            await asyncio.wait([self._reading])

    async def open(self, batches: Iterator[Batch]) -> StreamOpened:
        """Begin, and return the decision; `batches` are read as the server takes them."""
        began = time.monotonic()
        first = await self._client.expecting(self._request(start=self._start))
        rpc: Any = self._client.channel.stream_stream(f"/pdp.v1.MaskService/{self._name}")
        self._call = rpc(prefetched(self._requests(first, batches)), metadata=self._client.metadata)
        self._refusal = Refusal(self._call, self._client.noticed)
        self._answers = aiter(self._call)
        try:
            body = await anext(self._answers, None)
        except (grpc.aio.AioRpcError, asyncio.CancelledError) as error:
            raise await self._cause(error) from None
        if body is None:
            raise self._failure or Incomplete("the stream ended before it had begun")
        self.opened = self._response.FromString(body).opened
        told = dict([*await self._call.initial_metadata()]).get("stream-seconds", "inf")
        self._until = began + float(told) * _SENDING
        return self.opened

    async def batches(self) -> AsyncIterator[Batch]:
        """The masked batches. Raises `Incomplete` where the end or rows are missing."""
        reader = table.Reader("arrow_message", table.schema(self.opened.plan.output_schema, "output_schema"))
        rows = 0
        async with aclosing(self._bodies()) as bodies:
            async for body in bodies:
                if (message := envelope.unwrap(body)) is None:
                    self.end = self._response.FromString(body).end
                elif (batch := await asyncio.to_thread(reader.take, message)) is not None:
                    rows += batch.num_rows
                    yield batch
        if self.end is None:
            raise self._failure or Incomplete("the stream ended before all was masked; nothing of it may be used")
        self._require_rows(rows)

    def _require_rows(self, came: int) -> None:
        counted = self.end.rows if self.end is not None else 0
        if not self._sent_rows == counted == came:
            raise Incomplete(
                f"{self._sent_rows:,} rows were sent, {counted:,} masked and {came:,} came back; nothing may be used"
            )

    async def _bodies(self) -> AsyncGenerator[Any, None]:
        try:
            async with aclosing(prefetched(self._answers)) as answers:
                async for body in answers:
                    yield body
        except (grpc.aio.AioRpcError, asyncio.CancelledError) as error:
            raise await self._cause(error) from None

    async def _cause(self, error: BaseException) -> BaseException:
        """The first real cause: our own failure cancels the call, and the server's refusal makes our writing fail."""
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            return error
        if self._failure is not None:
            return self._failure
        if not isinstance(error, grpc.aio.AioRpcError):
            return Incomplete("the stream was cancelled; nothing of it may be used")
        return await self._refusal.behind(error)

    async def _requests(self, first: Any, batches: Iterator[Batch]) -> AsyncGenerator[bytes, None]:
        yield first.SerializeToString()
        writer = table.Writer(self._schema, MESSAGE_BYTES)

        def made() -> tuple[int, list[bytes]] | None:
            batch = next(batches, None)
            if batch is None:
                return None
            if time.monotonic() >= self._until:
                self.rest = chain([batch], batches)
                return None
            return batch.num_rows, [envelope.wrap(message) for message in writer.messages(batch)]

        try:
            while (read := await self._in_thread(made)) is not None:
                self._sent_rows += read[0]
                for message in read[1]:
                    yield message
        except Exception as error:
            if not self._call.done():  # else the server was first
                self._failure = error
            raise

    async def _in_thread(self, action: Callable[[], T]) -> T:
        """Run `action` in a thread. `__aexit__` waits for it."""
        reading = heard(asyncio.get_running_loop().run_in_executor(None, action))
        self._reading = reading
        return await asyncio.shield(reading)


def _attempt(start: StreamStart) -> StreamStart:
    """The start as an attempt of its own, unless it is a certain one already, or a part of a job."""
    made = StreamStart()
    made.CopyFrom(start)
    if not start.HasField("job"):
        made.scope.attempt_id = start.scope.attempt_id or uuid4().hex
    return made

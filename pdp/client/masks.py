"""The client's half of MaskStream and Rewrap: batches out, masked batches in, in bounded memory."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from typing import Any

from pdp.arrow import envelope, table
from pdp.arrow.pipeline import prefetched
from pdp.arrow.table import Batch, Schema
from pdp.client.connection import Client
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

MESSAGE_BYTES = 2 * 1024 * 1024
"""Bytes of an Arrow message that the client sends: half of what the server takes."""


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
    """One stream. `open` it, look at `opened.decision`, take `batches`; `end` is there once they are all."""

    def __init__(self, client: Client, start: StreamStart, schema: Schema, *, rewrap: bool = False) -> None:
        self._client, self._start, self._schema = client, start, schema
        self._name = "Rewrap" if rewrap else "MaskStream"
        self._request: Any = RewrapRequest if rewrap else MaskStreamRequest
        self._response: Any = RewrapResponse if rewrap else MaskStreamResponse
        self._answers: AsyncIterator[Any]
        self.opened = StreamOpened()
        self.end: StreamEnd | None = None

    async def open(self, batches: Iterator[Batch]) -> StreamOpened:
        """Begin, and return the decision; `batches` are read as the server takes them."""
        rpc: Any = self._client.channel.stream_stream(f"/pdp.v1.MaskService/{self._name}")
        self._answers = aiter(rpc(prefetched(self._requests(batches)), metadata=self._client.metadata))
        body = await anext(self._answers, None)
        if body is None:
            raise Incomplete("the stream ended before it had begun")
        self.opened = self._response.FromString(body).opened
        return self.opened

    async def batches(self) -> AsyncIterator[Batch]:
        """The masked batches. Raises `Incomplete` where the end is missing."""
        reader = table.Reader("arrow_message", table.schema(self.opened.plan.output_schema, "output_schema"))
        async for body in prefetched(self._answers):
            if (message := envelope.unwrap(body)) is None:
                self.end = self._response.FromString(body).end
            elif (batch := await asyncio.to_thread(reader.take, message)) is not None:
                yield batch
        if self.end is None:
            raise Incomplete("the stream ended before all was masked; nothing of it may be used")

    async def _requests(self, batches: Iterator[Batch]) -> AsyncGenerator[bytes, None]:
        yield self._request(start=self._start).SerializeToString()
        writer = table.Writer(self._schema, MESSAGE_BYTES)

        def made() -> list[bytes] | None:
            batch = next(batches, None)
            return None if batch is None else [envelope.wrap(message) for message in writer.messages(batch)]

        while (messages := await asyncio.to_thread(made)) is not None:
            for message in messages:
                yield message

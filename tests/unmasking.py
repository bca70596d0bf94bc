"""What the tests of UnmaskStream share: a start that says what its chunks hold, and streams by hand."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pyarrow as pa

from pdp.arrow import chunks, table, token_tree
from pdp.v1 import mask_pb2
from tests.masks import arrow, scope, shape
from tests.parts import Placet


async def masked(server: Placet, data: Mapping[str, Any], made: mask_pb2.MaskScope | None = None) -> pa.RecordBatch:
    """The columns of these values, masked, as one batch with its metadata."""
    request = mask_pb2.MaskRequest(scope=made or scope(), data=arrow(data))
    answer = await server.masks.Mask(request, metadata=server.metadata("report-bot"))
    return pa.ipc.open_stream(answer.data.arrow_stream).read_all().combine_chunks().to_batches()[0]


def announced(
    made: mask_pb2.MaskScope, batches: Sequence[pa.RecordBatch], domains: Mapping[str, str]
) -> mask_pb2.UnmaskStreamStart:
    """The start for these chunks: `domains` are those of the columns to reverse."""
    entries = [token_tree.entry(batch, list(domains), is_records=False) for batch in batches]
    start = mask_pb2.UnmaskStreamStart(scope=made, shape=shape(batches[0].schema), chunks=entries)
    start.columns.extend(domains)
    start.domains.extend(domains.values())
    return start


def chunk(index: int, batch: pa.RecordBatch) -> mask_pb2.UnmaskChunk:
    return mask_pb2.UnmaskChunk(index=index, arrow_messages=chunks.messages(batch, batch.schema))


@dataclass
class Stream:
    """One stream by hand: what it answered, and what may be sent next."""

    call: Any
    opened: mask_pb2.UnmaskStreamOpened
    values: list[Any] = field(default_factory=list)

    @property
    def effect(self) -> int:
        return self.opened.decision.effect

    async def send(self, index: int, batch: pa.RecordBatch) -> list[Any]:
        """The first column of the chunk as it was."""
        return await self.send_chunk(chunk(index, batch))

    async def send_chunk(self, made: mask_pb2.UnmaskChunk) -> list[Any]:
        await self.call.write(mask_pb2.UnmaskStreamRequest(chunk=made))
        answer = await self.call.read()
        if answer is grpc.aio.EOF:
            raise await failure(self.call)
        assert answer.chunk.index == made.index
        reader = table.Reader("test", table.schema(self.opened.plan.output_schema, "test"))
        [read] = [one for each in answer.chunk.arrow_messages if (one := reader.take(each)) is not None]
        self.values += read.column(0).to_pylist()
        return list(read.column(0).to_pylist())

    async def end(self) -> mask_pb2.UnmaskStreamEnd:
        await self.call.done_writing()
        answer = await self.call.read()
        if answer is grpc.aio.EOF:
            raise await failure(self.call)
        return answer.end


async def failure(call: Any) -> grpc.aio.AioRpcError:
    """The status with which a stream ended."""
    return grpc.aio.AioRpcError(await call.code(), None, await call.trailing_metadata(), await call.details())


@asynccontextmanager
async def opened(server: Placet, start: mask_pb2.UnmaskStreamStart, by: str = "report-bot") -> AsyncIterator[Stream]:
    """A stream with its start answered; cancelled at the end of the block."""
    call = server.masks.UnmaskStream(metadata=server.metadata(by))
    try:
        await call.write(mask_pb2.UnmaskStreamRequest(start=start))
        answer = await call.read()
        if answer is grpc.aio.EOF:
            raise await failure(call)
        yield Stream(call, answer.opened)
    finally:  # a stream left open in the traceback of a failed test would hold up the end of the tests
        call.cancel()


async def unmasked(server: Placet, start: mask_pb2.UnmaskStreamStart, batches: Sequence[pa.RecordBatch]) -> list[Any]:
    """All chunks from where the stream goes on, one after the other, to the end."""
    async with opened(server, start) as stream:
        for index in range(stream.opened.next_chunk, len(batches)):
            await stream.send(index, batches[index])
        await stream.end()
        return stream.values

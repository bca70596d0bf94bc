"""The client's half of reading the log: several writers at once, over many calls, new tokens, and restarts."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing, nullcontext
from dataclasses import dataclass, field

import grpc

from pdp.client.call_error import CallError, call_error
from pdp.client.waiting import Connection, Tries
from pdp.v1.audit_pb2 import Batch, ExportRecordsRequest, WriterPlace

LANES = 3
"""Calls that read at one time, each its share of the writers: while one waits for the server, another has arrived."""
PATIENCE_SECONDS = 60.0
"""Seconds without a batch after which a server that is away ends the reading."""
MOST_WRITERS = 10_000
"""Writers of one call; the server takes twice as many."""
WRITER_BYTES = 16
"""Bytes of a writer's id."""
LARGE_BYTES = 256 * 1024
"""Bytes of a message of which one is held at a time: reading and parsing take several times as much."""
_MAY_PASS = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}


@dataclass(slots=True)
class Extent:
    """How far the log goes: the newest batch of each writer, and what stands in it without a writer's id."""

    newest: dict[bytes, int] = field(default_factory=dict)
    strays: list[Batch] = field(default_factory=list)

    def add(self, batches: Sequence[Batch]) -> None:
        """Take the newest batches of some writers."""
        for batch in batches:
            if len(batch.writer) == WRITER_BYTES:
                self.newest[batch.writer] = max(batch.seq, self.newest.get(batch.writer, -1))
            else:
                self.strays.append(batch)


class Lanes:
    """What lanes have read, one message at a time. Of large ones the next is asked for when the last one was used."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[Sequence[Batch], asyncio.Event] | CallError | None] = asyncio.Queue(1)
        self._large = asyncio.Lock()

    async def take(self, messages: AsyncGenerator[Sequence[Batch]]) -> None:
        """Hand on what one call of a lane reads, to its end."""
        was_large = False
        async with aclosing(messages):
            while True:
                async with self._large if was_large else nullcontext():
                    batches = await anext(messages, None)
                    if batches is None:
                        return
                    used, was_large = asyncio.Event(), sum(map(_size, batches)) > LARGE_BYTES
                    await self._queue.put((batches, used))
                    batches = None
                    if was_large:
                        await used.wait()

    async def end(self, error: CallError | None = None) -> None:
        """A lane has ended."""
        await self._queue.put(error)

    async def of(self, lanes: int) -> AsyncGenerator[list[Batch]]:
        """The messages of so many lanes, until all have ended. Raises what one of them raised."""
        while lanes:
            arrived = await self._queue.get()
            if isinstance(arrived, CallError):
                raise arrived
            if arrived is None:
                lanes -= 1
                continue
            batches, used = list(arrived[0]), arrived[1]
            arrived = None
            yield batches
            batches.clear()
            used.set()


async def extent(client: Connection) -> Extent:
    """How far the log goes now. Raises `CallError`."""
    found = Extent()
    async for batches in _calls(client, ExportRecordsRequest(newest_only=True), {}):
        found.add(batches)
        del batches
    return found


async def read(client: Connection, found: Extent, after: Mapping[bytes, int]) -> AsyncGenerator[list[Batch]]:
    """Each writer's batches in order, mixed with those of others; of a writer in `after` only what is behind its seq.

    A list is emptied when the next one is asked for. Who takes batches out of it holds few at one time.
    A call that ends with its time, with its token or with the server is followed by another one that goes on. Raises
    `CallError` for what does not pass, and where the log ends before the newest batch that was `found`.
    """
    shared, reached = Lanes(), dict(after)
    lanes = [asyncio.create_task(_lane(client, lane, after, shared)) for lane in _lanes(found.newest, after)]
    try:
        async with aclosing(shared.of(len(lanes))) as arriving:
            async for batches in arriving:
                reached |= {batch.writer: batch.seq for batch in batches}
                yield batches
        _require_whole(found, reached)
    finally:
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)


def _require_whole(found: Extent, reached: Mapping[bytes, int]) -> None:
    for writer, newest in found.newest.items():
        if (last := reached.get(writer, -1)) < newest:
            sentence = f"the log of writer {writer.hex()} ended behind batch {last}, and batch {newest} had been there"
            raise CallError("DATA_LOSS", "", f"{sentence}; read it again, and if it ends there again batches are gone")


async def first_behind(client: Connection, writer: bytes, seq: int) -> Batch | None:
    """The first batch of a writer behind a place."""
    request = ExportRecordsRequest(writers=[writer], after=[WriterPlace(writer=writer, seq=seq)])
    async for batches in _calls(client, request, {writer: seq}):
        return batches[0]
    return None


def _lanes(newest: Mapping[bytes, int], after: Mapping[bytes, int]) -> list[list[bytes]]:
    """The writers, shared out so that each lane has about as many batches to read."""
    left = {writer: seq - after.get(writer, -1) for writer, seq in newest.items()}
    lanes: list[list[bytes]] = [[] for _ in range(LANES)]
    sizes = [0] * LANES
    for writer in sorted(left, key=lambda one: (-left[one], one)):
        smallest = sizes.index(min(sizes))
        lanes[smallest].append(writer)
        sizes[smallest] += left[writer] + 1
    return [lane for lane in lanes if lane]


async def _lane(client: Connection, writers: Sequence[bytes], after: Mapping[bytes, int], shared: Lanes) -> None:
    try:
        for some in _in_calls(writers):
            reached = {writer: after[writer] for writer in some if writer in after}
            await shared.take(_calls(client, ExportRecordsRequest(writers=some), reached))
        await shared.end()
    except CallError as error:
        await shared.end(error)


def _size(batch: Batch) -> int:
    """About its bytes; `ByteSize` would write the whole message."""
    return sum(map(len, batch.records)) + sum(len(held.payload) for held in batch.payloads)


def _in_calls(writers: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for at in range(0, len(writers), MOST_WRITERS):
        yield writers[at : at + MOST_WRITERS]


async def _calls(
    client: Connection, asked: ExportRecordsRequest, reached: Mapping[bytes, int]
) -> AsyncGenerator[Sequence[Batch]]:
    """The batches of one request, in as many calls as it takes."""
    places, wanted = dict(reached), set(asked.writers)
    clock = asyncio.get_running_loop().time
    with closing(Tries(client, None)) as tries:
        heard = clock()
        while True:
            tries.begin()
            request = ExportRecordsRequest(writers=asked.writers, newest_only=asked.newest_only)
            request.after.extend(WriterPlace(writer=writer, seq=seq) for writer, seq in places.items())
            try:
                async for message in client.audit.ExportRecords(request, metadata=tries.metadata):
                    tries.succeeded()
                    heard = clock()
                    places |= {batch.writer: batch.seq for batch in message.batches if batch.writer in wanted}
                    yield message.batches
                    del message
            except grpc.aio.AioRpcError as failure:
                client.noticed(failure)
                error = call_error(failure)
            else:
                return
            if await tries.goes_on(error) or error.reason == "STREAM_TIMEOUT":
                continue
            if error.code not in _MAY_PASS or clock() - heard > PATIENCE_SECONDS:
                raise error
            await tries.pause(error, PATIENCE_SECONDS)

"""`LineageService.Ingest`: a stream of OpenLineage events, each taken or refused for itself, answered in order."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from pdp.bad_fields import cut
from pdp.caller import Caller
from pdp.errors import Overloaded, PdpError
from pdp.v1.lineage_pb2 import IngestProblem, IngestRequest, IngestResponse, LineageRevision
from pdp.workflow.lineage import AT_ONCE_BYTES, PIECE, Ingesting, Taken


class LineageIngest:
    """Takes events of streams."""

    def __init__(self, ingesting: Ingesting) -> None:
        self._ingesting = ingesting

    async def Ingest(
        self, requests: AsyncIterator[IngestRequest], caller: Caller
    ) -> AsyncGenerator[IngestResponse, None]:
        """Take what comes: events that wait for the log wait for one document together."""
        under_way: asyncio.Queue[asyncio.Task[Taken] | None] = asyncio.Queue()
        reading = asyncio.create_task(self._read(requests, caller, under_way))
        index = 0
        try:
            while (task := await under_way.get()) is not None:
                yield await _answered(task, index)
                index += 1
            await reading
        finally:
            reading.cancel()
            while not under_way.empty():
                if (left := under_way.get_nowait()) is not None:
                    left.cancel()

    async def _read(
        self,
        requests: AsyncIterator[IngestRequest],
        caller: Caller,
        under_way: "asyncio.Queue[asyncio.Task[Taken] | None]",
    ) -> None:
        """Begin with each event as it comes, at most `PIECE` small ones and one large one at a time."""
        room = asyncio.Semaphore(PIECE)
        try:
            async for request in requests:
                await room.acquire()
                task = asyncio.create_task(self._take(request.event, caller))
                task.add_done_callback(lambda _: room.release())
                under_way.put_nowait(task)
                if len(request.event) > AT_ONCE_BYTES:
                    await asyncio.wait({task})
        finally:
            under_way.put_nowait(None)

    async def _take(self, event: bytes, caller: Caller) -> Taken:
        """Take an event when its writer may send one: a stream waits, where a call would be refused."""
        while True:
            try:
                return await self._ingesting.take(event, caller)
            except Overloaded as error:
                await asyncio.sleep(error.retry_seconds or 1.0)


async def _answered(task: asyncio.Task[Taken], index: int) -> IngestResponse:
    try:
        taken = await task
    except PdpError as error:
        return IngestResponse(index=index, reason=error.reason, message=cut(error.sentence))
    return IngestResponse(
        index=index,
        revision=LineageRevision(n=taken.place.n, head=taken.place.head.hex()),
        known=taken.is_known,
        problems=[IngestProblem(path=cut(path), message=cut(told)) for path, told in taken.problems],
    )

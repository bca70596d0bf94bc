"""UnmaskStream: the start is decided, then chunk after chunk is opened, each once the one before has arrived.

start -> plan -> decide -> quota of all values -> use, or go on -> chunk: entry, open, count, record, answer -> end
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing

from pdp import identifier
from pdp.arrow import token_tree
from pdp.audit.chunk_order import CHUNK
from pdp.audit.record import Entry
from pdp.caller import Caller
from pdp.canonical import refuse_unknown
from pdp.errors import AnswerTooLarge, Conflict, InvalidRequest, PdpError
from pdp.masking.job import Progress
from pdp.masking.opening import Opening
from pdp.masking.threads import Threads
from pdp.room import Room
from pdp.service import mask_message, mask_scope, message
from pdp.service.info import MESSAGE_BYTES
from pdp.store.unmaskings import Unmasking, Unmaskings
from pdp.v1.decision_pb2 import AuthorizeResponse
from pdp.v1.mask_pb2 import (
    UnmaskStreamEnd,
    UnmaskStreamOpened,
    UnmaskStreamRequest,
    UnmaskStreamResponse,
    UnmaskStreamStart,
)
from pdp.workflow.answer import Decided
from pdp.workflow.mask_jobs import MaskJobs
from pdp.workflow.mask_work import Work
from pdp.workflow.unmasking import Chunked

_TRIES = 8
"""Tries to become the stream that goes on, where others of the same work come at once."""
STARTS_BYTES = 32 << 20
"""Bytes of the starts of one caller's open streams, in one process: eight of the largest. In memory a start takes four
times as much."""
Record = Callable[[Entry], Awaitable[None]]
"""Makes a record durable, also for a caller that has hung up."""


class UnmaskStreams:
    """Serves streams of chunks."""

    def __init__(self, jobs: MaskJobs, unmaskings: Unmaskings, record: Record, threads: Threads) -> None:
        self._jobs, self._unmaskings, self._record, self._threads = jobs, unmaskings, record, threads
        self._room = Room(
            STARTS_BYTES,
            f"the starts of your open unmaskings may hold {STARTS_BYTES >> 20} MiB at one time; try again "
            "when one has ended",
        )

    async def answers(
        self, requests: AsyncIterator[UnmaskStreamRequest], caller: Caller
    ) -> AsyncGenerator[UnmaskStreamResponse, None]:
        """Opened, each chunk as it was, the end. Raises `Overloaded` where the caller's open streams hold too much."""
        first = await anext(requests, None)
        size = 0 if first is None else first.ByteSize()
        try:
            with self._room.taken(caller.identity, size):
                start = await self._threads.run(caller.identity, lambda: _start(first), size)  # up to 30 ms
                async with aclosing(self._answers(start, requests, caller)) as answers:
                    async for answer in answers:
                        yield answer
        finally:
            first = None  # the error of a refused start refers to this frame, which would keep it for long

    async def _answers(
        self, start: UnmaskStreamStart, requests: AsyncIterator[UnmaskStreamRequest], caller: Caller
    ) -> AsyncGenerator[UnmaskStreamResponse, None]:
        """What breaks the stream is recorded with the chunks that have left."""
        with mask_scope.named_as_sent("start"):
            authorization = mask_scope.authorization("unmask", start.scope)
            self._jobs.require_whole(authorization, caller)
            shape = mask_message.shape(start.shape)
        run = self._threads.of(caller.identity)
        chunked = await run(lambda: Chunked(start, self._unmaskings), start.ByteSize())

        async def begin(progress: Progress, decided: Decided) -> None:
            mask_scope.require_fits(_opened(message.decision(decided), progress), "unmask fewer columns at once")
            await chunked.begin(progress)

        version = start.scope.masked_key_version
        work = Work("unmask", shape, version, start.columns, chunked.bound, begin=begin, continued=chunked)
        with mask_scope.named_as_sent("start"):
            decided, progress = await self._jobs.decide(work, authorization, caller)
        opened = _opened(message.decision(decided), progress)
        if progress is None:
            yield UnmaskStreamResponse(opened=opened)
            return
        opening = await run(lambda: Opening(start, progress, run), start.ByteSize())
        stream = await self._begun(_Stream(start, progress, opening, self._unmaskings), chunked.claim)
        opened.next_chunk = stream.work.first
        try:
            yield UnmaskStreamResponse(opened=opened)
            async for request in requests:
                answer = await stream.answer(request)
                await self._record(stream.entry(CHUNK))
                yield answer
            record_id = await self._ended(stream)
        except BaseException as error:  # a cancelled or abandoned stream, too, has sent what it has sent
            if not stream.work.is_done:
                await self._record(stream.entry("broken", error.reason if isinstance(error, PdpError) else "ABANDONED"))
            raise
        yield UnmaskStreamResponse(
            end=UnmaskStreamEnd(rows=opening.rows, values=chunked.values, chunks=len(start.chunks), record_id=record_id)
        )

    async def _begun(self, stream: "_Stream", claim: str) -> "_Stream":
        """Let this stream, and no other, go on with the work of the claim. Raises `Conflict`.

        Its record comes first, so that no stream that opened something is unknown to the log.
        """
        for _ in range(_TRIES):
            found = await self._unmaskings.of_claim(claim)
            stream.begins(found.followed(identifier.new("str")))
            if found.is_done:
                return stream
            await self._record(stream.entry("started"))
            if await self._unmaskings.take(found, stream.work):
                return stream
        raise Conflict("other streams under this request_id begin as fast as this one; try again")

    async def _ended(self, stream: "_Stream") -> str:
        """The id of the record that says that all chunks have arrived."""
        work = stream.work
        stream.require_whole()
        if work.is_done:
            return work.record_id
        entry = stream.entry("complete")
        await self._record(entry)
        await self._unmaskings.done(work, len(stream.start.chunks), entry.id)
        return entry.id


class _Stream:
    """One stream of the work: what has left in it."""

    work: Unmasking

    def __init__(self, start: UnmaskStreamStart, progress: Progress, opening: Opening, unmaskings: Unmaskings) -> None:
        self.start = start
        self._progress, self._opening, self._unmaskings = progress, opening, unmaskings
        self._next = self._values = 0

    def begins(self, work: Unmasking) -> None:
        """It is the stream of this work."""
        self.work, self._next = work, work.first

    async def answer(self, request: UnmaskStreamRequest) -> UnmaskStreamResponse:
        """The next chunk, opened, and counted as sent. It leaves once its record is durable."""
        if request.WhichOneof("message") != "chunk":
            raise InvalidRequest.field("chunk", "is required in every message after the first")
        self._opening.require_next(request.chunk, self._next)
        answer = UnmaskStreamResponse(chunk=await self._opening.opened(request.chunk))
        if answer.ByteSize() > MESSAGE_BYTES:
            raise AnswerTooLarge("a chunk is larger than a message once it is unmasked; make smaller chunks")
        await self._unmaskings.advance(self.work, self._next)
        entry = self.start.chunks[self._next]
        self._progress.leaves(entry.rows)
        self._next, self._values = self._next + 1, self._values + entry.values
        return answer

    def require_whole(self) -> None:
        """Raise `InvalidRequest` where chunks are missing."""
        if self._next != len(self.start.chunks):
            announced = len(self.start.chunks)
            raise InvalidRequest.field("chunk", f"{self._next} of {announced} chunks came; go on in another stream")

    def entry(self, phase: str, failure: str = "") -> Entry:
        """A record: which chunks have left in this stream until now, and how much they hold."""
        work = self.work
        chunks = {"chunks": len(self.start.chunks), "from_chunk": work.first, "to_chunk": self._next}
        self._progress.place = {"stream": work.stream, "after": work.after, **chunks, "values": self._values}
        return self._progress.entry(phase, failure)


def _start(request: UnmaskStreamRequest | None) -> UnmaskStreamStart:
    if request is None or request.WhichOneof("message") != "start":
        raise InvalidRequest.field("start", "is required as the first message")
    refuse_unknown(request.start, "start")
    token_tree.refuse_unbounded(request.start)
    return request.start


def _opened(decision: AuthorizeResponse, progress: Progress | None) -> UnmaskStreamOpened:
    plan = mask_message.plan(progress.job.plan) if progress is not None else None
    return UnmaskStreamOpened(decision=decision, plan=plan)

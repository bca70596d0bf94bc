"""MaskService: authenticate -> plan -> decide -> quota -> mask -> use the decision -> record -> answer.

Whether somebody may mask, unmask or rewrap is decided, approved and recorded as any other action. The masking runs in
threads of its own, where kernels hold no lock, so that decisions go on meanwhile.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping
from contextlib import aclosing, suppress
from contextvars import Context
from typing import Any

import masker
from pdp import sent
from pdp.audit.record import Entry
from pdp.bad_fields import BadFields
from pdp.caller import Caller
from pdp.errors import InvalidRequest, PdpError
from pdp.masking.count import stream_context, unmask_context
from pdp.masking.job import Progress
from pdp.masking.plan import masks, reversed_columns
from pdp.masking.threads import Threads
from pdp.recording.writer import Writer
from pdp.service import mask_message, mask_part, mask_scope, message
from pdp.service.mask_message import Inline
from pdp.service.unmask_stream import UnmaskStreams
from pdp.store.unmaskings import Unmaskings
from pdp.v1.mask_pb2 import (
    GetMaskPlanRequest,
    GetMaskPlanResponse,
    MaskRequest,
    MaskResponse,
    MaskScope,
    MaskStreamRequest,
    MaskStreamResponse,
    RewrapRequest,
    RewrapResponse,
    StreamEnd,
    StreamOpened,
    UnmaskRequest,
    UnmaskResponse,
    UnmaskStreamRequest,
    UnmaskStreamResponse,
    UnmaskStreamStart,
)
from pdp.workflow.answer import Decided
from pdp.workflow.job_parts import JobParts
from pdp.workflow.mask_jobs import MaskJobs
from pdp.workflow.mask_work import Work
from pdp.workflow.outflow import NO_OUTFLOW, Outflow

log = logging.getLogger(__name__)

StreamRequest = MaskStreamRequest | RewrapRequest | memoryview
"""An Arrow message is a view of what came."""
StreamResponse = MaskStreamResponse | RewrapResponse | bytes
"""An Arrow message is in its envelope already."""


BYTES_OF_COLUMN = 64
"""Bytes of a shape that are taken for a column before it is read."""


class MaskService:
    """Masks, and undoes it for those who may."""

    def __init__(
        self,
        *,
        jobs: MaskJobs,
        unmaskings: Unmaskings,
        writer: Writer,
        threads: Threads,
        parts: JobParts,
        outflow: Outflow = NO_OUTFLOW,
    ) -> None:
        """`parts` are the streams of mask jobs. `outflow` hears of what leaves masked."""
        self._jobs, self._writer, self._threads, self._outflow = jobs, writer, threads, outflow
        self._unmasking, self._parts = UnmaskStreams(jobs, unmaskings, self._record, threads), parts
        self._recording: set[asyncio.Task[None]] = set()

    async def Mask(self, request: MaskRequest, caller: Caller) -> MaskResponse:
        """A few rows."""
        self._require_whole("mask", request.scope, caller)
        size = request.data.ByteSize()
        content = await self._content("mask", request, caller)
        made = _Made(content, size, self._threads, caller)
        scope = request.scope
        work = Work("mask", content.shape, scope.masked_key_version, content=content.rows, begin=made.begin, size=size)
        return MaskResponse(**await self._answer(made, work, scope, caller))

    async def Unmask(self, request: UnmaskRequest, caller: Caller) -> UnmaskResponse:
        """A few rows as they were; an approval fits these very tokens."""
        self._require_whole("unmask", request.scope, caller)
        size = request.data.ByteSize()
        content = await self._content("unmask", request, caller)
        made = _Made(content, size, self._threads, caller)
        work = Work(
            "unmask",
            content.shape,
            request.scope.masked_key_version,
            request.columns,
            lambda plan, keys: unmask_context(plan, keys, content.rows()),
            begin=made.begin,
            size=size,
        )
        return UnmaskResponse(**await self._answer(made, work, request.scope, caller))

    async def GetMaskPlan(self, request: GetMaskPlanRequest, caller: Caller) -> GetMaskPlanResponse:
        """What would be done; to unmask, as for a stream without chunks."""
        action = "unmask" if request.unmask else "mask"
        self._require_whole(action, request.scope, caller)
        if request.columns and not request.unmask:
            raise InvalidRequest.field("columns", "goes with unmask; a masking always covers every column")
        authorization = mask_scope.authorization(action, request.scope)
        about = request.shape.ByteSize() // BYTES_OF_COLUMN
        shape = await self._threads.plan(caller.identity, lambda: mask_message.shape(request.shape), about)
        bound = _without_chunks(request) if request.unmask else None
        work = Work(action, shape, request.scope.masked_key_version, request.columns, bound)
        authorization.request_id = authorization.approval_id = authorization.attempt_id = ""
        with mask_scope.named_as_sent():
            decided, plan = await self._jobs.plan(work, authorization, caller)
        decision = message.decision(decided)
        if plan is None:
            return GetMaskPlanResponse(decision=decision)
        return await self._threads.plan(
            caller.identity,
            lambda: GetMaskPlanResponse(decision=decision, plan=mask_message.plan(plan), plan_json=plan.to_json()),
            shape.width,
        )

    def MaskStream(
        self, requests: AsyncIterator[StreamRequest], caller: Caller
    ) -> AsyncGenerator[StreamResponse, None]:
        """Any number of rows."""
        return self._stream("mask", requests, caller, MaskStreamResponse)

    def Rewrap(self, requests: AsyncIterator[StreamRequest], caller: Caller) -> AsyncGenerator[StreamResponse, None]:
        """Any number of masked rows to the active key version."""
        return self._stream("rewrap", requests, caller, RewrapResponse)

    def UnmaskStream(
        self, requests: AsyncIterator[UnmaskStreamRequest], caller: Caller
    ) -> AsyncGenerator[UnmaskStreamResponse, None]:
        """Any number of rows as they were; an approval fits these very tokens."""
        return self._unmasking.answers(requests, caller)

    def _require_whole(self, action: str, scope: MaskScope, caller: Caller) -> None:
        """Raise `RequestDiffers` or `DigestRequired` unless the scope is as its caller meant it, before all else."""
        with suppress(InvalidRequest), mask_scope.named_as_sent():  # what is invalid is told with the other bad fields
            self._jobs.require_whole(sent.authorization(action, scope), caller)

    async def _content(self, action: str, request: MaskRequest | UnmaskRequest, caller: Caller) -> Inline:
        """The content, its shape read. Where that fails, the scope's bad fields are told with those of the data."""
        with mask_scope.named_as_sent(), BadFields() as bad:
            read = self._threads.read(
                caller.identity, lambda: mask_message.inline(request.data), request.data.ByteSize()
            )
            content = await bad.awaited(read)
            if bad.found:
                bad.tried(lambda: self._jobs.check(mask_scope.authorization(action, request.scope), caller))
        return content

    async def _answer(self, made: "_Made", work: Work, scope: MaskScope, caller: Caller) -> dict[str, Any]:
        """The members of the response to inline data; without an allow the decision is the only one."""
        with mask_scope.named_as_sent():
            decided, progress = await self._jobs.decide(work, mask_scope.authorization(work.action, scope), caller)
        decision = message.decision(decided)
        if progress is None:
            return {"decision": decision}
        await self._leaves(decided, progress)
        entry = progress.entry("complete")
        await self._record(entry)
        return {"decision": decision, "record_id": entry.id, **made.members}

    async def _stream(
        self,
        action: str,
        requests: AsyncIterator[StreamRequest],
        caller: Caller,
        answer: type[MaskStreamResponse | RewrapResponse],
    ) -> AsyncGenerator[StreamResponse, None]:
        """Opened, the masked batches, the end. A broken one is recorded with what it had sent."""
        first = await anext(requests, None)
        if first is None or isinstance(first, memoryview) or first.WhichOneof("message") != "start":
            raise InvalidRequest.field("start", "is required as the first message")
        if mask_part.require_job(first.start, action, caller):
            of_part = mask_part.answers(self._parts, first.start, _arrow_messages(requests), caller, self._finished)
            async with aclosing(of_part) as answers:
                async for response in answers:
                    yield response
            return
        scope = first.start.scope
        with mask_scope.named_as_sent("start"):
            self._require_whole(action, scope, caller)
            shape = mask_message.shape(first.start.shape)

        async def begin(progress: Progress, decided: Decided) -> None:
            plan = mask_message.plan(progress.job.plan)
            mask_scope.require_fits(StreamOpened(decision=message.decision(decided), plan=plan), "mask fewer columns")
            await progress.has_room()

        work = Work(action, shape, scope.masked_key_version, begin=begin)
        with mask_scope.named_as_sent("start"):
            decided, progress = await self._jobs.decide(work, mask_scope.authorization(action, scope), caller)
        decision = message.decision(decided)
        if progress is None:
            yield answer(opened=StreamOpened(decision=decision))
            return
        await self._record(progress.entry("started"))
        try:
            yield answer(opened=StreamOpened(decision=decision, plan=mask_message.plan(progress.job.plan)))
            async for rows, pieces in progress.masked(progress.admitted(_arrow_messages(requests))):
                progress.leaves(rows)
                for piece in pieces:
                    yield piece
            progress.require_whole()
            await self._leaves(decided, progress)
        except BaseException as error:  # a cancelled or abandoned stream, too, has sent what it has sent
            await self._record(progress.entry("broken", error.reason if isinstance(error, PdpError) else "ABANDONED"))
            if progress.rows:
                await self._had_left(decided, progress)
            raise
        entry = progress.entry("complete")
        await self._record(entry)
        yield answer(end=StreamEnd(rows=progress.rows, record_id=entry.id))

    async def _record(self, entry: Entry) -> None:
        """No record, no answer."""
        await self._finished(self._writer.append([entry]))

    async def _leaves(self, decided: Decided, progress: Progress, *, is_whole: bool = True) -> None:
        """No lineage of what left masked, no end; of a stream that broke it has time of its own."""
        job = progress.job
        if job.action != "unmask":
            masked = self._outflow.masked(decided, lambda: masks(job.plan, job.shape.columns), is_whole=is_whole)
            await self._finished(masked, None if is_whole else Context())

    async def _had_left(self, decided: Decided, progress: Progress) -> None:
        """The lineage of a stream that broke; its caller has no end anyway."""
        try:
            await self._leaves(decided, progress, is_whole=False)
        except PdpError:
            log.exception("what had left of %s before it broke is not in the lineage", decided.answer.decision_id)

    async def _finished(self, work: Coroutine[Any, Any, None], context: Context | None = None) -> None:
        """Wait for what is written; once begun it is finished even if the caller hangs up."""
        task = asyncio.get_running_loop().create_task(work, context=context)
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)
        await asyncio.shield(task)


class _Made:
    """What is made of inline data before its decision is used: all members of the answer but decision and record."""

    def __init__(self, content: Inline, size: int, threads: Threads, caller: Caller) -> None:
        self.members: dict[str, Any] = {}
        self._content, self._size, self._threads, self._caller = content, size, threads, caller.identity

    async def begin(self, progress: Progress, decided: Decided) -> None:
        """Mask all rows. Raises `QuotaExceeded`, and `AnswerTooLarge` where the answer does not fit one message."""
        rows = await self._threads.read(self._caller, self._content.rows, self._size)
        plan, made = progress.job.plan, await progress.batch(rows.batch)
        data = await self._threads.read(
            self._caller, lambda: mask_message.data(rows.shape, made, plan.output_schema), made.nbytes
        )
        progress.leaves(made.num_rows)
        self.members = {"plan": mask_message.plan(plan), "data": data, "rows": progress.rows}
        answer = MaskResponse(decision=message.decision(decided), **self.members)
        mask_scope.require_fits(answer, f"use {'UnmaskStream' if plan.direction == 'unmask' else 'MaskStream'}")


def _without_chunks(request: GetMaskPlanRequest) -> Callable[[masker.MaskPlan, object], Mapping[str, Any]]:
    """What a decision about unmasking is bound to where nothing is unmasked yet."""

    def bound(plan: masker.MaskPlan, _: object) -> Mapping[str, Any]:
        columns = reversed_columns(plan)
        start = UnmaskStreamStart(scope=request.scope, shape=request.shape, columns=columns, domains=columns.values())
        return stream_context(plan, start)

    return bound


async def _arrow_messages(requests: AsyncIterator[StreamRequest]) -> AsyncGenerator[memoryview, None]:
    async for request in requests:
        if isinstance(request, memoryview):
            yield request
        elif request.WhichOneof("message") == "arrow_message":
            yield memoryview(request.arrow_message)
        else:
            raise InvalidRequest.field("arrow_message", "is required in every message after the first")

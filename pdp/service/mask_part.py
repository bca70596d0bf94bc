"""A part of a mask job as a stream: its place and schema, the masked batches, the end once it is kept."""

import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

from pdp.caller import Caller
from pdp.canonical import refuse_unknown
from pdp.errors import InvalidRequest, PdpError
from pdp.mask_job import Place
from pdp.service import mask_message
from pdp.v1.decision_pb2 import AuthorizeResponse
from pdp.v1.mask_pb2 import MaskStreamResponse, StreamEnd, StreamOpened, StreamStart
from pdp.v1.request_pb2 import Effect
from pdp.workflow.job_parts import JobParts

log = logging.getLogger(__name__)

Finished = Callable[[Coroutine[Any, Any, None]], Awaitable[None]]
"""Waits for what is written, which is finished even if the caller hangs up."""


def require_job(start: StreamStart, rpc: str, caller: Caller) -> bool:
    """Whether a stream is a part of a job. Raises `InvalidRequest` where ticket and start do not go together."""
    if caller.ticket is None:
        if start.HasField("job"):
            raise InvalidRequest.field("start.job", "goes with the ticket of a mask job as authorization: Bearer")
        return False
    if rpc != "mask" or not start.HasField("job"):
        raise InvalidRequest.field("start.job", "is required with the ticket of a mask job, which is for nothing else")
    if start.HasField("scope"):
        raise InvalidRequest.field("start.scope", "is what the job began with; leave it out")
    return True


async def answers(
    parts: JobParts, start: StreamStart, messages: AsyncIterator[memoryview], caller: Caller, finished: Finished
) -> AsyncGenerator[MaskStreamResponse | bytes, None]:
    """Opened, the masked batches, the end. What it sent is kept in any case."""
    if caller.ticket is None:
        raise LookupError("a part has a ticket")
    refuse_unknown(start, "start")
    place = Place(start.job.part, start.job.attempt, start.job.piece).require("start.job")
    if start.shape.WhichOneof("shape") != "arrow_schema":
        raise InvalidRequest.field("start.shape", "is required: arrow_schema, as that of the job")
    part = await parts.begin(caller.ticket, place, mask_message.shape(start.shape))
    progress = part.progress
    decision = AuthorizeResponse(effect=Effect.EFFECT_ALLOW, decision_id=progress.job.decision_id)
    try:
        yield MaskStreamResponse(opened=StreamOpened(decision=decision, plan=mask_message.plan(progress.job.plan)))
        async for rows, pieces in progress.masked(progress.admitted(messages)):
            await part.require_running(time.monotonic())
            progress.leaves(rows)
            for piece in pieces:
                yield piece
        progress.require_whole()
        await finished(part.ended())
    except BaseException as error:  # a cancelled or abandoned stream, too, has sent what it has sent
        try:
            await finished(part.broken(error))
        except PdpError:
            log.exception("what part %d of %s had sent is not stored", place.part, caller.ticket.job)
        raise
    yield MaskStreamResponse(end=StreamEnd(rows=progress.rows))

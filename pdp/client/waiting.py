"""The client's half of waiting and watching: over many calls, and over restarts of the server."""

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import grpc

from pdp.client.backoff import Backoff
from pdp.client.call_error import CallError, call_error
from pdp.v1.approval_pb2 import Approval, ApprovalState, WaitApprovalRequest
from pdp.v1.review_pb2 import WatchQueueRequest, WatchQueueResponse

if TYPE_CHECKING:  # names of the type stubs alone
    from pdp.v1.approval_pb2_grpc import ApprovalServiceAsyncStub
    from pdp.v1.review_pb2_grpc import ReviewServiceAsyncStub

Metadata = tuple[tuple[str, str], ...]
"""What goes with each call: the caller's token."""
CALL_SECONDS = 65.0
"""What one wait may take: the 60 s of the server, and the way."""
SHORTEST_SECONDS = 0.1
"""Less is not worth another wait."""
_GO_ON = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}
"""A watch that ended like this goes on behind its last token."""


async def waited(
    approvals: "ApprovalServiceAsyncStub", metadata: Metadata, approval_id: str, seconds: float
) -> Approval | None:
    """The approval as soon as it is PENDING no longer; None when `seconds` are over. Raises `CallError`.

    Only what may pass, such as `UNAVAILABLE`, is waited out.
    """
    clock = asyncio.get_running_loop().time
    end, backoff = clock() + seconds, Backoff()
    while (left := end - clock()) > SHORTEST_SECONDS:
        request = WaitApprovalRequest(approval_id=approval_id)
        try:
            answer = await approvals.WaitApproval(request, metadata=metadata, timeout=min(left, CALL_SECONDS))
        except grpc.aio.AioRpcError as failure:
            error = call_error(failure)
            if error.code not in {"UNAVAILABLE", "DEADLINE_EXCEEDED"}:
                raise error from None
            await backoff.pause(at_most=max(end - clock(), 0))
        else:
            if answer.approval.state != ApprovalState.APPROVAL_STATE_PENDING:
                return answer.approval
            backoff.reset()
    return None


async def watched(reviews: "ReviewServiceAsyncStub", metadata: Metadata) -> AsyncGenerator[WatchQueueResponse, None]:
    """The caller's queue and its changes, without an end: a broken stream goes on where it was.

    Where too much was missed it begins again: every approval in the queue, then a message without one. Raises
    `CallError` for what does not pass, and for a server that was never there.
    """
    token, backoff, connected = "", Backoff(), False
    while True:
        stream = reviews.WatchQueue(WatchQueueRequest(resume_token=token), metadata=metadata)
        try:
            async for message in stream:
                token, connected = message.resume_token or token, True
                backoff.reset()
                yield message
        except grpc.aio.AioRpcError as error:
            token = _token_after(call_error(error), token, connected=connected)
        await backoff.pause()


def _token_after(error: CallError, token: str, *, connected: bool) -> str:
    """Where to go on after this error; raises it where there is nothing to go on with."""
    if error.code == "OUT_OF_RANGE" and token:
        return ""
    if error.code not in _GO_ON or not connected:
        raise error
    return token

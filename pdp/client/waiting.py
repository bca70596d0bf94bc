"""The client's half of waiting and watching: over many calls, and over restarts of the server."""

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import grpc

from pdp.client.call_error import CallError, call_error
from pdp.v1.approval_pb2 import Approval, ApprovalState, GetApprovalRequest, WaitApprovalRequest
from pdp.v1.review_pb2 import WatchQueueRequest, WatchQueueResponse

if TYPE_CHECKING:
    from pdp.client.connection import Client

CALL_SECONDS = 65.0
"""What one wait may take: the 60 s of the server, and the way."""
SHORTEST_SECONDS = 0.1
"""Less is not worth another wait."""
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 2.0
_GO_ON = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}
"""A watch that ended like this goes on behind its last token."""


async def waited(client: "Client", approval_id: str, seconds: float) -> Approval:
    """The approval as soon as it is PENDING no longer, or as it is after `seconds`. Raises `CallError`.

    Only what may pass, `UNAVAILABLE`, is waited out; the last answer is always read when the time is up.
    """
    clock = asyncio.get_running_loop().time
    end, pause = clock() + seconds, _PAUSE_SECONDS
    while (left := end - clock()) > SHORTEST_SECONDS:
        try:
            approval = await _wait(client, approval_id, min(left, CALL_SECONDS))
        except CallError as error:
            if error.code not in {"UNAVAILABLE", "DEADLINE_EXCEEDED"}:
                raise
            await asyncio.sleep(min(_jittered(pause), max(end - clock(), 0)))
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        else:
            if approval.state != ApprovalState.APPROVAL_STATE_PENDING:
                return approval
            pause = _PAUSE_SECONDS
    return (await client.call(client.approvals.GetApproval, GetApprovalRequest(approval_id=approval_id))).approval


async def watched(client: "Client") -> AsyncGenerator[WatchQueueResponse, None]:
    """The caller's queue and its changes, without an end: a broken stream goes on where it was.

    Where too much was missed it begins again: every approval in the queue, then a message without one. Raises
    `CallError` for what does not pass, and for a server that was never there.
    """
    token, pause, connected = "", _PAUSE_SECONDS, False
    while True:
        stream = client.reviews.WatchQueue(WatchQueueRequest(resume_token=token), metadata=client.metadata)
        try:
            async for message in stream:
                token, pause, connected = message.resume_token or token, _PAUSE_SECONDS, True
                yield message
        except grpc.aio.AioRpcError as error:
            token = _token_after(call_error(error), token, connected=connected)
        await asyncio.sleep(_jittered(pause))
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _token_after(error: CallError, token: str, *, connected: bool) -> str:
    """Where to go on after this error; raises it where there is nothing to go on with."""
    if error.code == "OUT_OF_RANGE" and token:
        return ""
    if error.code not in _GO_ON or not connected:
        raise error
    return token


async def _wait(client: "Client", approval_id: str, seconds: float) -> Approval:
    request = WaitApprovalRequest(approval_id=approval_id)
    try:
        return (await client.approvals.WaitApproval(request, metadata=client.metadata, timeout=seconds)).approval
    except grpc.aio.AioRpcError as error:
        raise call_error(error) from None


def _jittered(seconds: float) -> float:
    return random.uniform(seconds / 2, seconds)  # noqa: S311  # jitter

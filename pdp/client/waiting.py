"""The client's half of waiting and watching: over many calls, new tokens, and restarts of the server."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Protocol

import grpc

from pdp.client.backoff import Backoff
from pdp.client.call_error import CallError, call_error
from pdp.client.token import Metadata
from pdp.v1.approval_pb2 import Approval, ApprovalState, WaitApprovalRequest
from pdp.v1.review_pb2 import WatchQueueRequest, WatchQueueResponse

if TYPE_CHECKING:  # names of the type stubs alone
    from pdp.v1.approval_pb2_grpc import ApprovalServiceAsyncStub
    from pdp.v1.audit_pb2_grpc import AuditServiceAsyncStub
    from pdp.v1.review_pb2_grpc import ReviewServiceAsyncStub

Told = Callable[[CallError | None], None]
"""Hears why the connection broke, and None when it is there again."""
CALL_SECONDS = 65.0
"""What one wait may take: the 60 s of the server, and the way."""
SHORTEST_SECONDS = 0.1
"""Less is not worth another wait."""
REFUSED_SECONDS = 5.0
"""A call that lasted longer had a token that counted; one that ended sooner was refused for its token."""
STEADY_SECONDS = 1.0
"""A call that has lasted so long over a channel that is there counts as connected."""
_STILL_THERE = {"RESOURCE_EXHAUSTED", "OUT_OF_RANGE"}
"""The server ended the stream itself, and the next one begins at once."""
_MAY_PASS = {"UNAVAILABLE", "DEADLINE_EXCEEDED"}
_GO_ON = {*_MAY_PASS, "RESOURCE_EXHAUSTED"}
"""A watch that ended like this goes on behind its last token."""


class Connection(Protocol):
    """What of a `Client` is needed here."""

    @property
    def approvals(self) -> "ApprovalServiceAsyncStub": ...  # noqa: D102  # as in `Client`
    @property
    def reviews(self) -> "ReviewServiceAsyncStub": ...  # noqa: D102
    @property
    def audit(self) -> "AuditServiceAsyncStub": ...  # noqa: D102
    @property
    def channel(self) -> grpc.aio.Channel: ...  # noqa: D102
    @property
    def metadata(self) -> Metadata: ...  # noqa: D102
    async def is_renewed(self, used: Metadata) -> bool: ...  # noqa: D102
    def noticed(self, error: grpc.aio.AioRpcError) -> None: ...  # noqa: D102


class Tries:
    """The attempts of one wait, watch or reading: whether another may follow, and what is told of it."""

    def __init__(self, client: Connection, told: Told | None) -> None:
        self._client, self._told = client, told or (lambda _: None)
        self._clock, self._renewals, self._broken = asyncio.get_running_loop().time, 0, False
        self._backoff, self._steady = Backoff(), asyncio.get_running_loop().call_soon(lambda: None)
        self.begin()

    def begin(self) -> None:
        """An attempt begins, with the token of now."""
        self.metadata, self._began = self._client.metadata, self._clock()

    def succeeded(self) -> None:
        """The server answered, or a call to it has lasted."""
        self._backoff.reset()
        self._renewals = 0
        if self._broken:
            self._broken = False
            self._told(None)

    async def goes_on(self, error: CallError) -> bool:
        """Whether the token has ended and another one is there. A new one that is refused, too, ends it."""
        if error.code != "UNAUTHENTICATED":
            return False
        if self._clock() - self._began > REFUSED_SECONDS:
            self._renewals = 0
        self._renewals += 1
        return self._renewals == 1 and await self._client.is_renewed(self.metadata)

    async def pause(self, error: CallError | None, at_most: float | None = None) -> None:
        """Wait before the next attempt until the server is there, and tell that the connection is broken."""
        self.close()
        if error is not None and error.code not in _STILL_THERE and not self._broken:
            self._broken = True
            self._told(error)
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                await self._backoff.pause()
                await self._client.channel.channel_ready()
        self._steady = asyncio.get_running_loop().call_later(STEADY_SECONDS, self.succeeded)

    def close(self) -> None:
        """Nothing is told any more of the last attempt."""
        self._steady.cancel()


async def waited(client: Connection, approval_id: str, seconds: float, told: Told | None = None) -> Approval | None:
    """The approval as soon as it is PENDING no longer; None when `seconds` are over. Raises `CallError`.

    Only what may pass, such as `UNAVAILABLE`, is waited out. A token that ends meanwhile is followed by the next one.
    """
    clock = asyncio.get_running_loop().time
    end = clock() + seconds
    with closing(Tries(client, told)) as tries:
        while (left := end - clock()) > SHORTEST_SECONDS:
            tries.begin()
            request, at_most = WaitApprovalRequest(approval_id=approval_id), min(left, CALL_SECONDS)
            try:
                answer = await client.approvals.WaitApproval(request, metadata=tries.metadata, timeout=at_most)
            except grpc.aio.AioRpcError as failure:
                client.noticed(failure)
                error = call_error(failure)
                if await tries.goes_on(error):
                    continue
                if error.code not in _MAY_PASS:
                    raise error from None
                if (left := end - clock()) > SHORTEST_SECONDS:
                    await tries.pause(error, left)
            else:
                tries.succeeded()
                if answer.approval.state != ApprovalState.APPROVAL_STATE_PENDING:
                    return answer.approval
    return None


async def watched(client: Connection, told: Told | None = None) -> AsyncGenerator[WatchQueueResponse, None]:
    """The caller's queue and its changes, without an end: a broken stream goes on where it was.

    Where too much was missed it begins again: every approval in the queue, then a message without one. Raises
    `CallError` for what does not pass, and for a server that was never there.
    """
    token, connected = "", False
    with closing(Tries(client, told)) as tries:
        while True:
            tries.begin()
            stream = client.reviews.WatchQueue(WatchQueueRequest(resume_token=token), metadata=tries.metadata)
            error = None
            try:
                async for message in stream:
                    token, connected = message.resume_token or token, True
                    tries.succeeded()
                    yield message
            except grpc.aio.AioRpcError as failure:
                client.noticed(failure)
                error = call_error(failure)
                if await tries.goes_on(error):
                    continue
                token = _token_after(error, token, connected=connected)
            await tries.pause(error)


def _token_after(error: CallError, token: str, *, connected: bool) -> str:
    """Where to go on after this error; raises it where there is nothing to go on with."""
    if error.code == "OUT_OF_RANGE" and token:
        return ""
    if error.code not in _GO_ON or not connected:
        raise error
    return token

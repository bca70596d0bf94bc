"""Many questions over one stream of StreamAuthorize; those that wait together ride in one message.

1. The stream is opened for the first question. It is closed where none comes for a while, and before its time is over.
2. Where it breaks, another one is opened after a pause. A question with a `request_id` that has no answer yet is asked
   again, as long as its time lasts. Any other one fails, as it may have been decided.
3. A question that fails is not allowed.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, Unpack
from uuid import uuid4

import grpc

from pdp.client.backoff import Backoff
from pdp.client.call_error import CallError, item_error
from pdp.client.decision import Decision
from pdp.client.question import Said, asked
from pdp.client.refusal import Refusal
from pdp.client.token import Metadata
from pdp.v1.decision_pb2 import (
    AuthorizeRequest,
    AuthorizeResponse,
    StreamAuthorizeRequest,
    StreamAuthorizeResponse,
)

if TYPE_CHECKING:  # a name of the type stubs alone
    from pdp.v1.decision_pb2_grpc import DecisionServiceAsyncStub

MOST_MESSAGES = 8
"""Messages without an answer. What is asked meanwhile waits, and rides together in the next one."""
MOST_ITEMS, MOST_BYTES = 64, 48 * 1024
"""Questions of a message, and bytes at which it takes no further one: a server gives larger ones fewer places."""
QUIET_SECONDS = 45.0
"""Seconds without a question after which the stream is closed. The server would end it after 60 s."""
SHARE = 0.8
"""The share of a stream's time in which questions are sent on it. The server reads none in the last tenth."""
_GO_ON = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}
"""Errors of a stream after which another one is opened."""
_ENDED = CallError("UNAVAILABLE", "STREAM_ENDED", "the stream ended before the answer came; nothing was allowed")
_LATE = CallError("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "no answer came in time; nothing was allowed")
_CLOSED = CallError("CANCELLED", "STREAM_CLOSED", "the stream was closed before the answer came; nothing was allowed")

Deciding = Callable[[AuthorizeRequest, Awaitable[AuthorizeResponse]], Awaitable[Decision]]
"""Makes an answer, or the `CallError` that comes instead, a `Decision`."""


class Connected(Protocol):
    """What a stream needs of a client."""

    timeout: float

    @property
    def decisions(self) -> "DecisionServiceAsyncStub": ...  # noqa: D102
    @property
    def metadata(self) -> Metadata: ...  # noqa: D102
    async def expecting(self, request: AuthorizeRequest, seconds: float) -> AuthorizeRequest: ...  # noqa: D102
    async def is_renewed(self, used: Metadata) -> bool: ...  # noqa: D102
    def noticed(self, error: grpc.aio.AioRpcError) -> None: ...  # noqa: D102


@dataclass(slots=True, eq=False)
class _Ask:
    """A question that waits for its answer until `ends`, by the loop's clock."""

    request: AuthorizeRequest
    ends: float
    answer: asyncio.Future[AuthorizeResponse]

    def fail(self, error: CallError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Stream:
    """Asks over one stream, from as many tasks as a program has. `failure` makes a gRPC error a `CallError`."""

    def __init__(
        self,
        client: Connected,
        deciding: Deciding,
        failure: Callable[[grpc.aio.AioRpcError, Metadata], CallError],
    ) -> None:
        self._client, self._deciding, self._failure = client, deciding, failure
        self._waiting: deque[_Ask] = deque()
        self._sent: dict[str, Sequence[_Ask]] = {}
        self._ids, self._backoff = count(), Backoff()
        self._news = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._error: CallError | None = None
        self._last = 0.0
        self._is_closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def __call__(self, subject: str, action: str, resource: str, **said: Unpack[Said]) -> Decision:
        """As `Client.authorize`, but the answer's approval comes without its request, and no `request_id` is made up.

        Only with a `request_id` is the question asked again where the stream breaks.
        """
        return await self.decide(asked(subject, action, resource, **said))

    async def decide(self, request: AuthorizeRequest) -> Decision:
        """The same for a ready message."""
        if self._is_closed:
            raise RuntimeError("this stream is closed; open another one")
        own = AuthorizeRequest()
        own.CopyFrom(request)
        own.attempt_id = request.attempt_id or uuid4().hex
        return await self._deciding(own, self._answer(own))

    async def close(self) -> None:
        """End the stream. A question without an answer fails."""
        self._is_closed = True
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
        self._fail_all(_CLOSED)

    async def _answer(self, request: AuthorizeRequest) -> AuthorizeResponse:
        ends, metadata = _now() + self._client.timeout, self._client.metadata
        try:
            expecting = await self._client.expecting(request, self._client.timeout)
        except grpc.aio.AioRpcError as error:
            raise self._failure(error, metadata) from None
        ask = _Ask(expecting, ends, asyncio.get_running_loop().create_future())
        self._waiting.append(ask)
        self._news.set()
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        try:
            async with asyncio.timeout_at(ends):
                return await ask.answer
        except TimeoutError:
            raise self._error or _LATE from None

    async def _run(self) -> None:
        """Keep a stream open as long as there are questions."""
        try:
            while self._is_wanted():
                metadata = self._client.metadata
                self._error = await self._converse(metadata)
                await self._settle(self._error, metadata)
        except CallError as error:
            self._fail_all(error)
        except Exception:
            self._fail_all(_ENDED)
            raise

    def _is_wanted(self) -> bool:
        while self._waiting and self._waiting[0].answer.done():
            self._waiting.popleft()
        return bool(self._waiting)

    async def _converse(self, metadata: Metadata) -> CallError | None:
        """Open a stream, and return the error that it ended with."""
        call = self._client.decisions.StreamAuthorize(metadata=metadata)
        refusal = Refusal(call, self._client.noticed)
        self._last = _now() + QUIET_SECONDS
        writing = asyncio.create_task(self._write(call))
        try:
            await self._read(call)
        except grpc.aio.AioRpcError as error:
            return self._failure(await refusal.behind(error), metadata)
        finally:
            writing.cancel()
            call.cancel()
            await asyncio.wait([writing])
        return None

    async def _read(self, call: Any) -> None:
        """Take answers until the server ends the stream."""
        for name, value in await call.initial_metadata() or ():
            if name == "stream-seconds":
                self._last = _now() + SHARE * float(value)
        while (answer := await call.read()) is not grpc.aio.EOF:
            _settle(self._sent.pop(answer.id, ()), answer)
            self._error = None
            self._backoff.reset()
            self._news.set()

    async def _write(self, call: Any) -> None:
        """Send what waits, until nothing comes any more or the stream's time is over."""
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # the reader hears of it
            while await self._has_work():
                message, asks = self._packed()
                if asks:
                    self._sent[message.id] = asks
                    await call.write(message)
            await call.done_writing()

    async def _has_work(self) -> bool:
        """Wait for a question and room for it. Returns False where none came for a while, or the time is over."""
        quiet = _now() + QUIET_SECONDS
        try:
            while _now() < self._last:
                if self._waiting and len(self._sent) < MOST_MESSAGES:
                    return True
                self._news.clear()
                async with asyncio.timeout_at(min(quiet, self._last)):
                    await self._news.wait()
        except TimeoutError:
            pass
        return False

    def _packed(self) -> tuple[StreamAuthorizeRequest, list[_Ask]]:
        """A message of what waits."""
        message, asks, size = StreamAuthorizeRequest(id=str(next(self._ids))), list[_Ask](), 0
        while self._waiting and len(asks) < MOST_ITEMS and size < MOST_BYTES:
            ask = self._waiting.popleft()
            if not ask.answer.done():
                asks.append(ask)
                message.items.append(ask.request)
                size += ask.request.ByteSize()
        left = max((ask.ends for ask in asks), default=0.0) - _now()
        message.timeout.FromMilliseconds(max(int(1000 * left), 1))
        return message, asks

    async def _settle(self, error: CallError | None, metadata: Metadata) -> None:
        """After a stream: ask again what may be asked again, and fail the rest; pause before the next stream."""
        lost = [ask for asks in self._sent.values() for ask in asks]
        self._sent.clear()
        if error is not None and not await self._goes_on(error, metadata):
            for ask in lost:
                ask.fail(error)
            raise error
        for ask in reversed(lost):
            if ask.request.request_id:
                self._waiting.appendleft(ask)
            else:
                ask.fail(_ENDED)
        if lost or error is not None:
            await self._backoff.pause()

    async def _goes_on(self, error: CallError, metadata: Metadata) -> bool:
        if error.code == "UNAUTHENTICATED":
            return await self._client.is_renewed(metadata)
        return error.code in _GO_ON

    def _fail_all(self, error: CallError) -> None:
        asks = [ask for sent in self._sent.values() for ask in sent] + [*self._waiting]
        self._sent.clear()
        self._waiting.clear()
        for ask in asks:
            ask.fail(error)


def _settle(asks: Sequence[_Ask], answer: StreamAuthorizeResponse) -> None:
    """Give each question of a message its answer. What the server left out fails."""
    for ask, result in zip(asks, answer.results, strict=False):
        if result.HasField("error"):
            ask.fail(item_error(result.error))
        elif not ask.answer.done():
            ask.answer.set_result(result.decision)
    for ask in asks:
        ask.fail(item_error(answer.error) if answer.HasField("error") else _ENDED)


def _now() -> float:
    return asyncio.get_running_loop().time()

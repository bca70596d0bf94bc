"""StreamAuthorize: a message of the stream is one BatchAuthorize; answers are sent as they are ready, in any order.

1. What has no answer yet is bounded: then nothing more is read of the stream, and gRPC's flow control stops the client.
2. An answer counts until gRPC has taken it. So a client that reads no answers is read no further, either.
3. A message that fails has an error as its answer. What ends the stream is answered after what was read before.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from pdp import deadline
from pdp.admission import Admission
from pdp.arrived import Arrived
from pdp.caller import Caller
from pdp.canonical import checked_id
from pdp.errors import InvalidRequest, MessageInFlight, PdpError
from pdp.room import Room
from pdp.service.batch import MAX_ITEMS, Questions, item_error
from pdp.v1.decision_pb2 import BatchAuthorizeResponse, StreamAuthorizeRequest, StreamAuthorizeResponse

Answers: TypeAlias = BatchAuthorizeResponse | StreamAuthorizeResponse
"""What has the results of a batch."""
Answering: TypeAlias = Callable[[Questions, Caller, Answers], Awaitable[None]]
"""Adds the results of a batch to its answer. Raises `PdpError` if it fails as a whole."""
Arriving: TypeAlias = AsyncGenerator[Arrived[StreamAuthorizeRequest], None]
"""The messages of a stream."""

WINDOW_MESSAGES, WINDOW_ITEMS = 64, 4096
"""Messages, and items of them, of a stream that have no answer yet: a limit of the contract."""
OPEN_BYTES = 4 * 1024 * 1024
"""Bytes of the messages of one caller's streams in this process, and of their answers: as many as its batches may have.
In memory they take about ten times as much. A larger message is read alone."""
MAX_ID_BYTES = 64
"""Bytes of a message's id."""


def open_bytes() -> Room:
    """The room for what all streams of each caller have open."""
    return Room(OPEN_BYTES, "")


@dataclass(slots=True, eq=False)
class _Message:
    """A message whose answer was not sent yet. It counts as `items`, and holds `size` bytes of the caller's room."""

    id: str
    items: int
    size: int
    answer: bytes = b""


class QuestionStream:
    """One stream. `room` is for the bytes of its caller's messages."""

    def __init__(self, answering: Answering, admission: Admission, room: Room, caller: Caller) -> None:
        self._answering, self._admission, self._room, self._caller = answering, admission, room, caller
        self._open: set[_Message] = set()
        self._ids: set[str] = set()
        self._items = 0
        self._at_work: set[asyncio.Task[None]] = set()
        self._ready: deque[_Message] = deque()
        self._failed: BaseException | None = None
        self._is_entering = False
        self._news, self._space = asyncio.Event(), asyncio.Event()

    async def answers(self, arriving: Arriving) -> AsyncGenerator[bytes, None]:
        """The answers, as they are ready. Raises what ends the stream once all that was read is answered."""
        reading = asyncio.create_task(self._read(arriving))
        reading.add_done_callback(lambda _: self._news.set())
        try:
            while self._open or not reading.done():
                await self._news.wait()
                self._news.clear()
                while self._ready:
                    message = self._ready.popleft()
                    yield message.answer
                    self._close(message)
                if self._failed is not None:
                    raise self._failed
            await reading
        finally:
            await self._end(reading)

    async def _read(self, arriving: Arriving) -> None:
        """Take messages up, as long as the window has room."""
        async with aclosing(arriving):
            async for arrived in arriving:
                await self._room.enter(self._caller.identity, arrived.size)
                try:
                    request = _read(arrived)
                    await self._until(partial(self._takes, _items(request)))
                except BaseException:
                    self._room.leave(self._caller.identity, arrived.size)
                    raise
                self._take_up(request, arrived.size)
                await self._until(self._has_space)

    def _takes(self, items: int) -> bool:
        return self._items + items <= WINDOW_ITEMS

    def _has_space(self) -> bool:
        return not self._is_entering and len(self._open) < WINDOW_MESSAGES and self._items < WINDOW_ITEMS

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._space.clear()
            await self._space.wait()

    def _take_up(self, request: StreamAuthorizeRequest, size: int) -> None:
        message = _Message(request.id, _items(request), size)
        self._open.add(message)
        self._items += message.items
        if request.id in self._ids:
            message.id = ""
            self._answer(
                message, _failure(request.id, MessageInFlight("another message with this id has no answer yet"))
            )
            return
        self._ids.add(request.id)
        self._is_entering = True
        task = asyncio.create_task(self._work(request, message))
        self._at_work.add(task)
        task.add_done_callback(self._worked)

    async def _work(self, request: StreamAuthorizeRequest, message: _Message) -> None:
        """Answer a message; its time begins once it has room among all that is here."""
        answer = StreamAuthorizeResponse(id=request.id)
        try:
            seconds = _seconds(request)
            room = self._admission.admitted_in_turn(
                self._caller.identity, max(message.items, 1), message.size, lambda: self._begin(seconds)
            )
            async with room, deadline.whole():
                await self._answering(request, self._caller, answer)
        except PdpError as error:
            self._admission.shedding.see(error)
            answer = _failure(request.id, error)
        self._answer(message, answer)

    def _begin(self, seconds: float | None) -> None:
        deadline.begin(seconds)
        self._is_entering = False
        self._space.set()

    def _worked(self, task: asyncio.Task[None]) -> None:
        """A task is over. What is not a failure of its message alone ends the stream."""
        self._at_work.discard(task)
        self._is_entering = False
        self._space.set()
        if not task.cancelled() and (error := task.exception()):
            self._failed = error
            self._news.set()

    def _answer(self, message: _Message, answer: StreamAuthorizeResponse) -> None:
        message.answer = answer.SerializeToString()
        message.size += len(message.answer)
        self._room.add(self._caller.identity, len(message.answer))
        self._ready.append(message)
        self._news.set()

    def _close(self, message: _Message) -> None:
        """The answer was sent, or nobody wants it any more."""
        self._open.discard(message)
        self._ids.discard(message.id)
        self._items -= message.items
        self._room.leave(self._caller.identity, message.size)
        self._space.set()

    async def _end(self, reading: asyncio.Task[None]) -> None:
        tasks = [reading, *self._at_work]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for message in [*self._open]:
            self._close(message)


def _read(arrived: Arrived[StreamAuthorizeRequest]) -> StreamAuthorizeRequest:
    """The message, if it can be answered. Raises `InvalidRequest`, which ends the stream."""
    request = arrived.read()
    checked_id(request.id, "id")
    if len(request.id.encode()) > MAX_ID_BYTES:
        raise InvalidRequest.field("id", f"has more than {MAX_ID_BYTES} bytes")
    return request


def _items(request: StreamAuthorizeRequest) -> int:
    """The items that a message counts as: none where it has more than it may have, as it fails."""
    return len(request.items) if len(request.items) <= MAX_ITEMS else 0


def _seconds(request: StreamAuthorizeRequest) -> float | None:
    if not request.HasField("timeout"):
        return None
    seconds = request.timeout.seconds + request.timeout.nanos / 1e9
    if not seconds > 0:
        raise InvalidRequest.field("timeout", "is not more than 0 s; leave it out, or give the message time")
    return seconds


def _failure(message_id: str, error: PdpError) -> StreamAuthorizeResponse:
    return StreamAuthorizeResponse(id=message_id, error=item_error(error))

"""The messages of streams in both directions, as they arrive: of data to mask, and of questions.

1. Many streams' messages do not come in one round of the loop: each waits for its turn.
2. A stream of questions is not cut off at its end: shortly before, nothing more is read, and what was read is answered.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Self

import grpc
from google.protobuf.message import Message

from pdp.arrived import Arrived
from pdp.arrow import envelope
from pdp.caller import Caller
from pdp.deadline import IDLE_SECONDS, MAX_SECONDS
from pdp.errors import PdpError, StreamTimeout
from pdp.server.arrivals import Context, Rpc
from pdp.server.lifetime import over
from pdp.turns import Turns

LAST_SHARE = 0.1
"""The share of a stream's time in which no further question is read, but at most `MAX_SECONDS`."""


@dataclass(frozen=True, slots=True)
class Open:
    """A stream that its caller may have open for `most` seconds, if its credential lasts."""

    context: Context
    caller: Caller
    most: float
    valid: float

    @classmethod
    def of(cls, context: Context, caller: Caller, most: float) -> Self:
        """As of now."""
        return cls(context, caller, most, caller.expires_at - time.time())

    @property
    def seconds(self) -> float:
        """Seconds that it may stay open."""
        return max(min(self.most, self.valid), 0.0)

    @property
    def reading_seconds(self) -> float:
        """Seconds for which questions are read of it."""
        return self.seconds - min(LAST_SHARE * self.seconds, MAX_SECONDS)

    async def write(self, answer: Message | bytes) -> None:
        """Send an answer. Raises `StreamTimeout` where the client does not take it."""
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await self.context.write(answer)
        except TimeoutError:
            raise StreamTimeout(f"no answer was taken for {IDLE_SECONDS:.0f} s; read them, and begin again") from None

    def over(self) -> PdpError:
        """The error at its end."""
        return over(self.most, self.valid)


class Incoming:
    """The streams of a process."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._waits: set[asyncio.Timeout] = set()
        self._ending = asyncio.Event()

    async def data(self, rpc: Rpc, stream: Open) -> AsyncIterator[Message | memoryview]:
        """Messages of data. An Arrow message is taken out of its envelope, without a copy."""
        has_frames = envelope.has_frames(rpc.input)
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    body = await stream.context.read()
            except TimeoutError:
                raise _idle() from None
            if body is grpc.aio.EOF:
                return
            await self._turns.turn(stream.caller.identity)
            arrow = envelope.unwrap(body) if has_frames else None
            yield rpc.parsed(body) if arrow is None else arrow

    async def questions(self, rpc: Rpc, stream: Open) -> AsyncGenerator[Arrived[Message], None]:
        """Messages of questions, until the server stops or the stream's end is near, which raises its error."""
        last = _now() + stream.reading_seconds
        while not self._ending.is_set():
            try:
                async with asyncio.timeout_at(min(_now() + IDLE_SECONDS, last)) as wait:
                    self._waits.add(wait)
                    try:
                        body = await stream.context.read()
                    finally:
                        self._waits.discard(wait)
            except TimeoutError:
                if self._ending.is_set():
                    return
                raise stream.over() if _now() >= last else _idle() from None
            if body is grpc.aio.EOF:
                return
            await self._turns.turn(stream.caller.identity)
            yield Arrived(len(body), partial(rpc.parsed, body))

    def end(self) -> None:
        """Read no further questions: the server stops."""
        self._ending.set()
        for wait in self._waits:
            wait.reschedule(_now())


def _idle() -> StreamTimeout:
    return StreamTimeout(f"nothing came for {IDLE_SECONDS:.0f} s; begin again")


def _now() -> float:
    return asyncio.get_running_loop().time()

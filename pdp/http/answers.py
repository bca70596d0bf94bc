"""Answers that their clients have not taken yet: for how long they are kept, and how much one caller has of them.

What the system's own buffer holds counts as taken; it is small, see `SYSTEM_BYTES`.
"""

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

from pdp.http.places import Said
from pdp.room import Room

MOST_BYTES = 16 << 20
"""Bytes of answers that one caller has not taken."""
LARGEST_BYTES = MOST_BYTES // 2
"""Bytes of one answer: there is room for it where its call began."""
SYSTEM_BYTES = 128 * 1024
"""Bytes of an answer that the system is asked to keep; it would keep 4 MB for who reads nothing. Linux takes
twice as much."""
PART_BYTES = 64 * 1024
"""Bytes of an answer that are written at one time. With TLS, uvloop does not show whether the last two are taken."""
_FIRST_LOOK_SECONDS, _LOOK_SECONDS = 0.001, 0.5
"""Seconds between two looks at an answer that is not taken yet: each waits twice as long as the one before."""


@dataclass(frozen=True)
class Times:
    """Seconds that an answer may take: without a byte that is taken, and as a whole."""

    still: float = 30.0
    whole: float = 60.0


class Answers:
    """The answers of all callers of one process."""

    def __init__(self, times: Times = Times(), most_bytes: int = MOST_BYTES) -> None:
        self._times, self._most = times, most_bytes
        self._room = Room(most_bytes, "take the answers to your earlier calls first; they wait for you")
        self._ended = Said("%d answers over HTTP were not taken in time, and their connections ended; the last of %s")

    def require_room(self, caller: str) -> None:
        """Raise `Overloaded` if half of the room is taken: the caller's calls that run already may need the rest."""
        with self._room.taken(caller, self._most // 2):
            pass

    @contextmanager
    def sending(self, transport: asyncio.Transport, whose: str, size: int) -> Iterator["Sending"]:
        """An answer of so many bytes is sent in the block. Raises `Overloaded` if the caller has too many answers."""
        with self._room.taken(whose, size):
            try:
                yield Sending(transport, self._times)
            except TimeoutError:
                self._ended.again(whose)
                _reset(transport)


class Sending:
    """One answer on its way."""

    def __init__(self, transport: asyncio.Transport, times: Times) -> None:
        self._transport, self._times = transport, times
        self._began = asyncio.get_running_loop().time()

    def again(self) -> None:
        """Another part begins, which has time of its own."""
        self._began = asyncio.get_running_loop().time()

    async def taken(self) -> None:
        """Wait until all that was written is taken. Raises `TimeoutError` if that takes too long."""
        loop, left, pause = asyncio.get_running_loop(), _unsent(self._transport), _FIRST_LOOK_SECONDS
        moved = loop.time()
        while left:
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LOOK_SECONDS)
            now, before = loop.time(), left
            left = _unsent(self._transport)
            moved = now if left < before else moved
            if left and (now - moved > self._times.still or now - self._began > self._times.whole):
                raise TimeoutError


class Parts(Payload):
    """A long body, of which no part is written before the one before it is taken."""

    def __init__(self, body: bytes, sending: Sending) -> None:
        super().__init__(body)
        self._size, self._sending = len(body), sending

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The body as text."""
        return bytes(self._value).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write it. Raises `TimeoutError` if it is not taken in time."""
        for at in range(0, len(self._value), PART_BYTES):
            await writer.write(self._value[at : at + PART_BYTES])
            await self._sending.taken()


def _reset(transport: asyncio.Transport) -> None:
    """End a connection so that the system, too, drops what it keeps for its client."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _unsent(transport: asyncio.Transport) -> int:
    """Bytes that this process keeps for a connection. With TLS, most are in the transport below."""
    below = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    return transport.get_write_buffer_size() + (below.get_write_buffer_size() if below is not None else 0)

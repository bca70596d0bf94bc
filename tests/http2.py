"""HTTP/2 by hand: calls that no gRPC client would make, and what they cost the server."""

import asyncio
import struct
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW = 0, 1, 3, 4, 6, 7, 8
ACK = END_STREAM = 1
END_HEADERS = 4
FRAME_BYTES = 16_384


def frame(kind: int, flags: int = 0, payload: bytes = b"", stream: int = 0) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name: str, value: str) -> bytes:
    """A header as HPACK writes it without its tables."""
    coded = b"\x00"
    for text in (name.encode(), value.encode()):
        size = len(text)
        coded += bytes([size]) if size < 127 else _long(size - 127)
        coded += text
    return coded


def _long(rest: int) -> bytes:
    coded = b"\x7f"
    while rest >= 128:
        coded, rest = coded + bytes([rest & 127 | 128]), rest >> 7
    return coded + bytes([rest])


@dataclass
class Http2:
    """A connection that keeps to the windows of flow control, as the server sets them."""

    writer: asyncio.StreamWriter
    windows: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    ended: set[int] = field(default_factory=set)
    farewell: bytes | None = None
    wider: asyncio.Event = field(default_factory=asyncio.Event)
    initial: int = 65_535
    last: int = -1

    def call(self, rpc: str, *metadata: tuple[str, str]) -> int:
        """Begin a call without its message; the number of its stream."""
        self.last += 2
        named = [(":method", "POST"), (":scheme", "http"), (":path", f"/{rpc}"), (":authority", "localhost")]
        named += [("te", "trailers"), ("content-type", "application/grpc"), *metadata]
        block = b"".join(literal(*pair) for pair in named)
        self.windows[self.last] = self.initial
        self.writer.write(frame(HEADERS, END_HEADERS, block, self.last))
        return self.last

    async def send(self, stream: int, body: bytes) -> None:
        """Send the bytes of a call, as fast as the server takes them, until the call has ended."""
        while body and stream not in self.ended:
            some = min(len(body), FRAME_BYTES, self.windows[0], self.windows[stream])
            if some <= 0:
                self.wider.clear()
                await self.wider.wait()
                continue
            self.writer.write(frame(DATA, 0, body[:some], stream))
            body, self.windows[0], self.windows[stream] = (
                body[some:],
                self.windows[0] - some,
                self.windows[stream] - some,
            )
            await self.writer.drain()

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Read until the server closes."""
        try:
            while True:
                head = await reader.readexactly(9)
                size, stream = int.from_bytes(head[:3], "big"), int.from_bytes(head[5:], "big")
                self._take(head[3], head[4], stream, await reader.readexactly(size))
                self.wider.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.farewell = self.farewell or b""

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == SETTINGS and not flags & ACK:
            self._resize(dict(struct.iter_unpack(">HI", payload)).get(4, self.initial))
            self.writer.write(frame(SETTINGS, ACK))
        elif kind == PING and not flags & ACK:
            self.writer.write(frame(PING, ACK, payload))
        elif kind == WINDOW:
            self.windows[stream] += int.from_bytes(payload, "big")
        elif kind == RESET or (kind in {HEADERS, DATA} and flags & END_STREAM):
            self.ended.add(stream)
        elif kind == GOAWAY:
            self.farewell = payload[8:]

    def _resize(self, initial: int) -> None:
        for stream in self.windows:
            self.windows[stream] += (initial - self.initial) if stream else 0
        self.initial = initial


@asynccontextmanager
async def http2(address: str) -> AsyncIterator[Http2]:
    """A connection whose settings have been exchanged."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    made = Http2(writer)
    made.windows[0] = 65_535
    writer.write(PREFACE + frame(SETTINGS))
    listening = asyncio.create_task(made.listen(reader))
    try:
        await made.wider.wait()
        yield made
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        writer.close()

"""HTTP as bytes on a connection of its own, for what no client library would send."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson

from pdp.dev import identity
from tests.parts import Placet

MAX_SECONDS = 20
"""Seconds after which a test gives up: a request that does not arrive is ended by the server after 10."""


@dataclass(frozen=True)
class Heard:
    """The first answer on a connection, after `seconds`; headers are lower case. Status 0 is an end without one."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def members(self) -> dict[str, object]:
        """The members of the body; none where it is no JSON object."""
        try:
            read = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return read if isinstance(read, dict) else {}


def where(server: Placet) -> tuple[str, int]:
    host, _, port = server.http.partition("://")[2].rpartition(":")
    return host, int(port)


async def heard(server: Placet, sent: bytes, *, ends: bool = False) -> Heard:
    """What comes back for these bytes; where the sender `ends`, it sends no more."""
    async with connected(server) as (reader, writer):
        began = time.monotonic()
        writing = asyncio.ensure_future(_written(writer, sent, ends=ends))
        try:
            async with asyncio.timeout(MAX_SECONDS):
                found = await _answer(reader, has_body=not sent.startswith(b"HEAD "))
        except (asyncio.IncompleteReadError, ConnectionResetError):
            found = 0, {}, b""
        seconds = time.monotonic() - began
        writing.cancel()
        return Heard(*found, seconds)


async def rest(server: Placet, sent: bytes) -> bytes:
    """All that comes back for these bytes, until the server ends the connection."""
    async with connected(server) as (reader, writer):
        writing, seen = asyncio.ensure_future(_written(writer, sent, ends=True)), b""
        try:
            async with asyncio.timeout(MAX_SECONDS):
                while part := await reader.read(1 << 16):
                    seen += part
        except ConnectionResetError:
            pass
        writing.cancel()
        return seen


@asynccontextmanager
async def connected(server: Placet) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection, which ends with the block."""
    reader, writer = await asyncio.open_connection(*where(server))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _written(writer: asyncio.StreamWriter, sent: bytes, *, ends: bool) -> None:
    try:
        writer.write(sent)
        await writer.drain()
        if ends:
            writer.write_eof()
    except OSError:
        pass


async def _answer(reader: asyncio.StreamReader, *, has_body: bool) -> tuple[int, dict[str, str], bytes]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
    length = int(headers.get("content-length", 0)) if has_body else 0
    return int(lines[0].split()[1]), headers, await reader.readexactly(length)


def token(server: Placet, name: str = "report-bot") -> str:
    return identity.token(server.state, name)


def request(server: Placet, body: bytes, path: str = "/access/v1/evaluation", *lines: str) -> bytes:
    """An ordinary request with this body, whatever it is."""
    head = [
        f"POST {path} HTTP/1.1",
        "Host: a",
        f"Authorization: Bearer {token(server)}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *lines,
    ]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body

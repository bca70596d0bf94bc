"""Reads the body of a call, once its caller is known: by turns, in time, and never more than its route takes."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from http import HTTPStatus
from typing import TypeAlias
from weakref import WeakValueDictionary

from aiohttp import StreamReader, web

from pdp import deadline
from pdp.errors import InvalidRequest
from pdp.http.connection import UNREAD_BYTES
from pdp.http.problem import Refusal
from pdp.http.route import LARGE_BYTES, SMALL_BYTES, Entrance, Hook, Page, Route
from pdp.room import Room

READS = 4
"""Large bodies of one caller that arrive at one time in this process, so 16 MiB at most. Its further ones wait."""
Taking: TypeAlias = Route | Page | Entrance | Hook
"""What takes a body."""
_GZIP = 16 + zlib.MAX_WBITS
"""What the module `zlib` calls the gzip format."""
READ_SECONDS = 10.0
"""Seconds that a body may take to arrive: as many as a unary call may take."""


class Bodies:
    """The bodies of all callers of one process."""

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._large = Room(
            LARGE_BYTES, f"your open calls may hold {LARGE_BYTES >> 20} MiB at one time; try again when one has ended"
        )

    @asynccontextmanager
    async def body(self, route: Taking, caller: str, request: web.BaseRequest) -> AsyncIterator[bytes]:
        """The call's body, which counts as open while the block runs.

        Raises `Refusal` if it is of another type or too large, and `Overloaded` if the caller's open bodies leave no
        room for it.
        """
        if route.method == "GET" or not (route.needs_body or request.body_exists):
            yield b""
            return
        is_zipped = _require_media(request, route)
        body = await self._arrived(route, caller, request)
        if is_zipped:
            body = _unzipped(body, route)
        with self._large.taken(caller, len(body)) if len(body) > SMALL_BYTES else nullcontext():
            yield body

    async def _arrived(self, route: Taking, caller: str, request: web.BaseRequest) -> bytes:
        turns = self._turns.get(caller)
        if turns is None:
            turns = self._turns[caller] = asyncio.Semaphore(READS)
        if (request.content_length or 0) > route.most_bytes:
            raise _too_large(route)
        await _continue(request)
        try:
            with deadline.spent_on(deadline.Stage.ARRIVAL):
                async with deadline.within(READ_SECONDS):
                    return await _read(request.content, route, turns)
        except TimeoutError:
            raise deadline.over() from None
        except web.RequestPayloadError:
            raise InvalidRequest.field("body", "did not arrive as its headers say") from None


async def _continue(request: web.BaseRequest) -> None:
    """Ask for a body whose sender waits for that (RFC 9110, section 10.1.1)."""
    expected = request.headers.get("Expect")
    if expected is None:
        return
    if expected.lower() != "100-continue":
        raise Refusal(HTTPStatus.EXPECTATION_FAILED, "Expect: only 100-continue is known here")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # aiohttp takes what is counted for a part of the answer


async def _read(content: StreamReader, route: Taking, turns: asyncio.Semaphore) -> bytes:
    """The body. Its beginning needs no turn: aiohttp has room for it, and a slow sender must keep nobody waiting."""
    parts = list[bytes]()
    if await _take(content, route, parts, UNREAD_BYTES):
        async with turns:
            await _take(content, route, parts, route.most_bytes)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _take(content: StreamReader, route: Taking, parts: list[bytes], most: int) -> bool:
    """Take what comes, until there are more than `most` bytes. Returns whether more may come."""
    size = sum(map(len, parts))
    while size <= most:
        if not (part := await content.readany()):
            return False
        parts.append(part)
        size += len(part)
    if size > route.most_bytes:
        raise _too_large(route)
    return True


def _require_media(request: web.BaseRequest, route: Taking) -> bool:
    """Whether the body is compressed. Raises `Refusal` where it is of another type or encoding than the route takes."""
    encodings = [one.strip().lower() for one in request.headers.getall("Content-Encoding", [])]
    coded = [one for one in encodings if one != "identity"]
    if coded and not (route.takes_gzip and coded == ["gzip"]):
        sentence = "send the body without a Content-Encoding" + (", or with gzip" if route.takes_gzip else "")
        accepted = "gzip, identity" if route.takes_gzip else "identity"
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, sentence, Accept_Encoding=accepted)
    types = request.headers.getall("Content-Type", [])
    if len(types) != 1 or types[0].partition(";")[0].strip().lower() != route.media:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"send the body as {route.media}, with one such Content-Type")
    return bool(coded)


def _unzipped(body: bytes, route: Taking) -> bytes:
    """The body out of its one gzip member, of which no more is unpacked than the route takes."""
    stream = zlib.decompressobj(_GZIP)
    try:
        text = stream.decompress(body, route.most_bytes + 1)
    except zlib.error:
        raise Refusal(HTTPStatus.BAD_REQUEST, "the body is not gzip, as its Content-Encoding says") from None
    if len(text) > route.most_bytes:
        raise _too_large(route)
    if not stream.eof or stream.unused_data:
        raise Refusal(HTTPStatus.BAD_REQUEST, "the body is not one whole member of gzip")
    return text


def _too_large(route: Taking) -> Refusal:
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body is larger than the {route.most_bytes} bytes that this path takes",
    )

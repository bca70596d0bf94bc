"""A connection has a time for each request, whatever it sends, and ends after it."""

import asyncio
import time

import pytest

from pdp.http.connection import REQUEST_SECONDS
from tests.parts import Placet
from tests.pdp.http.test_edge import head
from tests.web import evaluate, question


async def opened(server: Placet) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(*server.http.removeprefix("http://").split(":"))


async def seconds_until_closed(server: Placet, *parts: bytes, pause: float = 0.5) -> tuple[float, bytes]:
    """How long a connection lives on which these arrive, slowly, and what was answered."""
    reader, writer = await opened(server)
    began = time.monotonic()

    async def drip() -> None:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(pause)

    dripping = asyncio.ensure_future(drip())
    try:
        async with asyncio.timeout(REQUEST_SECONDS * 2):
            read = await reader.read()
    except ConnectionResetError:
        read = b""
    dripping.cancel()
    writer.close()
    return time.monotonic() - began, read


async def test_whatever_comes_slowly_ends_in_time_and_others_are_answered(server: Placet) -> None:
    whole = head(server, length=100).replace("\n", "\r\n").encode() + b"\r\n\r\n"
    slow = [
        seconds_until_closed(server),
        seconds_until_closed(server, *[bytes([byte]) for byte in whole]),
        seconds_until_closed(server, whole, *[b" "] * 100),
        seconds_until_closed(server, b"GET /access/v1/jwks HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /", *[b"x"] * 100),
        seconds_until_closed(server, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", *[b" "] * 100),
    ]
    waiting = asyncio.gather(*slow)
    while not waiting.done():
        async with asyncio.timeout(1):
            assert (await evaluate(server, question())).status == 200
        await asyncio.sleep(0.5)
    lives = [seconds for seconds, _ in await waiting]
    assert all(seconds < REQUEST_SECONDS + 3 for seconds in lives), lives


async def test_headers_without_an_end_are_not_kept(server: Placet) -> None:
    many = [f"X-{number}: {'x' * 8000}\r\n".encode() for number in range(100)]
    seconds, read = await seconds_until_closed(server, b"GET / HTTP/1.1\r\nHost: a\r\n", *many, pause=0.01)
    assert seconds < 2
    assert read == b""


@pytest.mark.parametrize("requests", [2, 20])
async def test_requests_that_come_together_are_answered_in_their_order(server: Placet, requests: int) -> None:
    reader, writer = await opened(server)
    for number in range(requests):
        writer.write(f"GET /access/v1/jwks HTTP/1.1\r\nHost: a\r\nX-Request-ID: n{number}\r\n\r\n".encode())
    seen = b""
    async with asyncio.timeout(10):
        while f"n{requests - 1}\r\n".encode() not in seen:
            seen += await reader.read(65536)
    ids = [line.partition(b": ")[2] for line in seen.split(b"\r\n") if line.startswith(b"X-Request-ID")]
    assert ids == [f"n{number}".encode() for number in range(requests)]
    writer.close()

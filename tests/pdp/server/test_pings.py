"""Pings of clients: one each 10 s is welcome, also without a call, and too many are a sentence."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest

from pdp.client.call_error import call_error
from pdp.server.connections import Rooms, options
from pdp.server.pings import PING_SECONDS, keepalive
from tests.http2 import ACK, GOAWAY, PING, PREFACE, SETTINGS, frame
from tests.parts import Placet

FAST_SECONDS = 0.3
"""The interval of the test's server: the rule is the same as with 10 s."""


@asynccontextmanager
async def connection(address: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Raw HTTP/2, without any call."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(PREFACE + frame(SETTINGS))
        yield reader, writer
    finally:
        writer.close()


async def pinged(address: str, every: float, times: int) -> bytes:
    """Ping so often; what the server said when it closed the connection, empty if it did not."""
    async with connection(address) as (reader, writer):
        farewell, answered = b"", 0

        async def listen() -> None:
            nonlocal farewell, answered
            while True:
                head = await reader.readexactly(9)
                payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
                if head[3] == SETTINGS and not head[4] & ACK:
                    writer.write(frame(SETTINGS, ACK))
                answered += head[3] == PING and bool(head[4] & ACK)
                if head[3] == GOAWAY:
                    farewell = payload[8:]
                    return

        listening = asyncio.create_task(listen())
        for number in range(times):
            await asyncio.wait([listening], timeout=every)
            if listening.done():
                break
            writer.write(frame(PING, payload=struct.pack(">Q", number)))
        await asyncio.wait([listening], timeout=every)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        assert farewell or answered == times
        return farewell


@pytest.fixture
async def fast() -> AsyncIterator[str]:
    server = grpc.aio.server(options=keepalive(FAST_SECONDS))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


async def test_a_ping_at_the_interval_is_welcome_without_a_call_and_more_are_not(fast: str) -> None:
    assert await pinged(fast, FAST_SECONDS, 10) == b""
    assert await pinged(fast, FAST_SECONDS / 10, 10) == b"too_many_pings"


async def test_the_server_has_this_rule_with_ten_seconds(server: Placet) -> None:
    assert PING_SECONDS == 10
    assert set(keepalive(PING_SECONDS)) <= set(options(Rooms()))
    assert await pinged(server.address, 0.05, 10) == b"too_many_pings"


def test_too_many_pings_are_a_sentence() -> None:
    metadata = grpc.aio.Metadata()
    error = call_error(grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, metadata, metadata, "Too many pings"))
    assert error.reason == "TOO_MANY_PINGS"
    assert "it takes one each 10 s; make keepalive longer" in error.sentence

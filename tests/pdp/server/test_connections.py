"""What connections may cost: their number, and how long one stays that says nothing or asks nothing."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator

import grpc
import pytest

from pdp.server import connections
from pdp.server.connections import CONNECTIONS, HANDSHAKE_SECONDS, IDLE_SECONDS, Rooms, descriptors, options
from tests.http2 import http2

SHORT = {"grpc.max_connection_idle_ms": 300, "grpc.server_handshake_timeout_ms": 300}
FEW = {"grpc.max_allowed_incoming_connections": 2}


@pytest.fixture
async def short(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A server with the options of production, of which some are smaller: the rules are the same."""
    server = grpc.aio.server(options=list({**dict(options(Rooms())), **request.param}.items()))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


async def closed(address: str, said: bytes = b"") -> float:
    """Seconds after which the server closes a connection that has said no more than this."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    began = time.monotonic()
    writer.write(said)
    async with asyncio.timeout(10):
        while await reader.read(1024):
            pass
    writer.close()
    return time.monotonic() - began


def test_numbers_are_those_that_the_limits_page_has() -> None:
    made = dict(options(Rooms()))
    assert (made["grpc.server_handshake_timeout_ms"], made["grpc.max_connection_idle_ms"]) == (5000, 300_000)
    assert (HANDSHAKE_SECONDS, IDLE_SECONDS, CONNECTIONS) == (5, 300, 10_000)
    assert made["grpc.max_allowed_incoming_connections"] <= CONNECTIONS


@pytest.mark.parametrize("short", [SHORT], indirect=True)
async def test_connection_that_says_nothing_is_closed(short: str) -> None:
    assert await closed(short) < 5


@pytest.mark.parametrize("short", [SHORT], indirect=True)
async def test_connection_without_a_call_is_closed(short: str) -> None:
    async with http2(short) as connection, asyncio.timeout(5):
        while connection.farewell is None:
            connection.wider.clear()
            await connection.wider.wait()
        assert connection.farewell == b"connection idle"


@pytest.mark.parametrize("short", [FEW], indirect=True)
async def test_one_connection_too_many_is_closed_at_once(short: str) -> None:
    async with http2(short), http2(short):
        assert await closed(short) < HANDSHAKE_SECONDS / 2


def test_descriptors_are_as_many_as_the_process_may_have() -> None:
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, most))
        assert descriptors() == most
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, most)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(before, 512), most))


@pytest.mark.parametrize(
    ("allowed", "http", "taken"),
    [
        (100_000, False, (10_000, 0)),
        (10_256, False, (10_000, 0)),
        (4096, False, (3840, 0)),
        (300, False, (150, 0)),
        (14_352, True, (10_000, 4096)),
        (10_256, True, (7095, 2905)),
        (1024, True, (545, 223)),
    ],
)
def test_fewer_descriptors_make_fewer_connections_of_both_faces_and_it_is_said(
    caplog: pytest.LogCaptureFixture, allowed: int, *, http: bool, taken: tuple[int, int]
) -> None:
    assert connections.rooms(allowed, http=http) == Rooms(*taken)
    wanted = 14_352 if http else 10_256
    assert (f"let it have {wanted} (ulimit -Hn)" in caplog.text) == (allowed < wanted)

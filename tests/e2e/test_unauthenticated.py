"""What callers cost before anybody knows who they are, seen on a server in a process of its own."""

import asyncio
import gzip
import resource
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from pdp.process.mongod import MongodProcess
from pdp.server.connections import HANDSHAKE_SECONDS
from tests.faults import Served, eventually, served
from tests.http2 import Http2, http2
from tests.parts import asking

MIB = 1024 * 1024
CALLS, CONNECTIONS = 300, 10
MESSAGE = b"\0" + (4 * MIB).to_bytes(4, "big") + b"x" * (4 * MIB)
BOMB = gzip.compress(bytes(4 * MIB - 100))
"""4 KiB that become 4 MiB."""
BOMBS = 6000
MOST = 100 * MIB
MOST_OF_A_CALLER = 256 * MIB


def peak(pid: int) -> int:
    """The most memory that a process has had since the last `forget`."""
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def forget(pid: int) -> int:
    """Begin to measure anew, from what the process has now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return peak(pid)


@pytest.fixture(scope="module")
async def serving(
    tmp_path_factory: pytest.TempPathFactory, state: Path, mongod: MongodProcess
) -> AsyncIterator[Served]:
    with soft_limit(1024):
        context = served(tmp_path_factory.mktemp("served"), state, mongod.uri, seconds=300)
        running = await context.__aenter__()
    yield running
    await context.__aexit__(None, None, None)


@contextmanager
def soft_limit(descriptors: int) -> Iterator[None]:
    """What is started in the block begins with so many descriptors, of many more that it may have."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, most))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(now, most), most))


async def flooded(
    serving: Served, rpc: str, *metadata: tuple[str, str], message: bytes = MESSAGE, calls: int = CALLS
) -> int:
    """Bytes of memory that so many large messages at one time take from the server."""
    await serving.authorize(asking())
    before = forget(serving.process.pid)

    async def sent(connection: Http2) -> None:
        streams = [connection.call(rpc, *metadata) for _ in range(calls // CONNECTIONS)]
        await asyncio.gather(*(connection.send(stream, message) for stream in streams))

    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(http2(serving.address)) for _ in range(CONNECTIONS)]
        async with asyncio.timeout(60):
            await asyncio.gather(*map(sent, opened))
    await serving.authorize(asking())
    return peak(serving.process.pid) - before


@pytest.mark.parametrize(
    "rpc",
    [
        "pdp.v1.DecisionService/Authorize",
        "pdp.v1.DecisionService/BatchAuthorize",
        "pdp.v1.ReviewService/WatchQueue",
        "pdp.v1.MaskService/MaskStream",
        "grpc.health.v1.Health/Check",
        "grpc.health.v1.Health/Watch",
        "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "pdp.v1.DecisionService/None",
    ],
)
async def test_messages_of_nobody_take_at_most_100_mb(serving: Served, rpc: str) -> None:
    assert await flooded(serving, rpc) < MOST


@pytest.mark.parametrize("rpc", ["grpc.health.v1.Health/Watch", "pdp.v1.DecisionService/Authorize"])
async def test_compressed_messages_are_not_unpacked(serving: Served, rpc: str) -> None:
    message = b"\1" + len(BOMB).to_bytes(4, "big") + BOMB
    assert await flooded(serving, rpc, ("grpc-encoding", "gzip"), message=message, calls=BOMBS) < MOST


@pytest.mark.parametrize("rpc", ["Authorize", "BatchAuthorize"])
async def test_messages_of_one_caller_arrive_a_few_at_a_time(serving: Served, rpc: str) -> None:
    [token] = serving.metadata("report-bot")
    assert await flooded(serving, f"pdp.v1.DecisionService/{rpc}", token) < MOST_OF_A_CALLER


async def test_silent_connections_end_and_keep_nobody_away(serving: Served) -> None:
    host, _, port = serving.address.rpartition(":")
    before = forget(serving.process.pid)
    silent = [socket.create_connection((host, int(port))) for _ in range(1300)]
    began = time.monotonic()
    try:
        await serving.authorize(asking())
        assert resource.prlimit(serving.process.pid, resource.RLIMIT_NOFILE)[0] > 1300
        assert peak(serving.process.pid) - before < MOST
        for one in silent:
            one.setblocking(False)  # the socket module's own

        async def are_closed() -> bool:
            return sum(map(ended, silent)) == len(silent)

        await eventually(are_closed, seconds=HANDSHAKE_SECONDS * 3)
        assert time.monotonic() - began > HANDSHAKE_SECONDS / 2
    finally:
        for one in silent:
            one.close()


def ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(65_536) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True

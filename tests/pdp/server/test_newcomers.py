"""Connections of unknown callers: so many at one time, and further ones wait in the kernel, not in the server."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pdp.client import Client
from pdp.config import Tls
from pdp.process.mongod import MongodProcess
from pdp.server.connections import HANDSHAKE_SECONDS
from pdp.server.newcomers import BACKLOG, MOST, Newcomers
from tests.certificates import Authority, Pair
from tests.e2e.test_unauthenticated import forget, peak, soft_limit
from tests.faults import Served, served
from tests.parts import asking

MOST_BYTES = 36 * 1024 * 1024
"""With the 64 MiB of messages, 100."""
WAIT_SECONDS = 0.3


class Clock:
    """A time that passes when the test says."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Door:
    """A listener that takes every connection and calls it a newcomer's."""

    def __init__(self, most: int) -> None:
        self.clock = Clock()
        self.newcomers = Newcomers(most, self.clock)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self._stack = ExitStack()

    async def opened(self) -> socket.socket:
        """Another connection. Raises `TimeoutError` where it has to wait."""
        loop, made = asyncio.get_running_loop(), socket.socket()
        self._stack.callback(made.close)
        made.setblocking(False)  # the socket module's own
        async with asyncio.timeout(WAIT_SECONDS):
            await loop.sock_connect(made, ("127.0.0.1", self.port))
        accepted, _ = self.socket.accept()
        self._stack.callback(accepted.close)
        self.newcomers.began()
        return made

    def close(self) -> None:
        self._stack.close()
        self.socket.close()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    made = Door(most=3)
    with made.newcomers.held_back([made.port]):
        for _ in range(3):
            await made.opened()
        yield made
    made.close()


async def comes_in(door: Door) -> None:
    """Return once another connection comes in; the kernel is told of it by the loop, a little later."""
    async with asyncio.timeout(5):
        while True:
            try:
                await door.opened()
            except TimeoutError:
                continue
            return


async def test_too_many_wait_until_the_time_of_earlier_ones_is_over(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TimeoutError):
        await door.opened()
    assert caplog.text.count("further connections wait") == 1
    door.clock.seconds += HANDSHAKE_SECONDS - 0.1
    with pytest.raises(TimeoutError):
        await door.opened()
    door.clock.seconds += 0.2
    await comes_in(door)


async def test_a_connection_whose_caller_is_known_makes_room_once(door: Door) -> None:
    door.newcomers.proven("ipv4:127.0.0.1:1")
    await comes_in(door)
    door.newcomers.proven("ipv4:127.0.0.1:1")
    with pytest.raises(TimeoutError):
        await door.opened()
    door.newcomers.proven("ipv4:127.0.0.1:2")
    await comes_in(door)


async def test_other_ports_of_the_process_are_left_alone(door: Door) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, socket.create_connection(other.getsockname(), 1):
        pass
    with pytest.raises(TimeoutError):
        await door.opened()


async def test_no_descriptor_is_left_behind(tmp_path: Path) -> None:
    """Servers start and stop in one process, beside files, pipes and sockets of every kind."""
    ends = os.pipe()
    with (
        (tmp_path / "file").open("w"),
        socket.socket(socket.AF_UNIX) as local,
        socket.create_server(("127.0.0.1", 0)) as door,
    ):
        local.bind(str(tmp_path / "local"))
        local.listen()
        before = descriptors()
        for _ in range(3):
            with Newcomers(3).held_back([door.getsockname()[1]]):
                assert descriptors() == before + 1
        assert descriptors() == before
    for end in ends:
        os.close(end)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture(scope="module", params=[False, True], ids=["tokens", "certificates"])
async def tls(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, state: Path, mongod: MongodProcess
) -> AsyncIterator[tuple[Served, Pair]]:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder)
    own = authority.server()
    files = Tls(certificate=own.certificate, key=own.key, client_ca=authority.ca if request.param else None)
    with soft_limit(16_384):
        async with served(folder, state, mongod.uri, seconds=600, tls=files) as serving:
            yield serving, authority.agent()


async def asked(serving: Served, pair: Pair) -> None:
    """Let a caller that nobody has seen connect and ask."""
    [(_, authorization)] = serving.metadata("report-bot")
    token = authorization.removeprefix("Bearer ")
    async with Client(serving.address, token, timeout=30, **pair.options) as client:
        assert await client.decide(asking())


def hello(size: int) -> bytes:
    """The longest beginning of a handshake that a server waits for the rest of."""
    message = b"\x01" + size.to_bytes(3, "big") + b"\x03\x03" + bytes(size - 3)
    records = (message[start : start + 16_000] for start in range(0, len(message), 16_000))
    return b"".join(b"\x16\x03\x01" + len(record).to_bytes(2, "big") + record for record in records)


async def test_those_who_prove_themselves_come_in_however_many(tls: tuple[Served, Pair]) -> None:
    serving, pair = tls  # nobody has been held back on it before
    for _ in range(0, MOST + BACKLOG, 32):
        await asyncio.gather(*(asked(serving, pair) for _ in range(32)))
    assert not [line for line in serving.said if "further connections wait" in line]


@pytest.mark.parametrize("said", [b"", hello(16_000), hello(90_000)], ids=["silent", "long", "longest"])
async def test_ten_thousand_handshakes_at_once_cost_at_most_36_mib(tls: tuple[Served, Pair], said: bytes) -> None:
    serving, pair = tls
    await asked(serving, pair)
    before = forget(serving.process.pid)
    host, _, port = serving.address.rpartition(":")
    with ExitStack() as stack:
        strangers = [stack.enter_context(socket.socket()) for _ in range(10_000)]
        for one in strangers:
            one.setblocking(False)  # the socket module's own
            one.connect_ex((host, int(port)))
        async with asyncio.timeout(60):
            await asyncio.gather(*(_sent(one, said) for one in strangers[: 3 * MOST]))
        assert peak(serving.process.pid) - before < MOST_BYTES
    await asked(serving, pair)


async def _sent(stranger: socket.socket, said: bytes) -> None:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(HANDSHAKE_SECONDS / 2):
            await loop.sock_sendall(stranger, said)
    except (OSError, TimeoutError):
        return

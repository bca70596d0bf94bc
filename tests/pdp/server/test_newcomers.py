"""Connections of unknown callers: so many at one time, and further ones wait in the kernel, not in the server."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, suppress
from pathlib import Path

import pytest

from pdp.client import Client
from pdp.config import Tls
from pdp.process.mongod import MongodProcess
from pdp.server import newcomers
from pdp.server.connections import HANDSHAKE_SECONDS
from pdp.server.doors import BACKLOG
from pdp.server.newcomers import MOST, Newcomers
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
        self.clients: list[socket.socket] = []
        self._stack = ExitStack()

    async def opened(self, source: str = "127.0.0.1") -> socket.socket:
        """Another connection. Raises `TimeoutError` where it has to wait."""
        loop, made = asyncio.get_running_loop(), socket.socket()
        self._stack.callback(made.close)
        made.bind((source, 0))
        made.setblocking(False)  # the socket module's own
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await loop.sock_connect(made, ("127.0.0.1", self.port))
        except TimeoutError:
            made.close()  # or it goes on trying
            raise
        self.accepted, _ = self.socket.accept()
        self._stack.callback(self.accepted.close)
        self.newcomers.began()
        return made

    def burst(self, source: str, count: int) -> list[socket.socket]:
        """Connections that are made before the server takes the first of them.

        They are fewer where a look came in between, after which the rest would wait.
        """
        made: list[socket.socket] = []
        with suppress(TimeoutError):
            for _ in range(count):
                made.append(socket.create_connection(("127.0.0.1", self.port), WAIT_SECONDS, (source, 0)))  # noqa: PERF401
        for one in made:
            one.setblocking(False)  # the socket module's own
            self._stack.callback(one.close)
            self._stack.callback(self.socket.accept()[0].close)
            self.newcomers.began()
        return made

    def close(self) -> None:
        self._stack.close()
        self.socket.close()


class Listened(logging.Handler):
    """What newcomers' threads say, also between two phases of a test, which pytest does not hear."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def said() -> Iterator[Listened]:
    listened = Listened()
    newcomers.log.addHandler(listened)
    yield listened
    newcomers.log.removeHandler(listened)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    made = Door(most=3)
    with made.newcomers.held_back([made.port]):
        made.clients = [await comes_in(made, f"127.0.1.{number}") for number in (1, 2, 3)]
        yield made
    made.close()


@pytest.fixture
async def wide() -> AsyncIterator[Door]:
    """A door for 70, of whom 10 are kept for proven sources. From 15 on their sources are looked for; 30 is a gate."""
    made = Door(most=70)
    with made.newcomers.held_back([made.port]):
        yield made
    made.close()


async def comes_in(door: Door, source: str = "127.0.0.1") -> socket.socket:
    """Another connection, once it comes in; the kernel is told of it by a thread, a little later."""
    async with asyncio.timeout(5):
        while True:
            try:
                return await door.opened(source)
            except TimeoutError:
                continue


async def until(holds: Callable[[], bool]) -> None:
    """Return once it holds."""
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)


def name(one: socket.socket) -> str:
    """The peer as gRPC names it to a server."""
    return "ipv4:{}:{}".format(*one.getsockname())


def is_ended(one: socket.socket) -> bool:
    try:
        return one.recv(1) == b""
    except BlockingIOError:
        return False


def waits_said(said: Listened) -> int:
    """How often it was said that connections wait: of all, or of one source where a look came early."""
    return sum("further connections" in one and "wait:" in one for one in said.lines)


async def test_too_many_wait_until_the_time_of_earlier_ones_is_over(said: Listened, door: Door) -> None:
    with pytest.raises(TimeoutError):
        await door.opened()
    async with asyncio.timeout(60):  # a thread says it, a little later
        while not waits_said(said):
            await asyncio.sleep(0.02)
    assert waits_said(said) == 1
    door.clock.seconds += HANDSHAKE_SECONDS - 0.1
    with pytest.raises(TimeoutError):
        await door.opened()
    door.clock.seconds += 0.2
    await comes_in(door)


async def test_a_connection_whose_caller_is_known_makes_room_once(door: Door) -> None:
    first, second = door.clients[:2]
    door.newcomers.proven(name(first))
    await comes_in(door)
    door.newcomers.proven(name(first))
    with pytest.raises(TimeoutError):
        await door.opened()
    door.newcomers.proven(name(second))
    await comes_in(door)


async def test_a_flood_costs_only_its_own_source(wide: Door, caplog: pytest.LogCaptureFixture) -> None:
    """While the time of nobody is over, the flood waits by its name, and others come in."""
    for _ in range(31):
        await comes_in(wide, "127.0.0.2")
    wide.burst("127.0.0.2", 14)
    for number in range(1, 10):
        await comes_in(wide, f"127.0.1.{number}")
    with pytest.raises(TimeoutError):
        await wide.opened("127.0.0.2")
    assert "further connections of 127.0.0.2 wait" in caplog.text


async def test_a_source_that_came_in_too_fast_loses_what_others_need(wide: Door) -> None:
    """Not what was there before anybody looked, which may be older than it seems."""
    before = wide.burst("127.0.0.9", 30)
    other = await comes_in(wide, "127.0.0.3")
    flood = wide.burst("127.0.0.2", 60)
    stays = flood[:]

    def has_lost_enough() -> bool:
        stays[:] = [one for one in stays if not is_ended(one)]
        return len(stays) <= 19

    await until(has_lost_enough)
    assert len(stays) == 19 or len(flood) < 60, "all of them were there before a look"
    assert not any(map(is_ended, [*before, other]))
    await comes_in(wide)


async def test_closed_connections_make_room_at_once(wide: Door) -> None:
    for _ in range(3 * 70):
        await comes_in(wide, "127.0.0.2")
        wide.accepted.close()
        wide.clock.seconds += 0.001


async def test_sources_of_proven_callers_have_room_of_their_own(wide: Door) -> None:
    wide.newcomers.proven("ipv4:127.0.0.7:1")
    for number in range(1, 61):
        await comes_in(wide, f"127.0.1.{number}")
    with pytest.raises(TimeoutError):
        await wide.opened()
    for _ in range(5):
        await comes_in(wide, "127.0.0.7")


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


def client_of(serving: Served, pair: Pair) -> Client:
    [(_, authorization)] = serving.metadata("report-bot")
    return Client(serving.address, authorization.removeprefix("Bearer "), timeout=30, **pair.options)


async def asked(serving: Served, pair: Pair) -> None:
    """Let a caller that nobody has seen connect and ask."""
    async with client_of(serving, pair) as client:
        assert await client.decide(asking())


def hello(size: int) -> bytes:
    """The longest beginning of a handshake that a server waits for the rest of."""
    message = b"\x01" + size.to_bytes(3, "big") + b"\x03\x03" + bytes(size - 3)
    records = (message[start : start + 16_000] for start in range(0, len(message), 16_000))
    return b"".join(b"\x16\x03\x01" + len(record).to_bytes(2, "big") + record for record in records)


async def test_those_who_prove_themselves_come_in_however_many(tls: tuple[Served, Pair]) -> None:
    serving, pair = tls  # nobody has been held back on it before
    async with AsyncExitStack() as stack:
        for _ in range(0, MOST + BACKLOG, 32):
            clients = [await stack.enter_async_context(client_of(serving, pair)) for _ in range(32)]
            assert all(await asyncio.gather(*(client.decide(asking()) for client in clients)))
    assert not [line for line in serving.said if "further connections" in line]


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


async def test_honest_newcomers_come_in_beside_a_flood_of_one_source(tls: tuple[Served, Pair]) -> None:
    serving, pair = tls
    host, _, port = serving.address.rpartition(":")
    with ExitStack() as stack:
        for _ in range(4 * MOST):
            one = stack.enter_context(socket.socket())
            one.bind(("127.0.0.2", 0))
            one.setblocking(False)  # the socket module's own
            one.connect_ex((host, int(port)))
        async with asyncio.timeout(HANDSHAKE_SECONDS - 1):
            await asked(serving, pair)


async def _sent(stranger: socket.socket, said: bytes) -> None:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(HANDSHAKE_SECONDS / 2):
            await loop.sock_sendall(stranger, said)
    except (OSError, TimeoutError):
        return

"""What a supervisor hears of a server, on a real socket."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pdp.environment import Environment
from pdp.server.notify_socket import NotifySocket, supervised

SECONDS = 10.0


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """The address in NOTIFY_SOCKET, and the socket behind it."""
    path = str(tmp_path / "notify") if request.param == "path" else f"\0placet-{os.getpid()}-{time.monotonic_ns()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        receiver.settimeout(SECONDS)
        yield path.replace("\0", "@"), receiver


def environment(address: str, **others: str) -> Environment:
    return Environment.read({"HOME": "/", "NOTIFY_SOCKET": address, **others})


def test_it_says_what_systemd_waits_for(systemd: tuple[str, socket.socket]) -> None:
    address, receiver = systemd
    supervisor = NotifySocket(address)
    supervisor.ready("serving on 127.0.0.1:4770")
    assert receiver.recv(1000) == b"READY=1\nSTATUS=serving on 127.0.0.1:4770"
    supervisor.stopping()
    assert receiver.recv(1000) == b"STOPPING=1\nSTATUS=draining"


async def test_signs_of_life_stop_where_the_event_loop_stands_still(systemd: tuple[str, socket.socket]) -> None:
    address, receiver = systemd
    receiver.setblocking(False)
    async with supervised(environment(address, WATCHDOG_USEC="150000")):
        async with asyncio.timeout(SECONDS):
            for _ in range(3):
                assert await asyncio.get_running_loop().sock_recv(receiver, 1000) == b"WATCHDOG=1"
        time.sleep(0.4)  # noqa: ASYNC251  # the loop stands still
        with pytest.raises(BlockingIOError):
            receiver.recv(1000)


async def test_without_a_watchdog_there_are_no_signs_of_life(systemd: tuple[str, socket.socket]) -> None:
    address, receiver = systemd
    receiver.setblocking(False)
    for others in ({}, {"WATCHDOG_USEC": "30000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "soon"}):
        async with supervised(environment(address, **others)):
            await asyncio.sleep(0.05)
        with pytest.raises(BlockingIOError):
            receiver.recv(1000)


async def test_without_a_supervisor_nothing_is_sent(caplog: pytest.LogCaptureFixture) -> None:
    async with supervised(environment("")) as supervisor:
        supervisor.ready("serving")
        supervisor.stopping()
    assert not caplog.text


def test_a_supervisor_that_is_gone_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    NotifySocket(str(tmp_path / "gone")).ready("serving")
    assert "the supervisor did not get READY=1: No such file or directory" in caplog.text

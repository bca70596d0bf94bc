"""The workers of one server: replaced only by such as start, and ended together."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.errors import SetupError
from pdp.logs import LogFormat, Logs
from pdp.server import worker
from pdp.server.operations import Views, answering, own_metrics
from pdp.server.readiness import Readiness
from pdp.server.worker import Worker
from pdp.server.workers import Patience, Workers
from tests.faults import eventually

SERVES = """
import signal, sys, time
def wait(*_):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    time.sleep({pause})
signal.signal(signal.SIGTERM, {on_term})
print("this worker serves", flush=True)
while True:
    signal.pause()
"""


class Script(Worker):
    """A worker that serves nothing, and ends at SIGTERM as `on_term` says."""

    def __init__(self, folder: Path, logs: Logs, on_term: str, pause: float = 60) -> None:
        super().__init__(0, 0, folder, 5, logs)
        self._command = (sys.executable, "-c", SERVES.format(on_term=on_term, pause=pause))


@pytest.fixture
async def logs() -> AsyncIterator[Logs]:
    made = Logs(LogFormat.CONSOLE)
    yield made
    made.close()


def workers(folder: Path, logs: Logs, *some: Script) -> Workers:
    made = Workers(0, folder, Patience(0.2, 0.2), logs, Readiness())
    made.all = list(some)
    return made


async def test_worker_that_had_to_be_killed_is_told(tmp_path: Path, logs: Logs) -> None:
    stubborn = Script(tmp_path, logs, "signal.SIG_IGN")
    stubborn.stop_seconds = 0.2
    found = workers(tmp_path, logs, stubborn)
    await found.start()
    assert await found.stop() == ["worker 0 ended with SIGKILL"]


async def test_second_signal_ends_a_pause(tmp_path: Path, logs: Logs) -> None:
    found = workers(tmp_path, logs, Script(tmp_path, logs, "wait"), Script(tmp_path, logs, "wait"))
    await found.start()
    ending = asyncio.create_task(found.stop())
    await asyncio.sleep(0.2)
    assert not ending.done()
    await found.hurry()
    assert await asyncio.wait_for(ending, 4) == []


async def test_worker_whose_successor_does_not_start_stays(
    tmp_path: Path, logs: Logs, capfd: pytest.CaptureFixture[str]
) -> None:
    old = Script(tmp_path, logs, "lambda *_: sys.exit(0)")
    found = workers(tmp_path, logs, old)
    await found.start(first_alone=True)
    await found.replace()  # there is no order for a worker in this folder
    assert found.all == [old]
    assert old.ending == ""
    assert await found.stop() == []

    async def told() -> bool:
        return "worker 0 and those behind it are not replaced." in capfd.readouterr().err

    await eventually(told)


async def test_server_does_not_start_without_one_of_its_workers(tmp_path: Path, logs: Logs) -> None:
    found = Workers(1, tmp_path, Patience(1, 1), logs, Readiness())
    found.all.insert(0, good := Script(tmp_path, logs, "lambda *_: sys.exit(0)"))
    with pytest.raises(SetupError, match="worker 0 did not start"):
        await found.start()
    await found.stop()
    assert good.ending == "exit status 0"


async def test_worker_without_life_is_killed_and_started_again_and_one_that_cannot_decide_stays(
    tmp_path: Path, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "HUNG_LOOKS", 3)
    one = Script(tmp_path, logs, "lambda *_: sys.exit(0)")
    async with one:
        before = one.pid
        with answering(f"unix:{one.status}", Views(lambda: True, Readiness, own_metrics)):
            assert [await one.is_ready() for _ in range(5)] == [False] * 5
        assert one.pid == before
        for _ in range(3):
            assert not await one.is_ready()

        async def is_another() -> bool:
            return one.pid != before and not one.ending

        await eventually(is_another)


async def test_readiness_is_told_of_each(tmp_path: Path, logs: Logs) -> None:
    readiness = Readiness()
    found = Workers(0, tmp_path, Patience(1, 1), logs, readiness)
    found.all = [Script(tmp_path, logs, "lambda *_: sys.exit(0)")]
    await found.start()
    assert (readiness.needed, readiness.others) == ({"workers": False}, {"worker 0": False})
    await found.stop()

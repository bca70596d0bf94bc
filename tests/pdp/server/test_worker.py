"""A worker as a process, and its metrics among those of the others."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from pdp.errors import SetupError
from pdp.logs import LogFormat, Logs
from pdp.server.gathering import Gathering
from pdp.server.order import Order
from pdp.server.worker import Worker
from tests.scrape import samples

COUNTED = "# HELP pdp_x_total X.\n# TYPE pdp_x_total counter\npdp_x_total {}\n"


async def test_worker_that_does_not_start_says_why(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "nowhere.toml")
    Order(file, {}, {"listen": ("127.0.0.1:0", "127.0.0.1:4711")}, 60.0, 1.0, "json", "info").write(tmp_path)
    logs = Logs(LogFormat.JSON)
    worker = Worker(3, 0, tmp_path, 5, logs)
    with pytest.raises(SetupError) as error:
        await worker.start()
    logs.close()
    first, last = error.value.sentence.splitlines()
    assert first == "worker 3 did not start (exit status 1)"
    assert last.strip().startswith(f"cannot read the configuration {tmp_path}/nowhere.toml: ")
    line = json.loads(capfd.readouterr().err)
    assert (line["level"], line["worker"]) == ("critical", 3)
    assert not await worker.is_ready()
    assert worker.fault == "worker 3 ended with exit status 1"


class Counting(Worker):
    """A worker that answers with what it has counted; it is no process."""

    def __init__(self, folder: Path, count: int | None) -> None:
        self.status, self.count, self.process_id = folder / uuid4().hex, count, 1

    @property
    def pid(self) -> int:
        return self.process_id

    async def metrics(self) -> str:
        return "" if self.count is None else COUNTED.format(self.count)


async def test_metrics_are_the_sum_and_never_go_down(tmp_path: Path) -> None:
    gathering = Gathering()
    one, two = Counting(tmp_path, 3), Counting(tmp_path, 4)
    found = [one, two]
    gathering.workers = lambda: found

    async def seen() -> float:
        return samples(await gathering.text())["pdp_x_total"]

    assert await seen() == 7
    one.count = None  # it is busy
    assert await seen() == 7
    one.process_id, one.count = 2, 1  # it died, and runs again
    assert await seen() == 8
    found[0] = Counting(tmp_path, 0)  # it was replaced
    assert await seen() == 8
    two.process_id, two.count = 2, 0
    assert await seen() == 8

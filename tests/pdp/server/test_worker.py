"""A worker as a process, and what it is told."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from pdp.dev.stack import configuration
from pdp.errors import SetupError
from pdp.logs import LogFormat, Logs
from pdp.server.gathering import Gathering
from pdp.server.order import Order
from pdp.server.worker import Worker
from tests.faults import configured
from tests.scrape import samples

COUNTED = "# HELP pdp_x_total X.\n# TYPE pdp_x_total counter\npdp_x_total {}\n"


def order(file: Path, listen: str = "127.0.0.1:0") -> Order:
    return Order(str(file), {}, {"listen": (listen, "127.0.0.1:4711")}, 60.0, "json", "info", ("unix:/o0", "unix:/o1"))


@pytest.fixture
def file(tmp_path: Path, state: Path) -> Path:
    """A configuration."""
    config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://127.0.0.1:1")
    return configured(config.model_copy(update={"http": None, "mask_keys": None}), tmp_path)


def test_order_is_for_this_user_alone_and_says_what_each_worker_has(tmp_path: Path, file: Path) -> None:
    order(file).write(tmp_path)
    assert (tmp_path / "order.json").stat().st_mode & 0o777 == 0o600
    read = Order.read(tmp_path)
    config = read.configuration(tmp_path / "w.sock")
    assert (config.listen, config.operations and config.operations.listen) == (
        "127.0.0.1:4711",
        f"unix:{tmp_path}/w.sock",
    )
    shares = [read.share(number, tmp_path) for number in range(3)]
    assert [(share.opa, share.opa_number) for share in shares] == [("unix:/o0", 0), ("unix:/o1", 1), ("unix:/o0", 0)]
    assert [share.is_first for share in shares] == [True, False, False]


def test_worker_that_reads_other_addresses_than_are_held_does_not_start(tmp_path: Path, file: Path) -> None:
    with pytest.raises(SetupError, match="addresses in the configuration changed; end `pdp serve`"):
        order(file, "127.0.0.1:4999").configuration(tmp_path / "w.sock")


async def test_worker_that_does_not_start_says_why(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    order(tmp_path / "nowhere.toml").write(tmp_path)
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
    gathering.workers = [one, two]

    async def seen() -> float:
        return samples(await gathering.text())["pdp_x_total"]

    assert await seen() == 7
    one.count = None  # it is busy
    assert await seen() == 7
    one.process_id, one.count = 2, 1  # it died, and runs again
    assert await seen() == 8
    gathering.workers = [Counting(tmp_path, 0), two]  # it was replaced
    assert await seen() == 8
    two.process_id, two.count = 2, 0
    assert await seen() == 8

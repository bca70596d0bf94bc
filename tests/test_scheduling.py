"""The order in which workers get tests: in any number of runs that are imagined, and in one that is real."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling import ALONE, LONG, MODES, ROOT, Units, rank, unit


@dataclass(eq=False)
class Worker:
    """As a worker of xdist: it begins a test when it knows the next one, or that there is none."""

    name: str
    queue: list[int] = field(default_factory=list)
    shutting_down: bool = False
    running: int | None = None

    @property
    def gateway(self) -> SimpleNamespace:
        return SimpleNamespace(id=self.name)

    def send_runtest_some(self, indices: list[int]) -> None:
        assert not self.shutting_down
        self.queue += indices
        self.begin()

    def shutdown(self) -> None:
        self.shutting_down = True
        self.begin()

    def begin(self) -> None:
        if self.running is None and len(self.queue) > (0 if self.shutting_down else 1):
            self.running = self.queue.pop(0)


FILES = ["tests/test_readme.py", "tests/e2e/test_a.py", *(f"tests/pdp/test_{number}.py" for number in range(6)), *ALONE]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FILES), st.integers(1, 3), min_size=1), st.integers(1, 4), st.data())
def test_every_test_runs_once_and_nothing_beside_those_that_run_alone(
    counts: dict[str, int], number: int, data: st.DataObject
) -> None:
    tests = [f"{file}::test_{place}" for file in FILES for place in range(counts.get(file, 0))]
    option = SimpleNamespace(loadscopereorder=True)
    config: Any = SimpleNamespace(option=option, getvalue=lambda _: [f"{number}*popen"])
    units, workers = Units(config), [Worker(f"gw{place}") for place in range(number)]
    units.numnodes = number
    for worker in workers:
        units.add_node(worker)  # type: ignore[arg-type]
        units.add_node_collection(worker, tests)  # type: ignore[arg-type]
    units.schedule()
    end_if_finished(units, workers)
    ended: list[tuple[str, str]] = []
    while busy := [worker for worker in workers if worker.running is not None]:
        lone = [worker for worker in busy if tests[worker.running or 0].startswith(ALONE)]
        assert not lone or len(busy) == 1
        worker = data.draw(st.sampled_from(busy))
        index, worker.running = worker.running or 0, None
        ended.append((tests[index], worker.name))
        worker.begin()
        units.mark_test_complete(worker, index)  # type: ignore[arg-type]
        end_if_finished(units, workers)
    assert sorted(test for test, _ in ended) == sorted(tests)
    assert len({(unit(test), name) for test, name in ended}) == len({unit(test) for test in tests})
    assert all(worker.shutting_down for worker in workers)


def end_if_finished(units: Units, workers: Sequence[Worker]) -> None:
    """As the session does after every message of a worker."""
    if units.tests_finished:
        for worker in workers:
            worker.shutdown()


CONFTEST = """
from tests.scheduling import Units

def pytest_xdist_make_scheduler(config, log):
    return Units(config, log)
"""
TEST = """
import json, os, time
import pytest

@pytest.mark.parametrize("number", range(2))
def test_it(number):
    began = time.monotonic()
    time.sleep({seconds})
    with open("log", "a") as log:
        print(json.dumps([{file!r}, began, time.monotonic()]), file=log)
"""


def test_a_real_run_is_like_the_imagined_ones(tmp_path: Path) -> None:
    files = [*FILES[:6], *ALONE[:2]]
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(TEST.format(file=file, seconds=0.3 if file == files[5] else 0.0))
    command = [sys.executable, "-m", "pytest", "-p", "xdist", "-n", "2", "-p", "no:cacheprovider"]
    options = ["--import-mode=importlib", f"--override-ini=pythonpath={ROOT}"]
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([*command, *options], cwd=tmp_path, env=environment, check=True, capture_output=True)
    ran = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert sorted(file for file, _, _ in ran) == sorted([*files, *files])
    first_alone = min(began for file, began, _ in ran if file in ALONE)
    assert max(end for file, _, end in ran if file not in ALONE) < first_alone


def test_long_ones_start_first_and_those_that_wait_beside_those_that_compute() -> None:
    names = ["alone", "tests/pdp/test_a.py", "tests/e2e/test_c.py", "tests/cli/test_b.py", MODES, "tests/cli/test_d.py"]
    assert [names.index(name) for name in sorted(names, key=rank)] == [4, 3, 2, 5, 1, 0]
    assert unit(f"{MODES}::test_kernels") == MODES
    assert unit(f"{ALONE[0]}::test_a[x::y]") == "alone"


@pytest.mark.parametrize("name", sorted({*ALONE, *LONG, MODES}))
def test_every_name_in_the_lists_is_that_of_tests(name: str) -> None:
    folder, _, start = name.rpartition("/")
    assert any(path.name.startswith(start) for path in (ROOT / folder).iterdir()), name

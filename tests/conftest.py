import gc
import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from xdist.remote import Producer

from masker.kept_kernels import keep_kernels
from pdp.operations_settings import Operations
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from tests.mask_jobs import Stage, staged
from tests.memory import in_memory
from tests.parts import TOOL_CACHE, Placet, awake, placet
from tests.pdp.mongo import close_what_waits
from tests.scheduling import Units

keep_kernels(TOOL_CACHE)
# `make spark` runs all of `tests/spark`, with Spark. These are the ones that need it.
_NEEDS_SPARK = (
    "bare",
    "canary",
    "command",
    "driver",
    "faults",
    "interrupted",
    "job",
    "keyed_part",
    "servers",
    "story",
    "types",
)
collect_ignore = [] if importlib.util.find_spec("pyspark") else [f"spark/test_{name}.py" for name in _NEEDS_SPARK]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Units:
    return Units(config, log)


def pytest_collection_finish() -> None:
    """What was collected stays: without it each look of the garbage collector stops the servers of this process.

    Looks are rarer, too: measured, tests take 2 to 9 % less CPU time so.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rounds", type=int, default=2, help="how often each random fault and each race is tried")


@pytest.fixture(scope="session")
def rounds(request: pytest.FixtureRequest) -> int:
    """How often each random fault and each race is tried: 2 in the suite, more in a soak."""
    return int(request.config.getoption("--rounds"))


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dev state folder: its keys sign every token of the tests."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="session")
async def mongod(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MongodProcess]:
    """A MongoDB that lets tests inject faults."""
    with in_memory(tmp_path_factory.mktemp("mongodb")) as folder:
        async with MongodProcess(toolcache.mongod(), folder, say=print, test_commands=True) as process:
            yield process


@pytest.fixture(scope="session")
async def started(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """The server behind `server`."""
    async with placet(state, mongod.uri, operations=Operations(listen="127.0.0.1:0", drain_seconds=0)) as running:
        yield running


@pytest.fixture(scope="session")
async def masking_stage(
    state: Path, mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """The server behind `stage`."""
    async with staged(state, mongod.uri, tmp_path_factory.mktemp("policy")) as made:
        yield made


@pytest.fixture
async def stage(masking_stage: Stage) -> Stage:
    """A server for mask jobs, with its policy as it was at the beginning."""
    await masking_stage.change()
    return masking_stage


@pytest.fixture(scope="module")
async def server(started: Placet, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """One server with the reference policy for all tests that break nothing; no module leaves anything waiting."""
    await awake(started)
    yield started
    await close_what_waits(mongod, started)

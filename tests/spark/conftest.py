from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.spark import cluster
from tests.spark.placed import Placed, placed


@pytest.fixture(scope="session")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the session writes its event log."""
    return tmp_path_factory.mktemp("events")


@pytest.fixture(scope="session")
def spark(events: Path) -> Iterator[Any]:
    """One session of Spark for all tests that break nothing in it. What a test sets of its conf, it resets."""
    with cluster.session({"spark.eventLog.enabled": "true", "spark.eventLog.dir": f"file://{events}"}) as started:
        yield started


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Placed]:
    """One server for the same tests."""
    with placed(tmp_path_factory.mktemp("placet")) as running:
        yield running


@pytest.fixture
def people(spark: Any) -> Any:
    """Seven people in three parts."""
    rows = [(f"id {number}" if number else None, f"note {number}") for number in range(7)]
    return spark.createDataFrame(rows, "id string, note string").repartition(3)

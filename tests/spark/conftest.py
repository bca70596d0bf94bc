from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.spark import cluster
from tests.spark.amid import PART_ROWS, PARTS, Amid, rows, rows_of
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


@pytest.fixture
def amid(spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Amid]:
    """Jobs of this test are held still after their first rows."""
    made = Amid(spark, tmp_path / "amid", monkeypatch)
    yield made
    made.go()
    made.close()


@pytest.fixture(scope="session")
def expected(spark: Any, stack: Placed) -> set[tuple[str, str]]:
    """The output of two parts of `rows` where nothing happens to them."""
    with stack.job(spark) as job:
        found = rows_of(job.masked(rows(spark)))
    assert len(found) == len({plain for _, plain in found}) == PARTS * PART_ROWS
    return found

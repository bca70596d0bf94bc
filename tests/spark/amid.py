"""A job that a test holds still while rows have left and others have not, so that a fault comes amid it."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pdp.compact_parts import expanded
from pdp.spark import executor
from pdp.spark.executor import Parts
from pdp.v1.mask_job_pb2 import MaskJob
from tests.faults import children, command
from tests.mask_jobs import SUCCEEDED, values
from tests.spark.placed import Placed

PARTS, BATCH_ROWS, BATCHES = 2, 10, 8
"""As many parts as there are executors, which have one core each."""
BEFORE = 3
"""Batches of a part that are masked before it is held still."""
PART_ROWS = BATCH_ROWS * BATCHES
SECONDS = 120.0


class Amid:
    """Holds the parts in `held` still in their Python workers, from the fourth batch on, until `go`.

    `folder` is seen by executors.
    """

    def __init__(self, spark: Any, folder: Path, patched: pytest.MonkeyPatch, held: range = range(1000)) -> None:
        folder.mkdir()
        self._spark, self.folder = spark, folder
        spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", f"{BATCH_ROWS}")
        for name in ("streaming", "keyed"):
            patched.setattr(executor, name, partial(_parts, f"{folder}", held, getattr(executor, name)))

    @property
    def attempts(self) -> set[tuple[int, int]]:
        """Part and attempt of those of which masked rows came back."""
        names = (path.name.split("-")[1:] for path in self.folder.glob("left-*"))
        return {(int(part), int(attempt)) for part, attempt in names}

    @property
    def workers(self) -> list[int]:
        """The Python workers that these run in."""
        return [int(waited(path.read_text)) for path in self.folder.glob("left-*")]

    def go(self) -> None:
        """Let the rest come."""
        (self.folder / "go").touch()

    def again(self) -> None:
        """Hold the parts of another job still."""
        for path in self.folder.iterdir():
            path.unlink()

    @contextmanager
    def fault(
        self, happens: Callable[[], Any], parts: int = PARTS, then: Callable[[], Any] = lambda: None
    ) -> Iterator[None]:
        """Once masked rows of so many parts have come back, let it happen, let the rest come, and do what is `then`."""

        def happening() -> None:
            try:
                waited(lambda: len({part for part, _ in self.attempts}) >= parts)
                happens()
            finally:
                self.go()
                then()

        with ThreadPoolExecutor(1) as beside:
            faulting = beside.submit(happening)
            try:
                yield
            finally:
                faulting.result()

    def close(self) -> None:
        self._spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")


def rows(spark: Any, parts: int = PARTS) -> Any:
    """Rows whose `note` is what is in `id`."""
    frame = spark.range(0, PART_ROWS * parts, numPartitions=parts)
    return frame.selectExpr("concat('id ', id) as id", "concat('id ', id) as note")


def waited(look: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """What `look` finds as soon as it finds anything."""
    until = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.02)
    return found


def below(pid: int) -> Iterator[int]:
    """The processes that come from one, without it."""
    for child in children(pid):
        yield child
        yield from below(child)


def running(what: bytes) -> list[int]:
    """Our processes whose command has this in it."""
    found = []
    for pid in below(os.getpid()):
        with suppress(OSError):  # it ended meanwhile
            found += [pid] if what in command(pid) else []
    return found


def kill_one(pids: Sequence[int]) -> None:
    """Kill the first."""
    os.kill(pids[0], signal.SIGKILL)


def rows_of(found: Any) -> set[tuple[str, str]]:
    """What is in an output: the masked id, and the one that it was."""
    return {(row.id, row.note) for row in found.select("id", "note").collect()}


def require_true(stack: Placed, job: MaskJob, amid: Amid, parts: int = PARTS) -> dict[str, Any]:
    """Hold a job that succeeded against what was seen of it; returns what its record says."""
    told = stack.record(job.job_id)["mask_job"]
    assert (job.outcome, told["outcome"], told["why"], told["by"]) == (SUCCEEDED, "SUCCEEDED", "", "caller"), told
    assert (job.parts, job.rows) == (told["parts"], told["rows"]) == (parts, parts * PART_ROWS), told
    ended = expanded(told["ended"])
    assert [(part, rows) for part, _, rows in ended] == [(part, PART_ROWS) for part in range(parts)], ended
    thrown_away = {(part, attempt): rows for part, attempt, _, rows, _ in told["thrown_away"]}
    assert (job.other_attempts, job.other_rows) == (len(thrown_away), sum(thrown_away.values())), told
    assert values(job)["id"] >= job.rows + job.other_rows, told
    assert amid.attempts <= {(part, attempt) for part, attempt, _ in ended} | set(thrown_away), (amid.attempts, told)
    return dict(told)


def _parts(folder: str, held: range, made: Callable[..., Parts], *given: Any) -> Parts:
    """What masks parts, as the job makes it, with the test between it and Spark."""
    return partial(_masked, folder, held, made(*given))


def _masked(folder: str, held: range, parts: Parts, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """On an executor: the masked batches. The test hears of the first one; the last ones wait for it."""
    from pyspark import TaskContext  # noqa: PLC0415  # the plain suite has none

    here: Any = TaskContext.get()
    for batch in parts(_still(folder, batches) if here.partitionId() in held else batches):
        (Path(folder) / f"left-{here.partitionId()}-{here.taskAttemptId()}").write_text(f"{os.getpid()}")
        yield batch


def _still(folder: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for number, batch in enumerate(batches):
        if number == BEFORE:
            waited((Path(folder) / "go").exists)
        yield batch

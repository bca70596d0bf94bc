"""What dies or changes amid a job: the output is whole and the record true, or the job failed and says why."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pdp.authn import tickets
from pdp.client import CallError
from pdp.dev import identity
from pdp.spark import MaskRefused
from tests.mask_jobs import FAILED, values
from tests.spark import amid as amidst
from tests.spark.amid import BATCH_ROWS, PART_ROWS, PARTS, Amid, require_true, rows, rows_of
from tests.spark.placed import Placed, placed


def worker(amid: Amid) -> None:
    """A Python worker that streams dies."""
    amidst.kill_one(amid.workers)


def executor(_: Amid) -> None:
    """A machine of the cluster dies."""
    amidst.kill_one(amidst.running(b"CoarseGrainedExecutorBackend"))


@pytest.mark.parametrize("dies", [worker, executor])
def test_what_dies_on_the_cluster_is_another_attempt(
    spark: Any,
    stack: Placed,
    amid: Amid,
    expected: set[tuple[str, str]],
    dies: Callable[[Amid], None],
    tmp_path: Path,
) -> None:
    with stack.job(spark) as job, amid.fault(lambda: dies(amid)):
        job.masked(rows(spark)).write.parquet(f"{tmp_path}/out")
    assert rows_of(spark.read.parquet(f"{tmp_path}/out")) == expected
    ended = stack.get(job.id)
    require_true(stack, ended, amid)
    assert ended.other_attempts == 1
    assert ended.other_rows >= BATCH_ROWS


def test_mongodb_that_dies_costs_attempts_at_most(
    spark: Any, stack: Placed, amid: Amid, expected: set[tuple[str, str]], tmp_path: Path
) -> None:
    """Streams that are open keep their numbers when it is back, or are tried again."""
    with stack.job(spark) as job, amid.fault(lambda: amidst.kill_one(amidst.running(b"mongod"))):
        job.masked(rows(spark)).write.parquet(f"{tmp_path}/out")
    assert rows_of(spark.read.parquet(f"{tmp_path}/out")) == expected
    require_true(stack, stack.get(job.id), amid)


def test_opa_that_is_away_is_waited_for(spark: Any, stack: Placed, amid: Amid) -> None:
    """What streams goes on; parts that begin ask again until the policy answers."""
    [opa] = amidst.running(b"opa")

    def back() -> None:
        try:
            amidst.waited(lambda: stack.get(job.id).other_attempts + stack.get(job.id).parts >= 2 * PARTS)
        finally:
            with suppress(ProcessLookupError):  # one that hangs is started again
                os.kill(opa, signal.SIGCONT)

    with stack.job(spark) as job, amid.fault(lambda: os.kill(opa, signal.SIGSTOP), then=back):
        assert len(rows_of(job.masked(rows(spark, 2 * PARTS)))) == 2 * PARTS * PART_ROWS
    require_true(stack, stack.get(job.id), amid, 2 * PARTS)


def test_a_policy_that_gets_stricter_lets_no_part_begin(spark: Any, stack: Placed, amid: Amid, tmp_path: Path) -> None:
    try:
        with (
            pytest.raises(MaskRefused, match=r"table people, part [23]: .*the table is closed"),
            stack.job(spark) as job,
            amid.fault(lambda: stack.run(stack.stage.change(closed=True))),
        ):
            job.masked(rows(spark, 2 * PARTS)).write.parquet(f"{tmp_path}/out")
    finally:
        stack.run(stack.stage.change(closed=False))
    require_failed(stack, job.id, tmp_path / "out", "the table is closed")


def test_the_end_of_the_ticket_ends_the_job(
    spark: Any, stack: Placed, amid: Amid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = SimpleNamespace(time=lambda: time.time() + 13 * 3600, monotonic=time.monotonic)
    with (
        pytest.raises(MaskRefused, match=r"table people, part [23]: .*the ticket is not valid here: it ended"),
        stack.job(spark) as job,
        amid.fault(lambda: monkeypatch.setattr(tickets, "time", later)),
    ):
        job.masked(rows(spark, 2 * PARTS)).write.parquet(f"{tmp_path}/out")
    require_failed(stack, job.id, tmp_path / "out", "the ticket is not valid here")


def test_a_job_that_is_cancelled_brings_no_stream_to_its_end(
    spark: Any, stack: Placed, amid: Amid, tmp_path: Path
) -> None:
    def cancel() -> None:
        server = stack.stage.server
        own = {"PDP_ADDRESS": server.address, "PDP_TOKEN": identity.token(server.state, "report-bot")}
        command = [sys.executable, "-m", "pdp", "mask", "jobs", "cancel", job.id, "--reason", "the wrong table"]
        subprocess.run(command, env={**os.environ, **own}, check=True, capture_output=True)

    with pytest.raises(MaskRefused, match="the wrong table"), stack.job(spark) as job, amid.fault(cancel):
        job.masked(rows(spark)).write.parquet(f"{tmp_path}/out")
    require_failed(stack, job.id, tmp_path / "out", "the wrong table")
    assert stack.get(job.id).parts == 0


def test_a_full_quota_ends_the_job_and_lets_no_other_begin(spark: Any, tmp_path: Path) -> None:
    with placed(tmp_path, mask_values_an_hour=PART_ROWS + 1) as stack:
        with (
            pytest.raises(MaskRefused, match=r"table people, part \d: more values of domain person.id to mask than"),
            stack.job(spark) as job,
        ):
            job.masked(rows(spark)).write.parquet(f"{tmp_path}/out")
        ended = stack.get(job.id)
        assert (ended.outcome, stack.record(job.id)["mask_job"]["outcome"]) == (FAILED, "FAILED")
        assert values(ended).get("id", 0) <= PART_ROWS + 1
        assert not (tmp_path / "out/_SUCCESS").exists()
        held = {"keys": f"{stack.stage.server.state}/keys/mask.json"}
        with stack.job(spark, **held) as job:
            job.masked(rows(spark)).collect()
        assert values(stack.get(job.id)) == {"id": PARTS * PART_ROWS}
        with pytest.raises(CallError) as refused, stack.job(spark, **held) as job:
            job.masked(rows(spark))
        assert refused.value.reason == "QUOTA_EXCEEDED"


def require_failed(stack: Placed, job_id: str, out: Path, why: str) -> None:
    """The job and its record say so, with what had left; readers of the output find that it is not whole."""
    job, told = stack.get(job_id), stack.record(job_id)["mask_job"]
    assert (job.outcome, told["outcome"]) == (FAILED, "FAILED")
    assert why in job.why
    assert job.rows + job.other_rows >= PARTS * BATCH_ROWS
    assert not (out / "_SUCCESS").exists()

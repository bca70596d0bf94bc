"""`python -m pdp.spark` in a process of its own, as a scheduler starts and ends it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

from pdp.dev import identity
from pdp.v1.mask_job_pb2 import ListMaskJobsRequest, MaskJob
from tests.mask_jobs import FAILED
from tests.spark import cluster
from tests.spark.placed import Placed

ROWS = 3_000_000
"""The job still runs for seconds after its first rows have left."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_job_as_failed_and_the_last_line_says_so(
    stack: Placed, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "in.csv").write_text("id,note\n" + "".join(f"id {row},note\n" for row in range(ROWS)))
    given = [str(tmp_path / "in.csv"), str(tmp_path / "out"), "--format", "csv", "--context", f"run={uuid4().hex}"]
    own = {
        "PDP_ADDRESS": stack.stage.server.address,
        "PDP_TOKEN": identity.token(stack.stage.server.state, "report-bot"),
        "PYSPARK_SUBMIT_ARGS": f"--master {cluster.MASTER} --conf spark.executor.memory=512m pyspark-shell",
    }
    program = [sys.executable, "-m", "pdp.spark", *given, "--table", "people", "--on-behalf-of", "user:alice"]
    environment = {**os.environ, **cluster.environment(), **own}
    with subprocess.Popen(program, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            until = time.monotonic() + 120
            while not (job := newest(stack)).rows or job.destination != str(tmp_path / "out"):
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.1)
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 128 + number
    assert said.splitlines()[-1].startswith("ended by a signal")
    assert stack.get(job.job_id).outcome == FAILED
    assert not (tmp_path / "out" / "_SUCCESS").exists()


def newest(stack: Placed) -> MaskJob:
    """The newest job, as it is now; an empty one if there is none."""
    asked = ListMaskJobsRequest(page_size=1)

    async def listed() -> list[MaskJob]:
        return list((await stack.stage.jobs.ListMaskJobs(asked, metadata=stack.stage.by("report-bot"))).jobs)

    return next(iter(stack.run(listed())), MaskJob())

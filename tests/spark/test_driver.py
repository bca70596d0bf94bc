"""A driver of its own: its tasks run twice at once, it tells nothing secret, and it is killed amid a job."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from pdp.client import CallError, Denied
from pdp.dev import identity
from pdp.v1.approval_pb2 import OutcomeState
from pdp.v1.mask_job_pb2 import MaskJobState
from pdp.workflow.job_ending import GRACE
from tests.mask_jobs import SUCCEEDED, over
from tests.spark.amid import BATCH_ROWS, PART_ROWS, PARTS, waited
from tests.spark.cluster import ROOT, standalone
from tests.spark.driver import ASKING, PAGES, values
from tests.spark.placed import Placed

UNKNOWN = OutcomeState.OUTCOME_STATE_UNKNOWN


@dataclass
class Drove:
    """What a driver left."""

    folder: Path
    log: str
    code: int

    def told(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text())


@pytest.fixture(scope="module")
def drove(stack: Placed, tmp_path_factory: pytest.TempPathFactory) -> Drove:
    folder, server = tmp_path_factory.mktemp("driver"), stack.stage.server
    own = {"PDP_ADDRESS": server.address, "PDP_TOKEN": identity.token(server.state, "report-bot")}
    command = [sys.executable, "-W", "ignore", "-m", "tests.spark.driver", f"{folder}"]
    with (folder / "log").open("w") as log, standalone(folder) as url:
        driver = subprocess.Popen([*command, url], cwd=ROOT, env={**os.environ, **own}, stdout=log, stderr=log)
        try:
            waited(lambda: (folder / "pending").exists() or driver.poll() is not None, 300)
            if (folder / "pending").exists():
                stack.approve(json.loads((folder / "pending").read_text()))
                (folder / "approved").touch()
            driver.wait(300)
        finally:
            driver.kill()
    said = "".join((folder / name).read_text(errors="replace") for name in ("log", "driver.log"))
    found = Drove(folder, said, driver.returncode)
    assert (folder / "second").exists(), found.log[-5000:]
    return found


def test_a_task_that_runs_twice_at_once_is_in_the_output_once(stack: Placed, drove: Drove, spark: Any) -> None:
    first = drove.told("first")
    assert len(first["attempts"]) == PARTS + 1
    job = stack.get(first["job"])
    assert (job.outcome, job.parts, job.rows) == (SUCCEEDED, PARTS, PARTS * PART_ROWS)
    found = spark.read.parquet(f"{drove.folder}/out")
    assert (found.count(), found.select("id").distinct().count()) == (PARTS * PART_ROWS, PARTS * PART_ROWS)
    [thrown_away] = stack.record(job.job_id)["mask_job"]["thrown_away"]
    assert thrown_away[:2] in first["attempts"]
    assert BATCH_ROWS <= thrown_away[3] == job.other_rows <= PART_ROWS


def test_a_driver_says_nothing_secret(stack: Placed, drove: Drove) -> None:
    tickets = [drove.told(name)["ticket"] for name in ("first", "second")]
    token = identity.token(stack.stage.server.state, "report-bot")
    secrets = [*tickets, *(each.split(".")[2] for each in (*tickets, token))]
    secrets += [hashlib.md5(f"canary {number}".encode(), usedforsecurity=False).hexdigest() for number in range(160)]
    pages = dict(zip(PAGES, drove.told("pages"), strict=True))
    assert "spark.speculation" in pages["environment/"]
    assert "MapInArrow" in pages["SQL/execution/?id=0"]
    assert "INFO org.apache.spark.scheduler.TaskSetManager: " in drove.log
    for name, text in {**pages, "log": drove.log}.items():
        assert not [secret for secret in secrets if secret in text], name


def test_a_killed_drivers_job_is_unknown_and_its_approval_stays_used(stack: Placed, drove: Drove, spark: Any) -> None:
    told = drove.told("second")
    assert drove.code == -9
    assert not (drove.folder / "half/_SUCCESS").exists()

    def left() -> bool:
        """Its executors end by themselves."""
        return stack.get(told["job"]).other_rows >= PARTS * BATCH_ROWS

    waited(left)
    assert stack.get(told["job"]).state == MaskJobState.MASK_JOB_STATE_RUNNING
    with pytest.raises((Denied, CallError)) as used, stack.job(spark, **again()) as job:
        job.masked(values(spark))
    assert "take another request_id" in f"{used.value} {getattr(used.value, '__notes__', '')}"
    stack.run(ends(stack, told["job"]))
    waited(lambda: stack.get(told["job"]).state == MaskJobState.MASK_JOB_STATE_FINISHED)
    ended, record = stack.get(told["job"]), stack.record(told["job"])["mask_job"]
    assert (ended.outcome, ended.parts, record["outcome"]) == (UNKNOWN, 0, "UNKNOWN")
    assert sorted(one[:2] for one in record["thrown_away"]) == told["attempts"]
    assert all(BATCH_ROWS <= one[3] <= PART_ROWS for one in record["thrown_away"])


def again() -> dict[str, Any]:
    """The script of the driver, run again."""
    return {name: ASKING[name] for name in ("context", "request_id")}


async def ends(stack: Placed, job_id: str) -> None:
    """The time of a job is over, and that of its driver to finish it."""
    async with AsyncMongoClient(stack.mongod.uri) as client:
        await over(stack.stage, client[stack.stage.server.database], job_id, GRACE)

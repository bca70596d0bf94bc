"""A driver of its own: `python -m tests.spark.driver FOLDER URL`. A task runs twice at once; then it is killed.

What `test_driver` has to know is in files of the folder.
"""

import json
import os
import signal
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from pdp.client import ApprovalPending
from pdp.spark import mask_job
from tests.spark import cluster
from tests.spark.amid import PART_ROWS, PARTS, Amid, waited

SETTINGS = {
    "spark.speculation": "true",
    "spark.speculation.interval": "100ms",
    "spark.speculation.minTaskRuntime": "100ms",
    "spark.speculation.multiplier": "1.1",
    "spark.speculation.quantile": "0.5",
    "spark.ui.enabled": "true",
    "spark.ui.port": "0",
}
LOGGING = """rootLogger.level = info
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = {0}/driver.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %p %c: %m%n%ex
"""
"""All that Spark's driver has to say, of which its console shows warnings alone."""
PAGES = ("environment/", "SQL/", "SQL/execution/?id=0", "jobs/", "stages/", "executors/")
SCOPE: dict[str, Any] = {"table": "people", "on_behalf_of": ["user:alice"]}
ASKING: dict[str, Any] = {**SCOPE, "context": {"ask": True, "run": "nightly"}, "request_id": "the nightly export"}


def values(spark: Any) -> Any:
    """Rows whose values are in no text of the program: `digest(number)` of each."""
    frame = spark.range(0, PARTS * PART_ROWS, numPartitions=PARTS)
    return frame.selectExpr("md5(concat('canary ', id)) as id", "concat('row ', id) as note")


def main(folder: Path, url: str) -> None:
    """Run both jobs on the cluster at `url`; the second one asks people first."""
    (folder / "log4j2.properties").write_text(LOGGING.format(folder))
    java = f"{cluster.SETTINGS['spark.driver.extraJavaOptions']} -Dlog4j2.configurationFile={folder}/log4j2.properties"
    own = {"spark.master": url, "spark.driver.extraJavaOptions": java, "spark.log.level": "INFO"}
    with cluster.session({**SETTINGS, **own}) as spark:
        with pytest.MonkeyPatch.context() as patched:
            _twice(spark, folder, Amid(spark, folder / "twice", patched, held=range(1, PARTS)))
        with pytest.MonkeyPatch.context() as patched:
            _killed(spark, folder, Amid(spark, folder / "killed", patched))


def _twice(spark: Any, folder: Path, amid: Amid) -> None:
    """The last part waits until Spark has begun it a second time."""

    def second() -> None:
        waited(lambda: sum(part == PARTS - 1 for part, _ in amid.attempts) > 1)

    with mask_job(spark, **SCOPE, context={"run": "twice"}) as job, amid.fault(second):
        job.masked(values(spark)).write.parquet(f"{folder}/out")
    _tell(folder, "pages", [_page(spark, name) for name in PAGES])
    _tell(folder, "first", {"job": job.id, "ticket": _ticket(job), "attempts": sorted(amid.attempts)})


def _killed(spark: Any, folder: Path, amid: Amid) -> None:
    def die() -> None:
        _tell(folder, "second", {"job": job.id, "ticket": _ticket(job), "attempts": sorted(amid.attempts)})
        os.kill(os.getpid(), signal.SIGKILL)

    frame = values(spark)
    try:
        with mask_job(spark, **ASKING) as job:
            job.masked(frame)
    except ApprovalPending as pending:
        _tell(folder, "pending", pending.approval_id)
    waited((folder / "approved").exists)
    with mask_job(spark, **ASKING) as job, amid.fault(die):
        job.masked(frame).write.parquet(f"{folder}/half")


def _tell(folder: Path, name: str, told: Any) -> None:
    (folder / f"{name}.part").write_text(json.dumps(told))
    (folder / f"{name}.part").rename(folder / name)


def _page(spark: Any, name: str) -> str:
    with urllib.request.urlopen(f"{spark.sparkContext.uiWebUrl}/{name}", timeout=60) as answer:  # noqa: S310
        return str(answer.read().decode())


def _ticket(job: Any) -> str:
    return str(job._begun.answer.ticket)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

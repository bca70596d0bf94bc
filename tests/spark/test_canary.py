"""What Spark writes down of a job: no key, ticket, token or value."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyspark

from pdp.dev import identity
from tests.spark.placed import Placed


def test_nothing_secret_is_in_plan_event_log_or_logs(spark: Any, stack: Placed, events: Path, tmp_path: Path) -> None:
    value = f"canary{uuid4().hex}"
    plain = tmp_path / "in"
    spark.createDataFrame([(f"{value}-1", "n"), (f"{value}-2", "n")], "id string, note string").write.parquet(
        str(plain)
    )
    secrets = [value, *(f"{one['secret']}" for one in mask_keys(stack)), bearer(stack)]
    plans = []
    for keys in ("", str(stack.stage.server.state / "keys/mask.json")):
        with stack.job(spark, keys=keys) as job:
            masked = job.masked(spark.read.parquet(str(plain)))
            secrets += [job._begun.answer.ticket, job._begun.answer.ticket.split(".")[2]]
            masked.write.parquet(str(tmp_path / f"out{bool(keys)}"))
            plans.append(masked._jdf.queryExecution().toString())
            secrets += [row.id for row in masked.collect()]
    written = "".join(plans) + "".join(logs(events, spark.sparkContext.applicationId))
    assert job.id in written or "mapInArrow" in written or "MapInArrow" in written
    assert not [secret for secret in secrets if secret and secret in written]


def mask_keys(stack: Placed) -> Any:
    return json.loads((stack.stage.server.state / "keys/mask.json").read_text())["keys"]


def bearer(stack: Placed) -> str:
    return identity.token(stack.stage.server.state, "report-bot").split(".")[2]


def logs(events: Path, application: str) -> list[str]:
    """The event log, which has all of the UI's pages, and what executors print."""
    executors = Path(pyspark.__file__).parent / "work" / application
    found = [*events.rglob("*"), *executors.rglob("std*")]
    texts = [path.read_text(errors="replace") for path in found if path.is_file()]
    assert len(texts) >= 3
    return texts

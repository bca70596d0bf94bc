"""Mask jobs on real executors, through a real server."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pdp.client import ApprovalPending
from pdp.spark import MaskRefused
from pdp.v1.mask_job_pb2 import MaskJobState
from tests.mask_jobs import FAILED, SUCCEEDED, values
from tests.spark.placed import Placed


def test_job_masks_and_is_one_record(spark: Any, stack: Placed, people: Any) -> None:
    with stack.job(spark) as job:
        masked = job.masked(people)
        assert masked.columns == people.columns
        found = {row.note: row.id for row in masked.collect()}
    assert found.pop("note 0") is None
    assert len({*found.values()}) == 6
    assert all(token.startswith("tok_") for token in found.values())
    ended = stack.get(job.id)
    assert (ended.state, ended.outcome) == (MaskJobState.MASK_JOB_STATE_FINISHED, SUCCEEDED)
    assert (ended.parts, ended.rows, ended.other_attempts, values(ended)) == (3, 7, 0, {"id": 6})
    assert ended.record_id == job.record_id
    assert stack.record(job.id)["mask_job"]["counted_by"] == "server"


def test_a_pending_approval_starts_nothing_and_the_same_script_goes_on(spark: Any, stack: Placed, people: Any) -> None:
    def script() -> int:
        with stack.job(spark, request_id=request_id, context={"ask": True, "run": request_id}) as job:
            return int(job.masked(people).count())

    request_id = uuid4().hex
    before = spark.sparkContext.statusTracker().getJobIdsForGroup(None)
    with pytest.raises(ApprovalPending, match="apr_") as pending:
        script()
    assert spark.sparkContext.statusTracker().getJobIdsForGroup(None) == before
    stack.approve(pending.value.approval_id)
    assert script() == 7


def test_a_job_has_one_frame_and_lives_inside_of_with(spark: Any, stack: Placed, people: Any) -> None:
    job = stack.job(spark)
    with pytest.raises(MaskRefused, match="inside of `with`"):
        job.masked(people)
    with job:
        masked = job.masked(people)
        with pytest.raises(MaskRefused, match="begin another job"):
            job.masked(people)
        assert masked.count() == 7
    with pytest.raises(MaskRefused, match="inside of `with`"):
        job.masked(people)
    with pytest.raises(Exception, match=r"MaskRefused: table people, part \d: .*finish"):
        masked.collect()


def test_actions_that_stop_early_are_no_failure(
    spark: Any, stack: Placed, people: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with stack.job(spark) as job:
        masked = job.masked(people)
        assert not masked.isEmpty()
        assert len(masked.take(1)) == 1
        assert masked.limit(2).count() == 2
        masked.show(1)
        assert len(masked.coalesce(1).take(5)) == 5
    assert "|note " in capsys.readouterr().out
    ended = stack.get(job.id)
    assert ended.outcome == SUCCEEDED
    assert ended.parts + ended.other_attempts >= 3


def test_each_action_streams_again_under_the_same_job(spark: Any, stack: Placed, people: Any) -> None:
    with stack.job(spark) as job:
        masked = job.masked(people)
        assert masked.count() == masked.count() == 7
    ended = stack.get(job.id)
    assert (ended.parts, ended.rows, ended.other_attempts, ended.other_rows) == (3, 7, 3, 7)
    assert stack.record(job.id)["values"] == 12


def test_what_is_cached_streams_once(spark: Any, stack: Placed, people: Any) -> None:
    with stack.job(spark) as job:
        masked = job.masked(people).cache()
        assert masked.count() == masked.where("id is not null").count() + 1 == 7
        other = {row.id for row in masked.collect()}
        masked.unpersist()
    assert len(other) == 7
    assert stack.get(job.id).other_attempts == 0


def test_several_sinks_a_join_and_another_partitioning_get_the_same_tokens(
    spark: Any, stack: Placed, people: Any, tmp_path: Path
) -> None:
    with stack.job(spark) as job:
        masked = job.masked(people)
        masked.repartition(2, "id").write.parquet(str(tmp_path / "a"))
        masked.coalesce(1).write.json(str(tmp_path / "b"))
        both = masked.alias("l").join(masked.alias("r").hint("shuffle_hash"), "id").count()
    found = [
        {row.id for row in spark.read.format(kind).load(str(tmp_path / at)).collect()}
        for kind, at in (("parquet", "a"), ("json", "b"))
    ]
    assert found[0] == found[1]
    assert both == 6
    assert stack.get(job.id).outcome == SUCCEEDED


def test_a_plan_that_changes_as_it_runs_has_the_same_tokens(spark: Any, stack: Placed, people: Any) -> None:
    """Adaptive execution puts the parts of a shuffle together once it knows how small they are."""
    with stack.job(spark) as job:
        expected = {row.id for row in job.masked(people).collect()}
    spark.conf.set("spark.sql.shuffle.partitions", "8")
    try:
        with stack.job(spark) as job:
            masked = job.masked(people.groupBy("note").agg({"id": "max"}).toDF("note", "id").select("id", "note"))
            grouped = masked.groupBy("id").count()
            assert {row.id for row in grouped.collect()} == expected
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", "2")
    plan = grouped._jdf.queryExecution().executedPlan().toString()
    assert "isFinalPlan=true" in plan
    assert "AQEShuffleRead coalesced" in plan
    ended = stack.get(job.id)
    assert (ended.outcome, ended.rows, ended.other_attempts) == (SUCCEEDED, 7, 0)
    assert ended.parts < 7


def test_streaming_asks_for_no_numba(
    spark: Any, stack: Placed, people: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numba.py").write_text("raise ImportError('numba is not here')")
    monkeypatch.setitem(spark.sparkContext.environment, "PYTHONPATH", str(tmp_path))
    with stack.job(spark) as job:
        assert job.masked(people).count() == 7
    keys = str(stack.stage.server.state / "keys/mask.json")
    with pytest.raises(Exception, match="numba is not here"), stack.job(spark, keys=keys) as job:
        job.masked(people).count()


def test_a_value_that_does_not_fit_fails_the_job_with_its_place(spark: Any, stack: Placed) -> None:
    rows = [("a", "2024-01-01")] * 3 + [("b", "secret")]
    frame = spark.createDataFrame(rows, "id string, day string").coalesce(1)
    with (
        pytest.raises(MaskRefused, match=r"table people, column day, part 0, row 3: the value does not fit") as error,
        stack.job(spark) as job,
    ):
        job.masked(frame).collect()
    assert type(error.value.__cause__).__module__.startswith(("py4j", "pyspark"))
    assert "secret" not in f"{error.value}{error.value.__cause__}"
    assert stack.get(job.id).outcome == FAILED
    assert "column day" in stack.get(job.id).why


def test_an_error_of_the_program_itself_fails_the_job_and_stays(spark: Any, stack: Placed, people: Any) -> None:
    with pytest.raises(KeyError, match="mine"), stack.job(spark) as job:  # noqa: PT012
        job.masked(people).count()
        raise KeyError("mine")
    ended = stack.get(job.id)
    assert (ended.outcome, ended.why, ended.parts) == (FAILED, "KeyError", 3)


def test_a_policy_that_denies_meanwhile_stops_the_job(spark: Any, stack: Placed, people: Any) -> None:
    try:
        with pytest.raises(MaskRefused, match="the table is closed"), stack.job(spark) as job:  # noqa: PT012
            masked = job.masked(people)
            assert masked.count() == 7
            stack.run(stack.stage.change(closed=True))
            masked.count()
    finally:
        stack.run(stack.stage.change(closed=False))
    ended = stack.get(job.id)
    assert (ended.outcome, ended.parts) == (FAILED, 3)


def test_a_batch_of_a_structured_stream_is_a_job(spark: Any, stack: Placed, people: Any, tmp_path: Path) -> None:
    jobs = []
    people.write.parquet(str(tmp_path / "in"))
    stream = spark.readStream.schema(people.schema).parquet(str(tmp_path / "in"))
    with stack.job(spark) as job, pytest.raises(MaskRefused, match="foreachBatch"):
        job.masked(stream)

    def batch(frame: Any, number: int) -> None:
        with stack.job(frame.sparkSession, request_id=f"{tmp_path}-{number}") as job:
            job.masked(frame).write.mode("append").parquet(str(tmp_path / "out"))
        jobs.append(job.id)

    query = stream.writeStream.foreachBatch(batch).option("checkpointLocation", str(tmp_path / "at"))
    query.trigger(availableNow=True).start().awaitTermination()
    assert spark.read.parquet(str(tmp_path / "out")).count() == 7
    assert [stack.get(one).rows for one in jobs] == [7]


def test_odd_names_wide_text_and_instants_of_another_zone_pass(spark: Any, stack: Placed) -> None:
    wide, zone = "spark.sql.execution.arrow.useLargeVarTypes", "spark.sql.session.timeZone"
    before = spark.conf.get(zone)
    spark.conf.set(wide, "true")
    spark.conf.set(zone, "Europe/Berlin")
    try:
        frame = spark.sql("select 'a' as id, timestamp '2024-03-01 12:00:00' as at, 'x' as note")
        with stack.job(spark) as job:
            [row] = job.masked(frame).collect()
        [plain] = frame.collect()
    finally:
        spark.conf.unset(wide)
        spark.conf.set(zone, before)
    assert row.at == plain.at
    assert row.id.startswith("tok_")


def test_a_session_of_spark_connect_is_refused_by_a_sentence(stack: Placed) -> None:
    class Session:
        pass

    Session.__module__ = "pyspark.sql.connect.session"
    with pytest.raises(MaskRefused, match="Spark Connect"), stack.job(Session()):
        pass

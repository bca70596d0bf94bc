"""Mask jobs on real executors, through a real server."""

from typing import Any

from pdp.v1.mask_job_pb2 import MaskJobState
from tests.mask_jobs import SUCCEEDED, values
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
    told = stack.record(job.id)
    assert told["mask_job"]["counted_by"] == "server"

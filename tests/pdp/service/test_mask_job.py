"""Mask jobs over gRPC: one decision, many parts, one record."""

import grpc
import pytest

from pdp.v1 import mask_job_pb2
from pdp.v1.approval_pb2 import OutcomeState
from pdp.v1.mask_job_pb2 import MaskJobState
from pdp.v1.request_pb2 import Effect
from tests.faults import verified_log
from tests.mask_jobs import FAILED, Stage, request, rows, told, values
from tests.parts import log


async def test_job_masks_in_parts_and_is_one_record(stage: Stage) -> None:
    begun = await stage.start(request(destination="s3a://share/customers"))
    assert begun.decision.effect == Effect.EFFECT_ALLOW
    first = await stage.part(begun.ticket, 0, rows("a", "b"))
    again = await stage.part(begun.ticket, 1, rows("b", None), rows("c"), attempt=7)
    assert (first.end.rows, again.end.rows) == (2, 3)
    assert first.table["id"].to_pylist()[1] == again.table["id"].to_pylist()[0]
    assert first.opened.decision.decision_id == begun.decision.decision_id
    running = await stage.get(begun.job_id)
    assert (running.state, running.parts, running.rows) == (MaskJobState.MASK_JOB_STATE_RUNNING, 2, 5)
    job = await stage.finish(begun.job_id, [(0, 0, 2), (1, 7, 3)])
    assert (job.state, job.outcome) == (
        MaskJobState.MASK_JOB_STATE_FINISHED,
        OutcomeState.OUTCOME_STATE_SUCCEEDED,
    )
    assert (job.parts, job.rows, job.other_attempts, dict(values(job))) == (2, 5, 0, {"id": 4})
    assert job.destination == "s3a://share/customers"
    records = [held["details"].get("mask_job", {}) for _, held in await log(stage.server, "mask")]
    assert len([one for one in records if one.get("job") == begun.job_id]) == 1
    await verified_log(stage.server)


async def test_finish_may_be_repeated_and_not_be_changed(stage: Stage) -> None:
    begun = await stage.start()
    await stage.part(begun.ticket, 0, rows("a"))
    job = await stage.finish(begun.job_id, [(0, 0, 1)])
    assert await stage.finish(begun.job_id, [(0, 0, 1)]) == job
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stage.finish(begun.job_id, [(0, 0, 1)], FAILED)
    assert told(refused.value) == ("FAILED_PRECONDITION", "MASK_JOB_ENDED")


async def test_list_shows_ones_own_and_auditors_all(stage: Stage) -> None:
    begun = await stage.start()
    asked = mask_job_pb2.ListMaskJobsRequest(page_size=1)
    for name in ("report-bot", "dana", "alice"):
        found = await stage.jobs.ListMaskJobs(asked, metadata=stage.by(name))
        assert [job.job_id for job in found.jobs] == [begun.job_id], name

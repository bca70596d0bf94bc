"""The beginning of a mask job: decided as any masking, once."""

import asyncio
from typing import Any

import grpc
import pyarrow as pa
import pytest

from pdp.process.mongod import MongodProcess
from pdp.service import mask_scope
from pdp.v1 import mask_pb2
from pdp.v1.mask_job_pb2 import MaskJobState, StartMaskJobRequest
from pdp.v1.request_pb2 import Effect
from tests.faults import failing, verified_log
from tests.mask_jobs import FAILED, ON_EXECUTORS, Stage, request, rows, streamed, told
from tests.parts import refusal


async def approved(stage: Stage) -> StartMaskJobRequest:
    """The start of a job that people have approved."""
    asked = request(ask=True)
    pending = await stage.start(asked)
    assert (pending.decision.effect, pending.job_id, pending.ticket) == (Effect.EFFECT_NEEDS_APPROVAL, "", "")
    await stage.server.review(pending.decision.approval, "bob")
    return asked


async def refusal_of(stage: Stage, asked: StartMaskJobRequest) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stage.start(asked)
    return told(error.value)[1], error.value.details() or ""


async def test_the_same_request_id_goes_on_once_people_have_approved(stage: Stage) -> None:
    asked = await approved(stage)
    begun = await stage.start(asked)
    assert begun.decision.effect == Effect.EFFECT_ALLOW
    assert (await stage.part(begun.ticket, 0, rows("a"))).end is not None


async def test_attempt_whose_answer_was_lost_gets_the_same_job(stage: Stage) -> None:
    asked = await approved(stage)
    begun, *others = await asyncio.gather(*(stage.start(asked) for _ in range(3)))
    for again in (*others, await stage.start(asked)):
        assert (again.job_id, again.ticket, again.expires_at) == (begun.job_id, begun.ticket, begun.expires_at)
        assert again.decision.decision_id == begun.decision.decision_id
    await stage.part(begun.ticket, 0, rows("a"))
    await stage.finish(begun.job_id, [(0, 0, 1)])
    assert (await refusal_of(stage, asked))[0] == "DECISION_USED"
    await verified_log(stage.server)


async def test_repeated_start_without_an_approval_ends_the_job_whose_answer_was_lost(stage: Stage) -> None:
    asked = request()
    asked.scope.attempt_id = "first"
    lost, begun = await stage.start(asked), await stage.start(asked)
    ended = await stage.get(lost.job_id)
    assert (ended.state, ended.outcome) == (MaskJobState.MASK_JOB_STATE_FINISHED, FAILED)
    assert begun.job_id in ended.why
    assert (await stage.part(begun.ticket, 0, rows("a"))).end is not None
    asked.scope.attempt_id = "second"
    await stage.start(asked)
    asked.scope.context.update({"run": "another"})
    asked.scope.attempt_id = "first"
    await stage.start(asked)
    assert (await stage.get(begun.job_id)).state == MaskJobState.MASK_JOB_STATE_RUNNING
    await verified_log(stage.server)


async def test_of_starts_that_are_repeated_at_once_one_job_runs(stage: Stage) -> None:
    asked = request()
    asked.scope.attempt_id = "at once"
    answers = await asyncio.gather(*(stage.start(asked) for _ in range(4)), return_exceptions=True)
    begun = [one.job_id for one in answers if not isinstance(one, BaseException)]
    running = [one for one in begun if (await stage.get(one)).state == MaskJobState.MASK_JOB_STATE_RUNNING]
    assert len(running) == 1
    assert {told(one)[1] for one in answers if isinstance(one, grpc.aio.AioRpcError)} <= {"DECISION_USED"}


async def test_another_attempt_gets_no_job_and_hears_how_to_ask_again(stage: Stage) -> None:
    asked = await approved(stage)
    await stage.start(asked)
    asked.scope.attempt_id = "another"
    again = await stage.start(asked)
    assert (again.decision.effect, again.ticket) == (Effect.EFFECT_DENY, "")
    [reason] = again.decision.reasons
    assert (reason.rule, "request_id" in reason.reason) == ("pdp.approval_consumed", True)


async def test_the_same_attempt_with_another_table_or_place_of_keys_gets_no_job(stage: Stage) -> None:
    asked = await approved(stage)
    await stage.start(asked)
    other = StartMaskJobRequest(scope=asked.scope, arrow_schema=asked.arrow_schema, keys=ON_EXECUTORS)
    code, sentence = await refusal_of(stage, other)
    assert (code, "take a new request_id" in sentence) == ("DECISION_USED", True)


async def test_decision_has_a_job_or_a_stream_and_not_both(stage: Stage) -> None:
    asked = await approved(stage)
    start = mask_pb2.StreamStart(scope=asked.scope, shape=mask_pb2.MaskShape(arrow_schema=asked.arrow_schema))
    found = await streamed(stage.server, stage.by(), [rows("a")], start)
    assert found.end is not None
    assert (await refusal_of(stage, asked))[0] == "DECISION_USED"
    asked = await approved(stage)
    await stage.start(asked)
    start.scope.CopyFrom(asked.scope)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await streamed(stage.server, stage.by(), [rows("a")], start)
    assert told(error.value)[1] == "DECISION_USED"
    await verified_log(stage.server)


async def test_job_that_was_not_stored_is_begun_by_the_next_call_of_the_attempt(
    stage: Stage, mongod: MongodProcess
) -> None:
    asked = await approved(stage)
    async with failing(mongod.uri, f"{stage.server.database}.mask_jobs", errorCode=6):
        assert (await refusal_of(stage, asked))[0] == "STORE_UNAVAILABLE"
    begun = await stage.start(asked)
    assert (await stage.part(begun.ticket, 0, rows("a"))).end is not None


async def test_what_was_used_by_a_bare_decision_has_one_job(stage: Stage) -> None:
    asked = await approved(stage)
    bare = mask_scope.authorization("mask", asked.scope)
    assert (await stage.server.authorize(bare)).effect == Effect.EFFECT_ALLOW
    await stage.start(asked)
    assert (await refusal_of(stage, asked))[0] == "DECISION_USED"


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"arrow_schema": b""}, "arrow_schema"), ({"arrow_schema": b"x"}, "arrow_schema"), ({"keys": 9}, "keys")],
)
async def test_bad_start_is_named_by_its_field(stage: Stage, changes: dict[str, Any], field: str) -> None:
    asked = request()
    members = {"scope": asked.scope, "arrow_schema": asked.arrow_schema, **changes}
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stage.start(StartMaskJobRequest(**members))
    assert refusal(error.value).fields == (field,)


async def test_table_that_the_policy_has_no_mask_for_begins_no_job(stage: Stage) -> None:
    schema = pa.schema([("id", pa.string()), ("secret", pa.string())])
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stage.start(request(schema=schema))
    assert (told(error.value)[1], "secret" in (error.value.details() or "")) == ("MASK_PLAN_REFUSED", True)


async def test_deny_begins_no_job(stage: Stage) -> None:
    await stage.change(closed=True)
    denied = await stage.start()
    assert (denied.decision.effect, denied.job_id, denied.ticket) == (Effect.EFFECT_DENY, "", "")

"""The beginning of a mask job: decided as any masking, once."""

import grpc
import pytest

from pdp.v1.request_pb2 import Effect
from tests.mask_jobs import Stage, request, told


async def test_decision_begins_one_job(stage: Stage) -> None:
    asked = request(ask=True)
    pending = await stage.start(asked)
    await stage.server.review(pending.decision.approval, "bob")
    await stage.start(asked)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stage.start(asked)
    assert (told(error.value)[1], "take a new request_id" in error.value.details()) == ("DECISION_USED", True)
    asked.scope.attempt_id = "another"
    again = await stage.start(asked)
    assert again.decision.effect == Effect.EFFECT_DENY
    assert again.decision.reasons[0].rule == "pdp.approval_consumed"

import grpc
import pytest

from pdp.v1.approval_pb2 import ApprovalState
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, asking, exporting, refusal


async def test_read_is_allowed_and_drop_is_denied_with_rule_and_reason(server: Placet) -> None:
    read, drop = await server.authorize(asking("read")), await server.authorize(asking("drop"))
    assert read.effect == Effect.EFFECT_ALLOW
    assert drop.effect == Effect.EFFECT_DENY
    assert drop.reasons[0].rule == "agents.destructive"
    assert drop.reasons[0].reason


async def test_an_approval_needs_two_other_people_and_fits_one_action_once(server: Placet) -> None:
    request = exporting()
    asked = await server.authorize(request)
    assert asked.effect == Effect.EFFECT_NEEDS_APPROVAL

    with pytest.raises(grpc.aio.AioRpcError) as self_approval:
        await server.review(asked.approval, "alice")
    assert refusal(self_approval.value).reason == "REVIEWER_IS_REQUESTER"

    assert (await server.review(asked.approval, "bob")).state == ApprovalState.APPROVAL_STATE_PENDING
    assert (await server.review(asked.approval, "carol")).state == ApprovalState.APPROVAL_STATE_APPROVED

    request.approval_id = asked.approval.approval_id
    changed = exporting(approvalId=request.approval_id, context={"run": "another"})
    mismatch = await server.authorize(changed)
    assert mismatch.effect == Effect.EFFECT_DENY
    assert mismatch.reasons[0].rule == "pdp.approval_mismatch"
    assert "context.run" in mismatch.reasons[0].reason

    request.request_id = "first"
    used = await server.authorize(request)
    assert used.effect == Effect.EFFECT_ALLOW
    assert used.grant

    request.request_id, request.attempt_id = "second", "another"
    again = await server.authorize(request)
    assert again.effect == Effect.EFFECT_DENY
    assert again.reasons[0].rule == "pdp.approval_consumed"

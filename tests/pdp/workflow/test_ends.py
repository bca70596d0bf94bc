"""An approval that does not count says which one it is, since when, and how to ask again."""

from uuid import uuid4

import grpc
import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import CancelApprovalRequest
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, exporting, refusal
from tests.pdp.mongo import set_back
from tests.pdp.workflow.test_attempt import attempt


async def test_expired_approval_says_since_when_and_how_to_ask_again(server: Placet, mongod: MongodProcess) -> None:
    request = exporting(requestId=uuid4().hex)
    approval = await server.approved(request)
    await set_back(mongod, server, approval.approval_id, "approved_at", hours=5)
    for _ in range(2):  # as it expires, and when it has
        why = (await server.authorize(attempt(request))).reasons[0].reason
        assert f"{approval.approval_id} expired at 20" in why
        assert why.endswith("to ask again, take a new request_id")
    again = await server.authorize(attempt(request, request_id=uuid4().hex))
    assert again.effect == Effect.EFFECT_NEEDS_APPROVAL


async def test_withdrawn_and_denied_approvals_say_so_too(server: Placet) -> None:
    for who, ends in (("report-bot", "withdrawn"), ("alice", "withdrawn"), ("bob", "denied")):
        request = exporting(requestId=uuid4().hex)
        approval = (await server.authorize(request)).approval
        if ends == "denied":
            await server.review(approval, who, "DENY")
        else:
            cancel = CancelApprovalRequest(approval_id=approval.approval_id)
            await server.approvals.CancelApproval(cancel, metadata=server.metadata(who))
        why = (await server.authorize(attempt(request))).reasons[0].reason
        assert f"{approval.approval_id} was {ends} at 20" in why
        assert ("by its caller" in why) == (who == "report-bot")
        assert ("by user:alice, in whose name it was asked for" in why) == (who == "alice")
        assert why.endswith("to ask again, take a new request_id")


async def test_request_id_of_another_request_says_which_and_since_when(server: Placet) -> None:
    request = exporting(requestId=uuid4().hex)
    approval = (await server.authorize(request)).approval
    changed = exporting(requestId=request.request_id)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.authorize(changed)
    why = refusal(refused.value)
    assert why.reason == "REQUEST_ID_REUSED"
    opened = approval.created_at.ToDatetime()
    assert f"{approval.approval_id}, which {approval.decision_id} opened at {opened:%Y-%m-%dT%H:%M:%SZ}" in why.message
    assert (why.metadata["approval_id"], why.metadata["decision_id"]) == (approval.approval_id, approval.decision_id)

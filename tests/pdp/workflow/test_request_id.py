from uuid import uuid4

import grpc
import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import ApprovalState
from pdp.v1.audit_pb2 import ExportRecordsRequest
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, asking, exporting, refusal
from tests.pdp.mongo import second_reviewer_left, set_back


def fresh() -> str:
    return f"call-{uuid4().hex}"


def copy(request: AuthorizeRequest, **changes: str) -> AuthorizeRequest:
    copied = AuthorizeRequest()
    copied.CopyFrom(request)
    for name, value in changes.items():
        setattr(copied, name, value)
    return copied


def said(answer: AuthorizeResponse) -> tuple[int, list[str]]:
    return answer.effect, [reason.rule for reason in answer.reasons]


async def records_of(server: Placet, approval_id: str) -> int:
    """How many records of the approval are in the log itself; the same one again counts once."""
    found: set[bytes] = set()
    async for export in server.audit.ExportRecords(ExportRecordsRequest(), metadata=server.metadata("dana")):
        found.update(record for batch in export.batches for record in batch.records if approval_id.encode() in record)
    return len(found)


async def test_identical_request_meets_the_same_pending_approval(server: Placet) -> None:
    request = exporting()
    first, second = await server.authorize(request), await server.authorize(request)
    assert first.effect == second.effect == Effect.EFFECT_NEEDS_APPROVAL
    assert first.approval.approval_id == second.approval.approval_id
    assert first.decision_id != second.decision_id


async def test_another_caller_gets_an_approval_of_its_own(server: Placet) -> None:
    request = exporting()
    mine, another = await server.authorize(request), await server.authorize(request, by="dev")
    assert mine.request_digest == another.request_digest
    assert mine.approval.approval_id != another.approval.approval_id


async def test_id_names_one_request_and_the_refusal_names_paths_never_values(server: Placet) -> None:
    request = exporting(requestId=fresh(), context={"run": uuid4().hex, "amount": 17, "to": "canary-left"})
    await server.authorize(request)
    changed = copy(request)
    changed.context.fields["amount"].number_value = 18
    changed.context.fields["to"].string_value = "canary-right"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.authorize(changed)
    why = refusal(refused.value)
    assert (why.code, why.reason) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")
    assert why.fields == ("context.amount", "context.to")
    assert not {"canary", "17", "18"} & set(str(refused.value).replace("-", " ").split())


async def test_a_thousand_differing_paths_still_reach_the_caller(server: Placet) -> None:
    request = exporting(requestId=fresh())
    await server.authorize(request)
    for index in range(1000):
        request.context.fields[f"key-{index}"].bool_value = True
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.authorize(request)
    assert refusal(refused.value).reason == "REQUEST_ID_REUSED"


async def test_ids_of_two_callers_do_not_meet(server: Placet) -> None:
    request_id = fresh()
    await server.authorize(exporting(requestId=request_id))
    other = await server.authorize(exporting(requestId=request_id), by="dev")
    assert other.effect == Effect.EFFECT_NEEDS_APPROVAL


async def test_approval_id_is_no_part_of_what_the_id_is_bound_to(server: Placet) -> None:
    request = exporting(requestId=fresh())
    asked = await server.authorize(request)
    again = await server.authorize(copy(request, approval_id=asked.approval.approval_id))
    assert again.approval.approval_id == asked.approval.approval_id


async def test_repeated_while_pending_is_the_same_approval(server: Placet) -> None:
    request = exporting(requestId=fresh())
    asked, again = await server.authorize(request), await server.authorize(request)
    assert again.effect == Effect.EFFECT_NEEDS_APPROVAL
    assert again.approval.approval_id == asked.approval.approval_id


async def test_repeated_once_approved_uses_it(server: Placet) -> None:
    request = exporting(requestId=fresh())
    approval = await server.approved(request)
    used = await server.authorize(request)
    assert used.effect == Effect.EFFECT_ALLOW
    assert used.grant
    assert used.approval.approval_id == approval.approval_id
    assert used.approval.state == ApprovalState.APPROVAL_STATE_CONSUMED


async def test_repeated_after_its_use_is_the_same_decision_and_grant_and_no_new_record(server: Placet) -> None:
    request = exporting(requestId=fresh())
    approval = await server.approved(request)
    used = await server.authorize(request)
    before = await records_of(server, approval.approval_id)
    for again in [await server.authorize(request) for _ in range(3)]:
        assert (again.effect, again.decision_id, again.grant) == (used.effect, used.decision_id, used.grant)
        assert again.approval == used.approval
    assert await records_of(server, approval.approval_id) == before == 6


async def test_id_that_used_it_needs_no_approval_id_either(server: Placet) -> None:
    request = exporting()
    approval = await server.approved(request)
    request.request_id = fresh()
    used = await server.authorize(copy(request, approval_id=approval.approval_id))
    again = await server.authorize(request)
    assert used.effect == Effect.EFFECT_ALLOW
    assert (again.decision_id, again.grant) == (used.decision_id, used.grant)


async def test_id_that_opened_it_is_told_when_another_used_it(server: Placet) -> None:
    request = exporting(requestId=fresh())
    approval = await server.approved(request)
    await server.authorize(copy(request, approval_id=approval.approval_id, request_id=fresh(), attempt_id=fresh()))
    assert said(await server.authorize(request)) == (Effect.EFFECT_DENY, ["pdp.approval_consumed"])


async def test_repeated_after_a_denial_is_that_denial_again(server: Placet) -> None:
    request = exporting(requestId=fresh())
    await server.review((await server.authorize(request)).approval, "bob", "DENY")
    for _ in range(2):
        assert said(await server.authorize(request)) == (Effect.EFFECT_DENY, ["pdp.approval_denied"])


@pytest.mark.parametrize("was_approved", [False, True])
async def test_repeated_after_its_time_is_expired(server: Placet, mongod: MongodProcess, *, was_approved: bool) -> None:
    request = exporting(requestId=fresh())
    approval = (await server.approved(request)) if was_approved else (await server.authorize(request)).approval
    stamp = "approved_at" if was_approved else "created_at"
    await set_back(mongod, server, approval.approval_id, stamp, hours=5)
    answer = await server.authorize(request)
    assert said(answer) == (Effect.EFFECT_DENY, ["pdp.approval_expired"])
    assert answer.approval.state == ApprovalState.APPROVAL_STATE_EXPIRED


async def test_repeated_after_it_was_voided_is_voided(server: Placet, mongod: MongodProcess) -> None:
    request = exporting(requestId=fresh())
    approval = await server.approved(request)
    await second_reviewer_left(mongod, server, approval.approval_id)
    for _ in range(2):
        answer = await server.authorize(request)
        assert said(answer) == (Effect.EFFECT_DENY, ["pdp.approval_voided"])
        assert answer.approval.state == ApprovalState.APPROVAL_STATE_VOIDED


async def test_id_that_only_met_a_pending_approval_is_free(server: Placet) -> None:
    request, request_id = exporting(requestId=fresh()), fresh()
    opened = await server.authorize(request)
    met = await server.authorize(copy(request, request_id=request_id))
    assert met.approval.approval_id == opened.approval.approval_id
    another = await server.authorize(exporting(requestId=request_id))
    assert another.effect == Effect.EFFECT_NEEDS_APPROVAL
    assert another.approval.approval_id != opened.approval.approval_id


async def test_id_of_a_finished_attempt_uses_no_other_approval_of_the_same_request(
    server: Placet, mongod: MongodProcess
) -> None:
    request = exporting(requestId=fresh())
    denied = await server.review((await server.authorize(request)).approval, "bob", "DENY")
    await set_back(mongod, server, denied.approval_id, "closed_at", minutes=11)
    second = await server.approved(copy(request, request_id=""))
    answer = await server.authorize(copy(request, approval_id=second.approval_id))
    assert said(answer) == (Effect.EFFECT_DENY, ["pdp.approval_denied"])
    used = await server.authorize(copy(request, approval_id=second.approval_id, request_id=fresh()))
    assert used.effect == Effect.EFFECT_ALLOW


@pytest.mark.parametrize(("action", "effect"), [("read", Effect.EFFECT_ALLOW), ("drop", Effect.EFFECT_DENY)])
async def test_plain_answers_are_given_anew_and_bind_nothing(server: Placet, action: str, effect: Effect) -> None:
    request_id = fresh()
    first = await server.authorize(asking(action, requestId=request_id))
    second = await server.authorize(asking(action, requestId=request_id))
    changed = await server.authorize(asking(action, requestId=request_id, context={"another": "request"}))
    assert [first.effect, second.effect, changed.effect] == [effect] * 3
    assert len({first.decision_id, second.decision_id, changed.decision_id}) == 3


@pytest.mark.parametrize("request_id", ["a\nb", "\0", "x" * 1025])
async def test_id_that_is_none_is_refused(server: Placet, request_id: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.authorize(asking(requestId=request_id))
    why = refusal(refused.value)
    assert (why.code, why.fields) == ("INVALID_ARGUMENT", ("request_id",))

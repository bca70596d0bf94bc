import json
from uuid import uuid4

import grpc
import pytest
from joserfc.jwk import OKPKey

from pdp import jws
from pdp.canonical import canonical
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, ApprovalState, GetApprovalRequest, ListApprovalsRequest
from pdp.v1.audit_pb2 import GetRecordRequest
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse, GetDecisionRequest
from pdp.v1.info_pb2 import GetServerInfoRequest
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, asking, exporting, payload, refusal
from tests.pdp.mongo import second_reviewer_left, set_back


def said(answer: AuthorizeResponse) -> tuple[int, list[str]]:
    return answer.effect, [reason.rule for reason in answer.reasons]


def naming(request: AuthorizeRequest, approval: Approval, **changes: str) -> AuthorizeRequest:
    named = AuthorizeRequest()
    named.CopyFrom(request)
    named.approval_id, named.attempt_id = approval.approval_id, uuid4().hex
    for name, value in changes.items():
        setattr(named, name, value)
    return named


async def now(server: Placet, approval: Approval) -> Approval:
    request = GetApprovalRequest(approval_id=approval.approval_id)
    metadata = server.metadata("report-bot")
    return (await server.approvals.GetApproval(request, metadata=metadata)).approval


async def newest(server: Placet) -> str:
    metadata = server.metadata("report-bot")
    page = await server.approvals.ListApprovals(ListApprovalsRequest(page_size=1), metadata=metadata)
    return page.approvals[0].approval_id if page.approvals else ""


@pytest.fixture
async def pending(server: Placet) -> tuple[AuthorizeRequest, Approval]:
    request = exporting()
    return request, (await server.authorize(request)).approval


@pytest.fixture
async def approved(server: Placet) -> tuple[AuthorizeRequest, Approval]:
    request = exporting()
    return request, await server.approved(request)


Asked = tuple[AuthorizeRequest, Approval]


async def test_pending_is_needs_approval_with_that_approval(server: Placet, pending: Asked) -> None:
    answer = await server.authorize(naming(*pending))
    assert answer.effect == Effect.EFFECT_NEEDS_APPROVAL
    assert answer.approval.approval_id == pending[1].approval_id
    assert not answer.grant


async def test_denied_is_a_deny_that_says_so(server: Placet, pending: Asked) -> None:
    await server.review(pending[1], "bob", "DENY")
    answer = await server.authorize(naming(*pending))
    assert said(answer) == (Effect.EFFECT_DENY, ["pdp.approval_denied"])
    assert answer.approval.state == ApprovalState.APPROVAL_STATE_DENIED


async def test_pending_for_too_long_is_expired_before_any_sweep(
    server: Placet, mongod: MongodProcess, pending: Asked
) -> None:
    await set_back(mongod, server, pending[1].approval_id, "created_at", hours=4, seconds=1)
    answer = await server.authorize(naming(*pending))
    assert said(answer) == (Effect.EFFECT_DENY, ["pdp.approval_expired"])
    assert answer.approval.state == ApprovalState.APPROVAL_STATE_EXPIRED


async def test_overdue_pending_approval_makes_room_for_a_new_one(
    server: Placet, mongod: MongodProcess, pending: Asked
) -> None:
    await set_back(mongod, server, pending[1].approval_id, "created_at", hours=5)
    answer = await server.authorize(pending[0])
    assert answer.effect == Effect.EFFECT_NEEDS_APPROVAL
    assert answer.approval.approval_id != pending[1].approval_id
    assert (await now(server, pending[1])).state == ApprovalState.APPROVAL_STATE_EXPIRED


async def test_approved_for_too_long_is_expired(server: Placet, mongod: MongodProcess, approved: Asked) -> None:
    await set_back(mongod, server, approved[1].approval_id, "approved_at", minutes=15, seconds=1)
    answer = await server.authorize(naming(*approved))
    assert said(answer) == (Effect.EFFECT_DENY, ["pdp.approval_expired"])


async def test_approved_is_allowed_once(server: Placet, approved: Asked) -> None:
    first, second = await server.authorize(naming(*approved)), await server.authorize(naming(*approved))
    assert first.effect == Effect.EFFECT_ALLOW
    assert first.approval.used_by_decision_id == first.decision_id
    assert said(second) == (Effect.EFFECT_DENY, ["pdp.approval_consumed"])
    assert not second.grant


async def test_approved_is_not_used_by_a_request_that_does_not_name_it(server: Placet, approved: Asked) -> None:
    answer = await server.authorize(approved[0])
    assert answer.effect == Effect.EFFECT_NEEDS_APPROVAL
    assert answer.approval.approval_id != approved[1].approval_id
    assert (await now(server, approved[1])).state == ApprovalState.APPROVAL_STATE_APPROVED


async def test_voided_use_opens_nothing_and_the_next_call_does(
    server: Placet, mongod: MongodProcess, approved: Asked
) -> None:
    await second_reviewer_left(mongod, server, approved[1].approval_id)
    answer = await server.authorize(naming(*approved))
    assert said(answer) == (Effect.EFFECT_DENY, ["pdp.approval_voided"])
    assert answer.approval.state == ApprovalState.APPROVAL_STATE_VOIDED
    assert await newest(server) == approved[1].approval_id
    opened = await server.authorize(approved[0])
    assert opened.effect == Effect.EFFECT_NEEDS_APPROVAL
    assert opened.approval.approval_id != approved[1].approval_id


async def test_mismatch_names_paths_never_values_and_changes_nothing(server: Placet, approved: Asked) -> None:
    changed = naming(*approved)
    changed.context.fields["run"].string_value = "canary-right"
    changed.resource.properties.fields["rows"].number_value = 271828
    answer = await server.authorize(changed)
    assert said(answer) == (Effect.EFFECT_DENY, ["pdp.approval_mismatch"])
    text = answer.reasons[0].reason
    assert "context.run, resource.properties.rows" in text
    assert "canary" not in text
    assert "271828" not in text
    assert (await server.authorize(naming(*approved))).effect == Effect.EFFECT_ALLOW


@pytest.mark.parametrize(
    ("action", "effect", "rule"),
    [("read", Effect.EFFECT_ALLOW, "roles.allowed"), ("drop", Effect.EFFECT_DENY, "agents.destructive")],
)
async def test_policys_allow_and_deny_win_and_use_nothing(
    server: Placet, approved: Asked, action: str, effect: Effect, rule: str
) -> None:
    answer = await server.authorize(asking(action, approvalId=approved[1].approval_id))
    assert said(answer) == (effect, [rule])
    assert not answer.grant
    assert (await now(server, approved[1])).state == ApprovalState.APPROVAL_STATE_APPROVED


@pytest.mark.parametrize("by", ["dev", "alice"])
async def test_another_callers_approval_is_not_found(server: Placet, approved: Asked, by: str) -> None:
    request = naming(*approved)
    if by == "alice":
        request.subject.type, request.subject.id = "user", "alice"
        del request.on_behalf_of[:]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.authorize(request, by=by)
    assert refusal(refused.value).reason == "APPROVAL_NOT_FOUND"


@pytest.mark.parametrize("approval_id", [f"apr_{0:032x}", "apr_", "no id", '{"$ne": ""}', "\0", "dec_" + "0" * 32])
async def test_approval_that_is_none_is_not_found(server: Placet, approval_id: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.authorize(exporting(approvalId=approval_id))
    why = refusal(refused.value)
    assert (why.code, why.reason) == ("NOT_FOUND", "APPROVAL_NOT_FOUND")


async def test_dry_run_opens_nothing_and_is_recorded(server: Placet) -> None:
    before = await newest(server)
    answer = await server.authorize(exporting(dryRun=True))
    assert answer.effect == Effect.EFFECT_NEEDS_APPROVAL
    assert answer.dry_run
    assert not answer.HasField("approval")
    assert await newest(server) == before
    request = GetDecisionRequest(decision_id=answer.decision_id)
    recorded = await server.decisions.GetDecision(request, metadata=server.metadata("report-bot"))
    assert recorded.decision.dry_run


async def test_dry_run_uses_nothing_and_grants_nothing(server: Placet, approved: Asked) -> None:
    request = naming(*approved)
    request.dry_run = True
    answer = await server.authorize(request)
    assert answer.effect == Effect.EFFECT_ALLOW
    assert not answer.grant
    assert (await now(server, approved[1])).state == ApprovalState.APPROVAL_STATE_APPROVED
    assert (await server.authorize(naming(*approved))).effect == Effect.EFFECT_ALLOW


async def test_dry_run_voids_nothing(server: Placet, mongod: MongodProcess, approved: Asked) -> None:
    await second_reviewer_left(mongod, server, approved[1].approval_id)
    request = naming(*approved)
    request.dry_run = True
    assert said(await server.authorize(request)) == (Effect.EFFECT_DENY, ["pdp.approval_voided"])
    assert (await now(server, approved[1])).state == ApprovalState.APPROVAL_STATE_APPROVED


async def test_dry_run_of_a_repeated_use_is_a_decision_of_its_own(server: Placet, approved: Asked) -> None:
    request = naming(*approved, request_id=uuid4().hex)
    used = await server.authorize(request)
    request.dry_run = True
    tried = await server.authorize(request)
    assert tried.decision_id != used.decision_id
    assert not tried.grant


async def test_explain_adds_the_outvoted_rules(server: Placet) -> None:
    plain, explained = await server.authorize(asking("drop")), await server.authorize(asking("drop", explain=True))
    assert not plain.HasField("fired")
    assert [reason.rule for reason in explained.fired.deny] == ["agents.destructive"]
    exported = await server.authorize(exporting(explain=True))
    assert [reason.rule for reason in exported.fired.needs_approval] == ["tags.pii.export"]
    assert [reason.rule for reason in exported.fired.allow] == ["roles.allowed"]


async def test_justification_is_kept_first_and_bound_to_nothing(server: Placet) -> None:
    request = exporting(justification="first words")
    opened = await server.authorize(request)
    request.justification = "other words"
    again = await server.authorize(request)
    assert again.request_digest == opened.request_digest
    assert again.approval.approval_id == opened.approval.approval_id
    assert again.approval.justification == "first words"


async def test_justification_has_2000_characters(server: Placet) -> None:
    opened = await server.authorize(exporting(justification="é" * 2000))
    assert opened.approval.justification == "é" * 2000
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.authorize(exporting(justification="x" * 2001))
    assert refusal(refused.value).fields == ("justification",)


async def test_grant_is_a_signed_proof_for_this_caller_and_request(server: Placet, approved: Asked) -> None:
    used = await server.authorize(naming(*approved))
    info = await server.info.GetServerInfo(GetServerInfoRequest(), metadata=server.metadata("report-bot"))
    members = [member for member in json.loads(info.jwks)["keys"] if member["placet_use"] == "grant"]
    claims = jws.claims(used.grant, OKPKey.import_key(members[0]))
    assert jws.header(used.grant) == {"typ": "placet-grant+jwt", "alg": "EdDSA", "kid": members[0]["kid"]}
    assert claims["exp"] - claims["iat"] == 30
    assert {name: claims[name] for name in ("iss", "aud", "jti", "approval", "digest")} == {
        "iss": "dev",
        "aud": "agent:report-bot",
        "jti": used.decision_id,
        "approval": approved[1].approval_id,
        "digest": used.request_digest,
    }


async def test_answer_carries_what_a_client_recomputes(server: Placet) -> None:
    request = asking("read")
    answer = await server.authorize(request)
    assert list(answer.on_behalf_of) == list(request.on_behalf_of)
    assert answer.request_digest == canonical(request, "dev").digest
    assert answer.policy_revision
    assert answer.decision_id.startswith("dec_")


async def test_decision_is_read_back_by_its_caller_only(server: Placet) -> None:
    chain = [{"type": "user", "id": "alice", "properties": {"team": "sales"}}]
    request = asking("drop", explain=True, requestId="call-1", context={"why": "test"}, onBehalfOf=chain)
    answer = await server.authorize(request)
    asked = GetDecisionRequest(decision_id=answer.decision_id)
    found = await server.decisions.GetDecision(asked, metadata=server.metadata("report-bot"))
    assert found.decision == answer
    assert canonical(found.request, "dev").digest == answer.request_digest
    assert found.record_id == "rec_" + answer.decision_id[4:]
    for other in ("dev", "alice"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await server.decisions.GetDecision(asked, metadata=server.metadata(other))
        assert refusal(refused.value).reason == "DECISION_NOT_FOUND"


@pytest.mark.parametrize("decision_id", ["", "dec_", "dec_" + "0" * 32, "dec_" + "Z" * 32, "dec_" + " " * 32, "\0"])
async def test_decision_that_is_none_is_not_found(server: Placet, decision_id: str) -> None:
    request = GetDecisionRequest(decision_id=decision_id)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.decisions.GetDecision(request, metadata=server.metadata("report-bot"))
    assert refusal(refused.value).reason == "DECISION_NOT_FOUND"


async def test_record_is_read_by_either_id_and_its_payload_has_everything(server: Placet) -> None:
    answer = await server.authorize(asking("read", requestId="call-2", attemptId="try-1", justification="because"))
    for record_id in (answer.decision_id, "rec_" + answer.decision_id[4:]):
        request = GetRecordRequest(record_id=record_id)
        found = await server.audit.GetRecord(request, metadata=server.metadata("dana"))
        assert found.summary.kind == "decision"
        assert found.summary.effect == Effect.EFFECT_ALLOW
        assert list(found.summary.rules) == ["roles.allowed"]
        members = payload(found.payload)
        assert members["caller"] == {"identity": "agent:report-bot", "kind": "workload", "groups": []}
        assert members["request_digest"] == answer.request_digest
        assert (members["details"]["request_id"], members["details"]["attempt_id"]) == ("call-2", "try-1")
        assert members["details"]["justification"] == "because"


async def test_record_that_is_none_is_not_found(server: Placet) -> None:
    for record_id in ("", "rec_", "rec_" + "0" * 32, "x" * 2000):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await server.audit.GetRecord(GetRecordRequest(record_id=record_id), metadata=server.metadata("dana"))
        assert refusal(refused.value).reason == "RECORD_NOT_FOUND"

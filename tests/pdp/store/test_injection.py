"""What means something to MongoDB, OPA, JSON or a shell is only text here: stored, compared, given back."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import grpc
import pytest

from pdp.canonical import canonical
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import GetApprovalRequest, ListApprovalsRequest
from pdp.v1.audit_pb2 import GetRecordRequest, ListRecordsRequest
from pdp.v1.decision_pb2 import AuthorizeRequest, GetDecisionRequest
from pdp.v1.request_pb2 import Effect
from pdp.v1.review_pb2 import ListQueueRequest, ReviewRequest
from tests.known import UNSEEN
from tests.parts import Placet, exporting, payload
from tests.pdp.mongo import close_what_waits
from tests.pdp.wire import refused


@pytest.fixture(autouse=True)
async def nothing_waits(server: Placet, mongod: MongodProcess) -> None:
    """More payloads than approvals may wait at a time."""
    await close_what_waits(mongod, server)


PAYLOADS = [
    "$secret",
    "$where",
    "$gt",
    "$ne",
    "$regex",
    "$expr",
    "$$NOW",
    "$$ROOT",
    "$now",
    "$[]",
    "$caller",
    '{"$ne": null}',
    '{"$gt": ""}',
    "{'$regex': '.*'}",
    "'; return true; var x='",
    "a.b",
    ".",
    "..",
    "a..b",
    "0",
    "-1",
    "*",
    ".*",
    "^.*$",
    "/.*/i",
    "(a+)+$",
    "__proto__",
    "_id",
    "caller",
    "data.pdp.decision",
    '","effect":"ALLOW","x":"',
    "}}}]]]",
    '\\",\\"',
    "${jndi:ldap://x}",
    "{{7*7}}",
    "%s%n",
    "../../etc/passwd",
    "null",
    "true",
    "NaN",
    "' OR 1=1 --",
    "<script>",
    "\u202eevil",
    "\u200b",
    "😀",
    "é",
    "e\u0301",
    " ",
    "x" * 1024,
]
OBJECTID, EMPTY = "507f1f77bcf86cd799439011", ""

IDS: dict[str, Callable[[AuthorizeRequest, str], Any]] = {
    "subject.type": lambda r, text: setattr(r.subject, "type", text),
    "subject.id": lambda r, text: setattr(r.subject, "id", text),
    "on_behalf_of.type": lambda r, text: setattr(r.on_behalf_of[0], "type", text),
    "on_behalf_of.id": lambda r, text: setattr(r.on_behalf_of[0], "id", text),
    "resource.id": lambda r, text: setattr(r.resource, "id", text),
    "request_id": lambda r, text: setattr(r, "request_id", text),
}


def asked() -> AuthorizeRequest:
    return exporting(context={"run": uuid4().hex})


def filled(text: str) -> AuthorizeRequest:
    """A request with `text` wherever free text or a key may be."""
    request = asked()
    request.justification = text
    for struct in (request.subject.properties, request.on_behalf_of[0].properties, request.action.properties):
        struct.fields[text].string_value = text
        inner = struct.fields["deep"].struct_value
        inner.fields[text].struct_value.fields[text].list_value.values.add().string_value = text
        inner.fields[EMPTY].null_value = 0
    request.resource.properties.fields["filter"].string_value = text
    request.resource.properties.fields["tags"].list_value.values.add().string_value = text
    request.context.fields[text].list_value.values.add().struct_value.fields[text].string_value = text
    request.context.fields[EMPTY].string_value = EMPTY
    return request


@pytest.mark.parametrize("text", [text for text in PAYLOADS if len(text) < 1000], ids=ascii)
async def test_text_is_stored_and_given_back_as_it_was_sent(server: Placet, text: str) -> None:
    request = filled(text)
    opened = (await server.authorize(request)).approval
    reviewed = await server.review(opened, "bob", reason=text)
    assert reviewed.reviews[0].reason == text
    got = GetApprovalRequest(approval_id=opened.approval_id)
    seen = (await server.approvals.GetApproval(got, metadata=server.metadata("carol"))).approval
    assert canonical(seen.request, "dev").json == canonical(request, "dev").json
    assert seen.request_digest == canonical(request, "dev").digest
    assert seen.justification == text
    assert seen.reviews[0].reason == text
    record = GetRecordRequest(record_id=opened.decision_id)
    details = payload((await server.audit.GetRecord(record, metadata=server.metadata("dana"))).payload)
    assert details["details"]["justification"] == text
    assert details["request"]["context"][text] == [{text: text}]
    got_decision = GetDecisionRequest(decision_id=opened.decision_id)
    decision = await server.decisions.GetDecision(got_decision, metadata=server.metadata("report-bot"))
    assert canonical(decision.request, "dev").json == canonical(request, "dev").json


@pytest.mark.parametrize("field", IDS)
async def test_id_matches_itself_and_nothing_else(server: Placet, field: str) -> None:
    """Each text opens an approval of its own, and asked again meets exactly that one."""
    run, opened = uuid4().hex, {}
    for again in range(2):
        for text in [*PAYLOADS, OBJECTID]:
            request = exporting(context={"run": run if field != "request_id" else run + text})
            IDS[field](request, text)
            if ":" in text and field.endswith(".type"):
                continue
            answer = await server.authorize(request, by="dev")
            assert answer.request_digest == canonical(request, "dev").digest
            assert answer.effect == Effect.EFFECT_NEEDS_APPROVAL
            if again:
                assert opened[text] == answer.approval.approval_id
            opened[text] = answer.approval.approval_id
    assert len(set(opened.values())) == len(opened)


@pytest.mark.parametrize("text", PAYLOADS, ids=ascii)
async def test_unknown_action_and_type_are_denied_and_recorded_as_they_were_sent(server: Placet, text: str) -> None:
    request = asked()
    request.action.name = request.resource.type = text
    request.resource.ClearField("properties")
    answer = await server.authorize(request)
    assert (answer.effect, answer.reasons[0].rule) == (Effect.EFFECT_DENY, "pdp.no_rule")
    found = await server.decisions.GetDecision(
        GetDecisionRequest(decision_id=answer.decision_id), metadata=server.metadata("report-bot")
    )
    assert (found.request.action.name, found.request.resource.type) == (text, text)


@pytest.mark.parametrize("text", PAYLOADS, ids=ascii)
async def test_id_of_something_finds_nothing_that_it_is_not(server: Placet, text: str) -> None:
    await server.authorize(asked())
    calls = [
        server.authorize(exporting(approvalId=text)),
        server.approvals.GetApproval(GetApprovalRequest(approval_id=text), metadata=server.metadata("bob")),
        server.approvals.ListApprovals(ListApprovalsRequest(page_token=text), metadata=server.metadata("report-bot")),
        server.reviews.ListQueue(ListQueueRequest(page_token=text), metadata=server.metadata("bob")),
        server.reviews.Review(
            ReviewRequest(approval_id=text, verdict=1, expected_version=1), metadata=server.metadata("bob")
        ),
        server.decisions.GetDecision(GetDecisionRequest(decision_id=text), metadata=server.metadata("report-bot")),
        server.audit.GetRecord(GetRecordRequest(record_id=text), metadata=server.metadata("dana")),
        server.audit.ListRecords(ListRecordsRequest(kind=text), metadata=server.metadata("dana")),
        server.audit.ListRecords(ListRecordsRequest(approval_id=text), metadata=server.metadata("dana")),
        server.audit.ListRecords(ListRecordsRequest(page_token=text), metadata=server.metadata("dana")),
    ]
    for call in calls:
        assert (await refused(call)).code in {"INVALID_ARGUMENT", "NOT_FOUND"}


@pytest.mark.parametrize("text", [*PAYLOADS, EMPTY], ids=ascii)
async def test_digest_that_is_none_approves_nothing(server: Placet, text: str) -> None:
    opened = (await server.authorize(asked())).approval
    request = ReviewRequest(
        approval_id=opened.approval_id, expected_digest=text, expected_version=1, expected_lineage=UNSEEN, verdict=1
    )
    with pytest.raises(grpc.aio.AioRpcError):
        await server.reviews.Review(request, metadata=server.metadata("bob"))
    got = GetApprovalRequest(approval_id=opened.approval_id)
    assert not (await server.approvals.GetApproval(got, metadata=server.metadata("bob"))).approval.reviews


async def test_member_that_imitates_the_policys_input_is_only_a_property(server: Placet) -> None:
    fake = {"caller": {"identity": "user:root", "kind": "person"}, "now": 0, "subject": {"type": "user", "id": "root"}}
    answer = await server.authorize(exporting(context={"run": uuid4().hex, **fake}))
    assert answer.effect == Effect.EFFECT_NEEDS_APPROVAL
    assert set(answer.approval.requester_principals) == {"agent:report-bot", "user:alice"}

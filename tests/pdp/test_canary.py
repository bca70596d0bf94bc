"""A secret in any field shows in no error, no log and nothing that is signed."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import grpc
import pytest

from pdp.v1.approval_pb2 import GetApprovalRequest, ListApprovalsRequest, ReportOutcomeRequest
from pdp.v1.audit_pb2 import ExportRecordsRequest, GetRecordRequest, ListRecordsRequest
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest, GetDecisionRequest
from pdp.v1.request_pb2 import Request, Subject
from pdp.v1.review_pb2 import ListQueueRequest, ReviewRequest, RevokeApprovalRequest
from tests import tokens
from tests.known import UNSEEN
from tests.parts import Placet, exporting

CANARY = "canary7f3a"


def planted(**members: Any) -> AuthorizeRequest:
    """A good request with the canary in every value that may hold it."""
    request = exporting(context={"run": uuid4().hex}, **members)
    for struct in (request.subject.properties, request.action.properties, request.on_behalf_of[0].properties):
        struct.fields["secret"].string_value = CANARY
    request.on_behalf_of[0].id = f"alice-{CANARY}"
    request.resource.id = CANARY
    request.resource.properties.fields["filter"].string_value = CANARY
    request.context.fields["list"].list_value.values.add().string_value = CANARY
    request.justification = CANARY
    request.request_id = f"{CANARY}-{uuid4().hex}"
    return request


def with_change(change: Callable[[AuthorizeRequest], Any]) -> Callable[[Placet], Awaitable[Any]]:
    request = planted()
    change(request)
    return lambda server: server.authorize(request)


def properties(request: AuthorizeRequest) -> Any:
    return request.resource.properties.fields


async def reused(server: Placet) -> Any:
    request = planted()
    await server.authorize(request)
    request.context.fields["other"].string_value = CANARY
    return await server.authorize(request)


async def review(server: Placet, by: str, **members: Any) -> Any:
    opened = (await server.authorize(planted())).approval
    good = {"approval_id": opened.approval_id, "expected_digest": opened.request_digest, "verdict": 1, "reason": CANARY}
    good["expected_version"] = opened.version
    good["expected_lineage"] = UNSEEN
    return await server.reviews.Review(ReviewRequest(**{**good, **members}), metadata=server.metadata(by))


async def taken_back(server: Placet, call: Any, request: Any, by: str, **members: Any) -> Any:
    opened = (await server.authorize(planted())).approval
    words = {"reason" if request is RevokeApprovalRequest else "detail": CANARY}
    return await call(request(approval_id=opened.approval_id, **words, **members), metadata=server.metadata(by))


async def twice(server: Placet) -> Any:
    opened = (await server.authorize(planted())).approval
    await server.review(opened, "bob", reason=CANARY)
    return await server.review(opened, "bob", reason=CANARY)


FAILURES: dict[str, Callable[[Placet], Awaitable[Any]]] = {
    "id with a control character": with_change(lambda r: setattr(r.subject, "id", f"{CANARY}\n")),
    "id too long": with_change(lambda r: setattr(r.resource, "id", CANARY * 200)),
    "type with a colon": with_change(lambda r: setattr(r.subject, "type", f"{CANARY}:x")),
    "foreign subject": with_change(lambda r: setattr(r.subject, "id", CANARY)),
    "foreign principal": with_change(lambda r: setattr(r.on_behalf_of[0], "type", CANARY)),
    "text with a null character": with_change(lambda r: setattr(r.context.fields["x"], "string_value", f"{CANARY}\0")),
    "request id with a control character": with_change(lambda r: setattr(r, "request_id", f"{CANARY}\n")),
    "justification too long": with_change(lambda r: setattr(r, "justification", CANARY * 300)),
    "request too large": with_change(lambda r: setattr(r.context.fields["x"], "string_value", CANARY * 4000)),
    "approval unknown": with_change(lambda r: setattr(r, "approval_id", CANARY)),
    "property of the wrong type": with_change(lambda r: setattr(properties(r)["rows"], "string_value", CANARY)),
    "tag of the wrong type": with_change(lambda r: setattr(properties(r)["tags"], "string_value", CANARY)),
    "request id reused": reused,
    "digest unknown": lambda s: review(s, "bob", expected_digest=CANARY),
    "principal reviews": lambda s: review(s, "alice"),
    "reason too long": lambda s: review(s, "bob", reason=CANARY * 300),
    "verdict unknown": lambda s: review(s, "bob", verdict=9),
    "review of an unknown id": lambda s: review(s, "bob", approval_id=CANARY),
    "review twice": twice,
    "view too old": lambda s: review(s, "bob", expected_version=9),
    "suggestion with a control character": lambda s: review(
        s, "bob", verdict=3, suggestion=Request(subject=Subject(type="agent", id=f"{CANARY}\n"))
    ),
    "supersedes unknown": with_change(lambda r: setattr(r, "supersedes", CANARY)),
    "revocation of what is pending": lambda s: taken_back(s, s.reviews.RevokeApproval, RevokeApprovalRequest, "bob"),
    "outcome of what is pending": lambda s: taken_back(
        s, s.approvals.ReportOutcome, ReportOutcomeRequest, "report-bot", state=1
    ),
    "approval id": lambda s: s.approvals.GetApproval(
        GetApprovalRequest(approval_id=CANARY), metadata=s.metadata("bob")
    ),
    "page token": lambda s: s.approvals.ListApprovals(
        ListApprovalsRequest(page_token=CANARY), metadata=s.metadata("bob")
    ),
    "queue token": lambda s: s.reviews.ListQueue(ListQueueRequest(page_token=CANARY), metadata=s.metadata("bob")),
    "decision id": lambda s: s.decisions.GetDecision(
        GetDecisionRequest(decision_id=CANARY), metadata=s.metadata("bob")
    ),
    "record id": lambda s: s.audit.GetRecord(GetRecordRequest(record_id=CANARY), metadata=s.metadata("dana")),
    "record kind": lambda s: s.audit.ListRecords(ListRecordsRequest(kind=CANARY), metadata=s.metadata("dana")),
    "token": lambda s: s.decisions.Authorize(planted(), metadata=tokens.bearer(f"{CANARY}.{CANARY}.{CANARY}")),
    "token's claims": lambda s: s.decisions.Authorize(
        planted(), metadata=tokens.metadata(s.state, f"agent:{CANARY}", aud=CANARY)
    ),
    "bytes": lambda s: s.channel.unary_unary("/pdp.v1.DecisionService/Authorize", None, None)(
        CANARY.encode() * 20, metadata=s.metadata("report-bot")
    ),
}


def told(error: grpc.aio.AioRpcError) -> bytes:
    """Everything that the caller hears, encoded details included."""
    said = [error.details() or "", error.debug_error_string() or ""]
    trailers = [value for _, value in error.trailing_metadata() or ()]
    return b"".join(part if isinstance(part, bytes) else part.encode() for part in [*said, *trailers])


@pytest.mark.parametrize("failure", FAILURES)
async def test_value_shows_in_no_error_and_no_log(
    server: Placet, caplog: pytest.LogCaptureFixture, failure: str
) -> None:
    with caplog.at_level(logging.DEBUG, logger="pdp"), pytest.raises(grpc.aio.AioRpcError) as error:
        await FAILURES[failure](server)
    assert error.value.code() not in {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}
    assert CANARY.encode() not in told(error.value)
    assert CANARY not in caplog.text
    assert not any(CANARY in line for line in server.said)


async def test_value_shows_in_no_item_error(server: Placet) -> None:
    bad = planted()
    bad.context.fields["x"].string_value = f"{CANARY}\0"
    foreign = planted()
    foreign.subject.id = CANARY
    wrong = planted()
    properties(wrong)["columns"].string_value = CANARY
    request = BatchAuthorizeRequest(items=[bad, foreign, wrong])
    answer = await server.decisions.BatchAuthorize(request, metadata=server.metadata("report-bot"), timeout=1)
    assert all(result.HasField("error") for result in answer.results)
    assert CANARY.encode() not in answer.SerializeToString()


async def test_value_shows_in_no_signed_part_and_no_list_of_the_log(
    server: Placet, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="pdp"):
        request = planted()
        request.approval_id = (await server.approved(request)).approval_id
        await server.authorize(request)
        plain, dropped = planted(), planted()
        plain.action.name, dropped.action.name = "read", "drop"
        for each in (plain, dropped):
            await server.authorize(each)
        await server.review((await server.authorize(planted())).approval, "bob", "DENY", CANARY)
    assert CANARY not in caplog.text
    export = server.audit.ExportRecords(ExportRecordsRequest(), metadata=server.metadata("dana"))
    batches = [batch async for answer in export for batch in answer.batches]
    signed = b"".join(record for batch in batches for record in batch.records)
    held = b"".join(payload.payload for batch in batches for payload in batch.payloads)
    assert CANARY.encode() in held
    assert CANARY.encode() not in signed
    digest = (await server.authorize(plain)).request_digest
    assert digest.encode() in held
    assert digest.encode() not in signed
    listed = await server.audit.ListRecords(ListRecordsRequest(page_size=100), metadata=server.metadata("dana"))
    assert CANARY.encode() not in listed.SerializeToString()

"""Who sees which approval, and the pages of approvals, queue and records."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, ApprovalState, GetApprovalRequest, GetApprovalResponse, ListApprovalsRequest
from pdp.v1.audit_pb2 import ExportRecordsRequest, GetRecordRequest, ListRecordsRequest
from pdp.v1.decision_pb2 import GetDecisionRequest
from pdp.v1.request_pb2 import Effect
from pdp.v1.review_pb2 import ListQueueRequest, ReviewRequest
from tests.parts import Placet, asking, exporting, placet
from tests.pdp.mongo import database, set_back
from tests.pdp.wire import refused
from tests.tokens import Metadata, metadata

PENDING, APPROVED, DENIED, CONSUMED = (
    getattr(ApprovalState, f"APPROVAL_STATE_{name}") for name in ("PENDING", "APPROVED", "DENIED", "CONSUMED")
)
KINDS = ("policy.loaded", "server.started", "decision", "approval.created")


@pytest.fixture(scope="module")
async def quiet(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server on which only these tests ask."""
    async with placet(state, mongod.uri) as running:
        yield running


def seen(server: Placet, approval: Approval, by: Metadata) -> Awaitable[GetApprovalResponse]:
    return server.approvals.GetApproval(GetApprovalRequest(approval_id=approval.approval_id), metadata=by)


async def pages(call: Callable[..., Any], request: Message, by: Metadata) -> AsyncIterator[Any]:
    while True:
        page = await call(request, metadata=by)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


async def ids(call: Callable[..., Any], request: Message, by: Metadata) -> list[str]:
    return [one.approval_id async for page in pages(call, request, by) for one in page.approvals]


async def test_approval_is_seen_by_whom_it_concerns_and_says_who_may_review(server: Placet) -> None:
    approval = (await server.authorize(exporting())).approval
    for by, obstacle in (
        (server.metadata("report-bot"), "requester's principals"),
        (server.metadata("alice"), "requester's principals"),
        (server.metadata("bob"), ""),
        (metadata(server.state, "user:erin", "reviewer", groups=["data-stewards"]), ""),
        (metadata(server.state, "user:alice", "reviewer", groups=["data-stewards"]), "requester's principals"),
    ):
        answer = await seen(server, approval, by)
        assert answer.may_review == (not obstacle)
        assert obstacle in answer.may_not_review_because
        assert answer.approval.approval_id == approval.approval_id


async def test_approval_of_strangers_is_not_there(server: Placet) -> None:
    approval = (await server.authorize(exporting())).approval
    for by in (
        server.metadata("dev"),
        metadata(server.state, "user:eve", "reviewer", "requester", "auditor"),
        metadata(server.state, "user:eve", "reviewer", groups=["data-stewards2"]),
        metadata(server.state, "user:report-bot", "requester"),
    ):
        why = await refused(seen(server, approval, by))
        assert (why.code, why.reason) == ("NOT_FOUND", "APPROVAL_NOT_FOUND")


async def test_strangers_review_is_not_found_and_a_principals_is_refused(server: Placet) -> None:
    approval = (await server.authorize(exporting())).approval
    request = ReviewRequest(approval_id=approval.approval_id, expected_digest=approval.request_digest, verdict=1)
    for name, reason in (("eve", "APPROVAL_NOT_FOUND"), ("alice", "REVIEWER_IS_REQUESTER")):
        by = metadata(server.state, f"user:{name}", "reviewer")
        assert (await refused(server.reviews.Review(request, metadata=by))).reason == reason


async def test_approval_shows_each_requirement_and_how_far_it_is(server: Placet) -> None:
    approval = (await server.authorize(exporting())).approval
    await server.review(approval, "bob", reason="looks right")
    answer = (await seen(server, approval, server.metadata("carol"))).approval
    (requirement,) = answer.requirements
    assert (requirement.rule, requirement.count, requirement.approved) == ("tags.pii.export", 2, 1)
    assert list(requirement.groups) == ["data-stewards"]
    assert (requirement.pending_for.seconds, requirement.valid_for.seconds) == (4 * 3600, 15 * 60)
    assert (answer.reviews[0].reviewer, answer.reviews[0].reason) == ("user:bob", "looks right")
    assert list(answer.reviews[0].rules) == ["tags.pii.export"]
    assert set(answer.requester_principals) == {"agent:report-bot", "user:alice"}
    assert answer.expires_at.seconds - answer.created_at.seconds == 4 * 3600


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expected_digest": "x"}, "DIGEST_MISMATCH"),
        ({"expected_digest": ""}, "DIGEST_MISMATCH"),
        ({"approval_id": f"apr_{1:032x}"}, "APPROVAL_NOT_FOUND"),
    ],
)
async def test_review_is_of_what_was_displayed(server: Placet, changes: dict[str, str], reason: str) -> None:
    approval = (await server.authorize(exporting())).approval
    good = {"approval_id": approval.approval_id, "expected_digest": approval.request_digest}
    request = ReviewRequest(**{**good, **changes}, verdict=1)
    assert (await refused(server.reviews.Review(request, metadata=server.metadata("bob")))).reason == reason
    assert (await seen(server, approval, server.metadata("bob"))).may_review


async def test_person_reviews_once_and_only_while_it_is_pending(server: Placet) -> None:
    approval = (await server.authorize(exporting())).approval
    await server.review(approval, "bob")
    for verdict in ("APPROVE", "DENY"):
        assert (await refused(server.review(approval, "bob", verdict))).reason == "ALREADY_REVIEWED"
    await server.review(approval, "carol")
    late = await refused(server.review(approval, "carol"))
    assert (late.reason, late.metadata) == ("APPROVAL_NOT_PENDING", {"state": "APPROVED"})


async def test_one_eligible_no_is_enough(server: Placet) -> None:
    approval = (await server.authorize(exporting())).approval
    await server.review(approval, "bob")
    denied = await server.review(approval, "carol", "DENY", "too much")
    assert denied.state == DENIED
    assert denied.HasField("closed_at")
    assert not denied.HasField("expires_at")


async def test_review_after_its_time_counts_for_nothing(server: Placet, mongod: MongodProcess) -> None:
    approval = (await server.authorize(exporting())).approval
    await set_back(mongod, server, approval.approval_id, "created_at", hours=5)
    why = await refused(server.review(approval, "bob"))
    assert (why.reason, why.metadata) == ("APPROVAL_NOT_PENDING", {"state": "EXPIRED"})


async def test_pages_show_every_approval_once_newest_first(quiet: Placet) -> None:
    made = [(await quiet.authorize(exporting())).approval.approval_id for _ in range(7)]
    by = quiet.metadata("report-bot")
    for size in (1, 2, 3, 7, 100):
        found = await ids(quiet.approvals.ListApprovals, ListApprovalsRequest(page_size=size), by)
        assert found[: len(made)] == made[::-1]
        assert len(set(found)) == len(found)
    first = await quiet.approvals.ListApprovals(ListApprovalsRequest(page_size=3), metadata=by)
    assert len(first.approvals) == 3
    newer = (await quiet.authorize(exporting())).approval.approval_id
    request = ListApprovalsRequest(page_size=3, page_token=first.next_page_token)
    assert newer not in await ids(quiet.approvals.ListApprovals, request, by)


async def test_list_is_of_the_callers_own(quiet: Placet) -> None:
    mine = (await quiet.authorize(exporting(), by="dev")).approval.approval_id
    others = await ids(quiet.approvals.ListApprovals, ListApprovalsRequest(), quiet.metadata("report-bot"))
    assert mine not in others
    assert await ids(quiet.approvals.ListApprovals, ListApprovalsRequest(), quiet.metadata("dev")) == [mine]


async def test_list_takes_a_state(quiet: Placet) -> None:
    request = exporting()
    used = await quiet.approved(request)
    request.approval_id = used.approval_id
    await quiet.authorize(request)
    denied = (await quiet.authorize(exporting())).approval
    await quiet.review(denied, "bob", "DENY")
    approved, by = await quiet.approved(exporting()), quiet.metadata("report-bot")
    for state, expected in ((CONSUMED, used), (DENIED, denied), (APPROVED, approved)):
        found = await ids(quiet.approvals.ListApprovals, ListApprovalsRequest(state=state, page_size=2), by)
        assert found == [expected.approval_id]
    for state in (ApprovalState.APPROVAL_STATE_VOIDED, ApprovalState.APPROVAL_STATE_EXPIRED):
        assert not await ids(quiet.approvals.ListApprovals, ListApprovalsRequest(state=state), by)


async def test_page_of_large_approvals_fits_into_a_message(quiet: Placet) -> None:
    request = exporting(onBehalfOf=[{"type": "user", "id": f"{index:02}" + "é" * 450} for index in range(32)])
    made = []
    for index in range(55):
        request.context.fields["index"].number_value = index
        made.append((await quiet.authorize(request)).approval.approval_id)
    by, asked = quiet.metadata("report-bot"), ListApprovalsRequest(page_size=100)
    first = await quiet.approvals.ListApprovals(asked, metadata=by)
    assert 3_000_000 < first.ByteSize() + 70_000 < 4 * 1024 * 1024
    assert first.next_page_token
    assert (await ids(quiet.approvals.ListApprovals, asked, by))[:55] == made[::-1]
    queue = await ids(quiet.reviews.ListQueue, ListQueueRequest(page_size=100), quiet.metadata("bob"))
    assert queue[:55] == made[::-1]


async def test_queue_has_what_this_person_may_review(quiet: Placet) -> None:
    waits = (await quiet.authorize(exporting())).approval
    reviewed = (await quiet.authorize(exporting())).approval
    await quiet.review(reviewed, "bob")
    finished = await quiet.approved(exporting())
    for name, expected in (("bob", [waits]), ("carol", [waits, reviewed]), ("alice", [])):
        expected_ids = {approval.approval_id for approval in expected}
        found = await ids(quiet.reviews.ListQueue, ListQueueRequest(page_size=10), quiet.metadata(name))
        assert {one.approval_id for one in (waits, reviewed, finished)} & set(found) == expected_ids
        assert found == sorted(found, reverse=True)


@pytest.fixture(scope="module")
async def listed(quiet: Placet) -> list[str]:
    """The decisions of a few calls, once the projection has them."""
    answers = [await quiet.authorize(asking(action)) for action in ("read", "drop", "read")]
    made = ["rec_" + answer.decision_id[4:] for answer in answers]
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        page = await quiet.audit.ListRecords(ListRecordsRequest(kind="decision"), metadata=quiet.metadata("dana"))
        if page.records and page.records[0].record_id == made[-1]:
            return made
        await asyncio.sleep(0.05)
    raise AssertionError("the projection does not catch up")


async def records(server: Placet, **filters: Any) -> list[Any]:
    request = ListRecordsRequest(**filters)
    found = pages(server.audit.ListRecords, request, server.metadata("dana"))
    return [record async for page in found for record in page.records]


async def test_records_are_paged_newest_first(quiet: Placet, listed: list[str]) -> None:
    small = [record.record_id for record in await records(quiet, page_size=7)]
    large = [record.record_id for record in await records(quiet, page_size=100)]
    assert small == large == sorted(large, reverse=True)
    assert set(listed) <= set(large)
    assert len(set(large)) == len(large)


async def test_records_take_kind_effect_and_approval(quiet: Placet, listed: list[str]) -> None:
    assert listed
    for kind in KINDS:
        found = await records(quiet, kind=kind)
        assert found
        assert {record.kind for record in found} == {kind}
    denied = await records(quiet, effect=Effect.EFFECT_DENY)
    assert {record.effect for record in denied} == {Effect.EFFECT_DENY}
    assert listed[1] in {record.record_id for record in denied}
    opened = next(record for record in await records(quiet, kind="approval.created"))
    of_one = await records(quiet, approval_id=opened.approval_id)
    assert {record.approval_id for record in of_one} == {opened.approval_id}
    assert {"decision", "approval.created"} <= {record.kind for record in of_one}
    both = await records(quiet, approval_id=opened.approval_id, kind="approval.created")
    assert [record.record_id for record in both] == [opened.record_id]


async def test_list_equals_the_log(quiet: Placet, listed: list[str]) -> None:
    assert listed
    in_list = {record.record_id for record in await records(quiet, page_size=100)}
    export = quiet.audit.ExportRecords(ExportRecordsRequest(), metadata=quiet.metadata("dana"))
    in_log = [record async for answer in export for batch in answer.batches for record in batch.records]
    assert len(in_list) > 30
    assert in_list <= (logged := {record.split(b'"id":"')[1][:36].decode() for record in in_log})
    assert len(logged - in_list) <= 2  # the export itself, and what came since


async def test_no_decision_is_read_from_a_record_of_another_kind(quiet: Placet, listed: list[str]) -> None:
    assert listed
    (opened, *_) = await records(quiet, kind="approval.created", page_size=100)
    by = quiet.metadata("report-bot")
    why = await refused(
        quiet.decisions.GetDecision(GetDecisionRequest(decision_id="dec_" + opened.record_id[4:]), metadata=by)
    )
    assert why.reason == "DECISION_NOT_FOUND"


async def test_erased_payload_leaves_the_record_and_no_decision(quiet: Placet, mongod: MongodProcess) -> None:
    answer = await quiet.authorize(asking("read"))
    async with database(mongod, quiet) as found:
        condition = {"ids": bytes.fromhex(answer.decision_id[4:])}
        document = await found["batches"].find_one(condition)
        assert document is not None
        erased = [{"salt": None, "payload": None} for _ in document["payloads"]]
        await found["batches"].update_one(condition, {"$set": {"payloads": erased}})
    request = GetRecordRequest(record_id=answer.decision_id)
    record = await quiet.audit.GetRecord(request, metadata=quiet.metadata("dana"))
    assert record.summary.effect == Effect.EFFECT_ALLOW
    assert not record.payload
    assert not record.salt
    asked = GetDecisionRequest(decision_id=answer.decision_id)
    why = await refused(quiet.decisions.GetDecision(asked, metadata=quiet.metadata("report-bot")))
    assert why.reason == "DECISION_NOT_FOUND"


async def test_export_is_itself_in_the_log_first(quiet: Placet) -> None:
    for _ in range(2):
        export = quiet.audit.ExportRecords(ExportRecordsRequest(), metadata=quiet.metadata("dana"))
        in_log = [record async for answer in export for batch in answer.batches for record in batch.records]
    assert sum(b'"kind":"export"' in record for record in in_log) >= 2

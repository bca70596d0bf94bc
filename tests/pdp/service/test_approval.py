"""Who sees which approval, and the pages of approvals, queue and records."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import ApprovalState, ListApprovalsRequest
from pdp.v1.review_pb2 import ListQueueRequest, ReviewRequest
from tests.known import UNSEEN
from tests.parts import Placet, exporting, placet
from tests.pdp.reads import ids, seen
from tests.pdp.wire import refused
from tests.tokens import metadata

PENDING, APPROVED, DENIED, CONSUMED = (
    getattr(ApprovalState, f"APPROVAL_STATE_{name}") for name in ("PENDING", "APPROVED", "DENIED", "CONSUMED")
)
KINDS = ("policy.loaded", "server.started", "decision", "approval.created")


@pytest.fixture(scope="module")
async def quiet(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server on which only these tests ask."""
    async with placet(state, mongod.uri) as running:
        yield running


async def test_approval_is_seen_by_whom_it_concerns_and_says_who_may_review(server: Placet) -> None:
    approval = (await server.authorize(exporting())).approval
    for by, obstacle in (
        (server.metadata("report-bot"), "people behind this request"),
        (server.metadata("alice"), "people behind this request"),
        (server.metadata("bob"), ""),
        (metadata(server.state, "user:erin", "reviewer", groups=["data-stewards"]), ""),
        (metadata(server.state, "user:alice", "reviewer", groups=["data-stewards"]), "people behind this request"),
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
    displayed = {
        "expected_digest": approval.request_digest,
        "expected_version": approval.version,
        "expected_lineage": UNSEEN,
    }
    request = ReviewRequest(approval_id=approval.approval_id, verdict=1, **displayed)
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
    by_dev = quiet.metadata("dev")
    assert await ids(quiet.approvals.ListApprovals, ListApprovalsRequest(), by_dev) == [mine]
    alone = await quiet.approvals.ListApprovals(ListApprovalsRequest(page_size=1), metadata=by_dev)
    assert (len(alone.approvals), alone.next_page_token) == (1, "")


async def test_person_lists_what_others_asked_in_its_name(quiet: Placet) -> None:
    approval = (await quiet.authorize(exporting())).approval
    asked = ListApprovalsRequest(asked_in_my_name=True)
    for by, is_listed in (("alice", True), ("report-bot", False), ("carol", False)):
        page = await quiet.approvals.ListApprovals(asked, metadata=quiet.metadata(by))
        assert (approval.approval_id in [held.approval_id for held in page.approvals]) == is_listed, by
    asked.state = DENIED
    assert not (await quiet.approvals.ListApprovals(asked, metadata=quiet.metadata("alice"))).approvals


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
    assert 1_000_000 < first.ByteSize() + 70_000 < 1_200_000
    assert first.next_page_token
    assert (await ids(quiet.approvals.ListApprovals, asked, by))[:55] == made[::-1]
    queue = await ids(quiet.reviews.ListQueue, ListQueueRequest(page_size=100), quiet.metadata("bob"))
    assert queue[-55:] == made

"""People are not asked too often, and do not nod many things through at once."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from grpc_status import rpc_status

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, ApprovalState, GetApprovalRequest, ListApprovalsRequest
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse, BatchAuthorizeRequest
from pdp.v1.request_pb2 import Effect
from pdp.v1.review_pb2 import ReviewRequest
from pdp.workflow import review_limits
from pdp.workflow.review_limits import DENIED_FOR, MAX_PENDING
from tests.known import UNSEEN
from tests.parts import Placet, asking, exporting, log, placet
from tests.pdp.mongo import close_what_waits, set_back
from tests.pdp.wire import refused

ALLOW, DENY, NEEDS = Effect.EFFECT_ALLOW, Effect.EFFECT_DENY, Effect.EFFECT_NEEDS_APPROVAL
DENIED = ApprovalState.APPROVAL_STATE_DENIED


@pytest.fixture(scope="module")
async def alone(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server on which only these tests ask."""
    async with placet(state, mongod.uri) as running:
        yield running


@pytest.fixture
async def quiet(alone: Placet, mongod: MongodProcess) -> Placet:
    """The same, and nothing waits."""
    await close_what_waits(mongod, alone)
    return alone


def said(answer: AuthorizeResponse) -> tuple[int, list[str]]:
    return answer.effect, [reason.rule for reason in answer.reasons]


def copy(request: AuthorizeRequest, **changes: str) -> AuthorizeRequest:
    copied = AuthorizeRequest()
    copied.CopyFrom(request)
    for name, value in changes.items():
        setattr(copied, name, value)
    return copied


def of_dev(person: str) -> AuthorizeRequest:
    """An export that `dev`, whom user:dev owns, asks for on behalf of somebody."""
    return exporting(subject={"type": "agent", "id": "dev"}, onBehalfOf=[{"type": "user", "id": person}])


async def many(server: Placet, count: int, person: str = "", by: str = "report-bot") -> list[AuthorizeRequest]:
    items = [of_dev(person) if person else exporting() for _ in range(count)]
    for at in range(0, count, 20):
        batch = BatchAuthorizeRequest(items=items[at : at + 20])
        answers = await server.decisions.BatchAuthorize(batch, metadata=server.metadata(by), timeout=9)
        assert {result.decision.effect for result in answers.results} == {NEEDS}
    return items


async def newest(server: Placet) -> str:
    by = server.metadata("report-bot")
    page = await server.approvals.ListApprovals(ListApprovalsRequest(page_size=1), metadata=by)
    return page.approvals[0].approval_id


async def denied(server: Placet, request: AuthorizeRequest) -> Approval:
    return await server.review((await server.authorize(request)).approval, "bob", "DENY", "not this")


async def test_identical_pending_request_is_the_same_approval(quiet: Placet) -> None:
    request = exporting()
    answers = [await quiet.authorize(copy(request, request_id=uuid4().hex)) for _ in range(3)]
    assert len({answer.approval.approval_id for answer in answers}) == 1


async def test_caller_has_so_many_pending_for_a_person_and_is_told_what_to_do(
    quiet: Placet, mongod: MongodProcess
) -> None:
    first, *_ = await many(quiet, MAX_PENDING, "carol", by="dev")
    before = len(await log(quiet, "error"))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await quiet.authorize(of_dev("carol"), by="dev")
    status = rpc_status.from_call(caught.value)
    assert status is not None
    info = RetryInfo()
    assert [detail.Unpack(info) for detail in status.details if detail.Is(RetryInfo.DESCRIPTOR)] == [True]
    assert info.retry_delay.seconds == 60
    why = await refused(quiet.authorize(of_dev("carol"), by="dev"))
    assert (why.code, why.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_PENDING")
    assert "100 approvals of this caller in the name of a person whom the request names wait" in why.message
    assert "have some of them reviewed, or cancel" in why.message
    errors = await log(quiet, "error")
    assert [record["error"] for record, _ in errors[before:]] == ["TOO_MANY_PENDING"] * 2
    same = await quiet.authorize(first, by="dev")
    assert same.effect == NEEDS
    assert (await quiet.authorize(exporting())).effect == NEEDS
    assert (await quiet.authorize(copy_dry(of_dev("carol")), by="dev")).effect == NEEDS
    await quiet.review(same.approval, "bob", "DENY")
    opened = await quiet.authorize(of_dev("carol"), by="dev")
    assert opened.effect == NEEDS
    assert (await refused(quiet.authorize(of_dev("carol"), by="dev"))).reason == "TOO_MANY_PENDING"
    await set_back(mongod, quiet, opened.approval.approval_id, "created_at", hours=5)
    assert (await quiet.authorize(of_dev("carol"), by="dev")).effect == NEEDS


async def test_requests_in_a_persons_name_take_nothing_from_the_person(quiet: Placet) -> None:
    await many(quiet, MAX_PENDING, "carol", by="dev")
    assert (await refused(quiet.authorize(of_dev("carol"), by="dev"))).reason == "TOO_MANY_PENDING"
    assert (await quiet.authorize(of_dev("erin"), by="dev")).effect == NEEDS
    own = exporting(subject={"type": "user", "id": "carol"}, onBehalfOf=[])
    assert (await quiet.authorize(own, by="carol")).effect == NEEDS
    through_another = exporting(onBehalfOf=[{"type": "user", "id": "carol"}])
    assert (await quiet.authorize(through_another)).effect == NEEDS


async def test_caller_has_so_many_pending_in_all(quiet: Placet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_limits, "MAX_PENDING_OF_CALLER", 40)
    for person in ("carol", "erin"):
        await many(quiet, 20, person, by="dev")
    why = await refused(quiet.authorize(of_dev("dana"), by="dev"))
    assert (why.code, why.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_PENDING")
    assert "40 approvals of this caller wait for reviewers" in why.message
    assert (await quiet.authorize(exporting())).effect == NEEDS


async def test_batch_stops_opening_at_the_limit_and_says_so_item_by_item(quiet: Placet) -> None:
    await many(quiet, MAX_PENDING - 1)
    batch = BatchAuthorizeRequest(items=[exporting(), exporting(), asking("read")])
    answer = await quiet.decisions.BatchAuthorize(batch, metadata=quiet.metadata("report-bot"))
    opened, refusal, allowed = answer.results
    assert (opened.decision.effect, allowed.decision.effect) == (NEEDS, ALLOW)
    assert (refusal.error.code, refusal.error.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_PENDING")


async def test_denied_request_is_denied_again_and_says_until_when(quiet: Placet, mongod: MongodProcess) -> None:
    request = exporting(requestId=uuid4().hex)
    denial = await denied(quiet, request)
    until = denial.denied_until.ToDatetime(UTC)
    assert until == denial.closed_at.ToDatetime(UTC) + DENIED_FOR
    assert timedelta(minutes=9) < until - datetime.now(UTC) <= timedelta(minutes=10, seconds=5)
    for again in (copy(request, request_id=""), copy(request, request_id=uuid4().hex), copy_dry(request)):
        answer = await quiet.authorize(again)
        assert said(answer) == (DENY, ["pdp.recently_denied"])
        assert denial.approval_id in answer.reasons[0].reason
        assert f"{until:%Y-%m-%dT%H:%M:%SZ}" in answer.reasons[0].reason
        assert (answer.approval.approval_id, answer.approval.state) == (denial.approval_id, DENIED)
        assert answer.approval.denied_until == denial.denied_until
    assert await newest(quiet) == denial.approval_id
    (record, _) = (await log(quiet, "decision"))[-1]
    assert (record["effect"], record["rules"]) == ("DENY", ["pdp.recently_denied"])
    assert record["approval_id"] == denial.approval_id
    await set_back(mongod, quiet, denial.approval_id, "closed_at", minutes=9, seconds=50)
    assert said(await quiet.authorize(copy(request, request_id=""))) == (DENY, ["pdp.recently_denied"])
    await set_back(mongod, quiet, denial.approval_id, "closed_at", seconds=11)
    assert (await quiet.authorize(copy(request, request_id=""))).effect == NEEDS


async def test_request_id_and_approval_id_of_a_denial_show_that_end(quiet: Placet) -> None:
    request = exporting(requestId=uuid4().hex)
    denial = await denied(quiet, request)
    for again in (request, copy(request, request_id="", approval_id=denial.approval_id)):
        answer = await quiet.authorize(again)
        assert said(answer) == (DENY, ["pdp.approval_denied"])
        assert answer.approval.denied_until == denial.denied_until


async def test_denial_is_of_this_request_and_this_caller_alone(quiet: Placet) -> None:
    request = of_dev("carol")
    denial = await quiet.review((await quiet.authorize(request, by="dev")).approval, "bob", "DENY")
    assert said(await quiet.authorize(request, by="dev")) == (DENY, ["pdp.recently_denied"])
    assert (await quiet.authorize(of_dev("carol"), by="dev")).effect == NEEDS
    other = exporting()
    await denied(quiet, other)
    as_dev = await quiet.authorize(other, by="dev")
    assert as_dev.effect == NEEDS
    assert denial.HasField("denied_until")
    assert not as_dev.approval.HasField("denied_until")


async def test_end_that_no_reviewer_made_is_not_denied_again(quiet: Placet, mongod: MongodProcess) -> None:
    request = exporting()
    approval = (await quiet.authorize(request)).approval
    await set_back(mongod, quiet, approval.approval_id, "created_at", hours=5)
    again = await quiet.authorize(request)
    assert again.effect == NEEDS
    assert again.approval.approval_id != approval.approval_id


async def sharing(server: Placet) -> Approval:
    """A request whose requirement is individual."""
    members = {"subject": {"type": "user", "id": "dev"}, "context": {"run": uuid4().hex}, "onBehalfOf": []}
    return (await server.authorize(asking("share", ["pii"], **members), by="dev")).approval


@pytest.mark.parametrize("verdict", [1, 2])
async def test_individual_requirement_is_not_reviewed_together_with_others(quiet: Placet, verdict: int) -> None:
    shared = await sharing(quiet)
    assert [requirement.individual for requirement in shared.requirements] == [True]
    displayed = {
        "expected_digest": shared.request_digest,
        "expected_version": shared.version,
        "expected_lineage": UNSEEN,
    }
    review = ReviewRequest(approval_id=shared.approval_id, verdict=verdict, **displayed)
    review.together = True
    why = await refused(quiet.reviews.Review(review, metadata=quiet.metadata("bob")))
    assert (why.code, why.reason) == ("FAILED_PRECONDITION", "REVIEW_INDIVIDUALLY")
    assert why.message.startswith("tags.pii.share is reviewed individually")
    seen = GetApprovalRequest(approval_id=shared.approval_id)
    answer = await quiet.approvals.GetApproval(seen, metadata=quiet.metadata("bob"))
    assert (answer.may_review, len(answer.approval.reviews)) == (True, 0)
    review.together = False
    assert (await quiet.reviews.Review(review, metadata=quiet.metadata("bob"))).approval.state != shared.state


async def test_others_may_be_reviewed_together(quiet: Placet) -> None:
    approval = (await quiet.authorize(exporting())).approval
    displayed = {
        "expected_digest": approval.request_digest,
        "expected_version": approval.version,
        "expected_lineage": UNSEEN,
    }
    review = ReviewRequest(approval_id=approval.approval_id, verdict=1, together=True, **displayed)
    reviewed = (await quiet.reviews.Review(review, metadata=quiet.metadata("bob"))).approval
    assert [requirement.individual for requirement in reviewed.requirements] == [False]
    assert len(reviewed.reviews) == 1


async def test_group_is_open_where_tokens_may_name_it(quiet: Placet) -> None:
    approval = (await quiet.authorize(exporting())).approval
    request = GetApprovalRequest(approval_id=approval.approval_id)
    (eligible,) = (await quiet.approvals.GetApproval(request, metadata=quiet.metadata("report-bot"))).eligible
    assert (eligible.rule, list(eligible.identities)) == ("tags.pii.export", ["user:bob", "user:carol"])
    assert eligible.open


def copy_dry(request: AuthorizeRequest) -> AuthorizeRequest:
    dry = copy(request, request_id="")
    dry.dry_run = True
    return dry

"""An approval is used under what its reviewers saw of the data: more tags void it, fewer change nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from pdp.lineage.seen import kept
from pdp.process.mongod import MongodProcess
from pdp.v1 import approval_pb2, review_pb2
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse
from pdp.v1.request_pb2 import Effect
from tests.known import Known, view
from tests.parts import Placet, exporting, placet, refusal
from tests.pdp.mongo import database

TABLE = "customers"


@pytest.fixture(scope="module")
def known() -> Known:
    return Known({TABLE: {"email": ["contact"]}})


@pytest.fixture(scope="module")
async def informed(state: Path, mongod: MongodProcess, known: Known) -> AsyncIterator[Placet]:
    """A server that knows of data what the test says."""
    async with placet(state, mongod.uri, known=known) as running:
        yield running


@pytest.fixture
def request_(known: Known) -> AuthorizeRequest:
    known.say(TABLE, email=["contact"])
    return exporting()


async def used(server: Placet, request: AuthorizeRequest, approval: approval_pb2.Approval) -> AuthorizeResponse:
    again = AuthorizeRequest()
    again.CopyFrom(request)
    again.approval_id = approval.approval_id
    return await server.authorize(again)


async def opened(server: Placet, request: AuthorizeRequest) -> approval_pb2.Approval:
    return (await server.authorize(request)).approval


async def test_what_the_reviewers_saw_is_used(informed: Placet, known: Known, request_: AuthorizeRequest) -> None:
    approval = await informed.approved(request_)
    known.n += 5
    assert (await used(informed, request_, approval)).effect == Effect.EFFECT_ALLOW


@pytest.mark.parametrize("columns", [{}, {"email": []}, {"email": ["contact"], "id": []}], ids=str)
async def test_fewer_tags_change_nothing(
    informed: Placet, known: Known, request_: AuthorizeRequest, columns: dict[str, list[str]]
) -> None:
    approval = await informed.approved(request_)
    known.say(TABLE, **columns)
    assert (await used(informed, request_, approval)).effect == Effect.EFFECT_ALLOW


@pytest.mark.parametrize(
    "columns",
    [{"email": ["contact", "health"]}, {"email": ["contact"], "note": ["contact"]}, {"note": ["unclassified"]}],
    ids=str,
)
async def test_data_that_grew_more_sensitive_voids_the_use(
    informed: Placet, known: Known, request_: AuthorizeRequest, columns: dict[str, list[str]]
) -> None:
    approval = await informed.approved(request_)
    known.say(TABLE, **columns)
    answer = await used(informed, request_, approval)
    assert answer.effect == Effect.EFFECT_DENY
    assert [reason.rule for reason in answer.reasons] == ["pdp.lineage_grew"]
    assert "health" not in answer.reasons[0].reason
    assert answer.approval.state == approval_pb2.ApprovalState.APPROVAL_STATE_VOIDED


async def test_a_review_counts_only_if_it_saw_all_of_today(
    informed: Placet, known: Known, request_: AuthorizeRequest
) -> None:
    approval = await opened(informed, request_)
    await informed.review(approval, "bob")
    known.say(TABLE, email=["contact", "health"])
    await informed.review(approval, "carol")
    answer = await used(informed, request_, approval)
    assert [reason.rule for reason in answer.reasons] == ["pdp.lineage_grew"]


async def test_a_dry_run_says_so_and_leaves_the_approval(
    informed: Placet, known: Known, request_: AuthorizeRequest
) -> None:
    approval = await informed.approved(request_)
    known.say(TABLE, email=["health"])
    dry = AuthorizeRequest()
    dry.CopyFrom(request_)
    dry.approval_id, dry.dry_run = approval.approval_id, True
    assert (await informed.authorize(dry)).reasons[0].rule == "pdp.lineage_grew"
    known.say(TABLE, email=["contact"])
    assert (await used(informed, request_, approval)).effect == Effect.EFFECT_ALLOW


async def test_a_reviewer_sees_today_with_what_came_since_marked_and_a_requester_sees_nothing(
    informed: Placet, known: Known, request_: AuthorizeRequest
) -> None:
    approval = await opened(informed, request_)
    known.say(TABLE, email=["contact", "health"], note=["contact"])
    shown = (await informed.seen(approval, informed.metadata("bob"))).lineage
    columns = {column.name: (list(column.tags), list(column.new_tags)) for column in shown.columns}
    assert columns == {"email": (["contact", "health"], ["health"]), "note": (["contact"], ["contact"])}
    assert (shown.state, list(shown.tags), list(shown.new_tags)) == ("KNOWN", ["contact", "health"], ["health"])
    assert shown.revision == known.n
    listed = await informed.reviews.ListQueue(review_pb2.ListQueueRequest(), metadata=informed.metadata("bob"))
    assert [one.lineage for one in listed.approvals if one.approval_id == approval.approval_id] == [shown]
    assert not (await informed.seen(approval, informed.metadata("report-bot"))).HasField("lineage")
    assert not approval.HasField("lineage")


@pytest.mark.parametrize(
    ("digest", "code", "reason"),
    [("", "INVALID_ARGUMENT", "INVALID_REQUEST"), ("x" * 43, "ABORTED", "LINEAGE_CHANGED")],
)
async def test_a_review_is_of_the_data_that_was_displayed(
    informed: Placet, known: Known, request_: AuthorizeRequest, digest: str, code: str, reason: str
) -> None:
    approval = await opened(informed, request_)
    request = review_pb2.ReviewRequest(
        approval_id=approval.approval_id,
        expected_digest=approval.request_digest,
        expected_version=approval.version,
        verdict=approval_pb2.Verdict.VERDICT_APPROVE,
        expected_lineage=digest,
    )
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await informed.reviews.Review(request, metadata=informed.metadata("bob"))
    refused = refusal(error.value)
    assert (refused.code, refused.reason) == (code, reason)
    now = known.view("table", TABLE)
    if digest:
        assert refused.metadata["lineage_digest"] == now.digest
        assert refused.metadata["lineage"] == now.json.decode()


async def test_no_verdict_counts_while_the_newest_is_not_known(
    informed: Placet, known: Known, request_: AuthorizeRequest
) -> None:
    approval = await opened(informed, request_)
    known.stale = True
    try:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await informed.review(approval, "bob")
    finally:
        known.stale = False
    assert refusal(error.value).reason == "LINEAGE_STALE"


@pytest.mark.parametrize("where", ["lineage", "reviews.0.lineage"])
async def test_what_was_seen_is_signed(
    informed: Placet, mongod: MongodProcess, request_: AuthorizeRequest, where: str
) -> None:
    approval = await informed.approved(request_)
    async with database(mongod, informed) as found:
        await found["approvals"].update_one({"_id": approval.approval_id}, {"$set": {where: kept(view({"a": ["b"]}))}})
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await used(informed, request_, approval)
    assert refusal(error.value).reason == "APPROVAL_TAMPERED"

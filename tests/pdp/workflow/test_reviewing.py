"""One person's verdict on an approval: who may give it, on what, and in which order it is refused."""

import asyncio
from functools import partial
from itertools import product
from typing import Any

import grpc
import pytest

from pdp.approval import ReviewVerdict
from pdp.process.mongod import MongodProcess
from pdp.store.approval_document import from_document
from pdp.v1.approval_pb2 import Approval, ApprovalState, Verdict
from pdp.v1.review_pb2 import ReviewRequest
from tests.known import UNSEEN
from tests.parts import Placet, exporting, insisted, log
from tests.pdp.mongo import database, set_back
from tests.pdp.steps import brought_to, erin, now, revoke, state_of, verdict
from tests.pdp.wire import refused
from tests.tokens import metadata


async def test_late_denial_is_by_somebody_who_has_not_reviewed_and_is_no_principal(server: Placet) -> None:
    approval = await server.approved(exporting())
    for by, reason in (("carol", "ALREADY_REVIEWED"), ("alice", "REVIEWER_IS_REQUESTER")):
        credentials = metadata(server.state, f"user:{by}", "reviewer", groups=["data-stewards"])
        assert (await refused(verdict(server, approval, "DENY", credentials))).reason == reason
    stranger = metadata(server.state, "user:eve", "reviewer")
    assert (await refused(verdict(server, approval, "DENY", stranger))).reason == "APPROVAL_NOT_FOUND"
    assert state_of(await now(server, approval)) == "APPROVED"


async def test_revocation_is_by_whoever_fits_also_after_an_approve(server: Placet) -> None:
    approval = await server.approved(exporting())
    stranger = metadata(server.state, "user:eve", "reviewer")
    assert (await refused(revoke(server, approval, stranger))).reason == "APPROVAL_NOT_FOUND"
    unfit = metadata(server.state, "user:alice", "reviewer")
    assert (await refused(revoke(server, approval, unfit))).reason == "REVIEWER_NOT_ELIGIBLE"
    for reason in ("", "  "):
        assert (await refused(revoke(server, approval, server.metadata("bob"), reason))).fields == ("reason",)
    revoked = (await revoke(server, approval, server.metadata("bob"))).approval
    assert (state_of(revoked), revoked.closed_by) == ("REVOKED", "user:bob")


async def test_of_an_approval_and_a_denial_at_once_the_denial_stays(server: Placet, rounds: int) -> None:
    for _ in range(rounds * 4):
        approval = (await server.authorize(exporting())).approval
        await server.review(approval, "bob")
        approved, denied = await asyncio.gather(
            insisted(partial(server.review, approval, "carol")),
            insisted(partial(verdict, server, approval, "DENY", erin(server))),
            return_exceptions=True,
        )
        assert not isinstance(denied, BaseException)
        then = await now(server, approval)
        assert (state_of(then), len(then.reviews)) in (("REVOKED", 3), ("DENIED", 2))
        assert isinstance(approved, grpc.aio.AioRpcError) == (state_of(then) == "DENIED")


DENIED = ApprovalState.APPROVAL_STATE_DENIED


async def test_person_reviews_once_and_only_while_it_is_pending(server: Placet) -> None:
    approval = (await server.authorize(exporting())).approval
    await server.review(approval, "bob")
    for word in ("APPROVE", "DENY"):
        assert (await refused(server.review(approval, "bob", word))).reason == "ALREADY_REVIEWED"
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


@pytest.mark.parametrize("standing", ["PENDING", "DENIED"])
async def test_of_several_reasons_against_a_review_the_most_lasting_is_said(
    server: Placet, mongod: MongodProcess, standing: str
) -> None:
    _, approval = await brought_to(server, mongod, standing)
    version = (await now(server, approval)).version
    for by, is_stale, is_wrong in product(("alice", "bob", "erin"), (True, False), (True, False)):
        order = {
            "REVIEWER_IS_REQUESTER": by == "alice",
            "APPROVAL_CHANGED": is_stale,
            "APPROVAL_NOT_PENDING": standing != "PENDING",
            "DIGEST_MISMATCH": is_wrong,
            "ALREADY_REVIEWED": by == "bob",
        }
        request = ReviewRequest(
            approval_id=approval.approval_id,
            expected_digest="x" if is_wrong else approval.request_digest,
            expected_version=version - 1 if is_stale else version,
            expected_lineage=UNSEEN,
            verdict=Verdict.VERDICT_APPROVE,
        )
        credentials = metadata(server.state, f"user:{by}", "reviewer", groups=["data-stewards"])
        first = next((reason for reason, is_there in order.items() if is_there), None)
        if first is not None:
            assert (await refused(server.reviews.Review(request, metadata=credentials))).reason == first
    assert (await now(server, approval)).version == version


async def test_changed_approval_says_how_far_it_is_by_now(server: Placet) -> None:
    approval = (await server.authorize(exporting())).approval
    await server.review(approval, "bob")
    request = ReviewRequest(
        approval_id=approval.approval_id,
        expected_digest=approval.request_digest,
        expected_version=approval.version,
        expected_lineage=UNSEEN,
        verdict=Verdict.VERDICT_APPROVE,
    )
    why = await refused(server.reviews.Review(request, metadata=server.metadata("carol")))
    assert why.metadata == {"state": "PENDING", "reviews": "1", "version": str(approval.version + 1)}


async def test_review_is_kept_with_what_was_known_of_the_reviewer(server: Placet, mongod: MongodProcess) -> None:
    approval = (await server.authorize(exporting())).approval
    await server.review(approval, "bob", reason="looked at it")
    async with database(mongod, server) as found:
        document = await found["approvals"].find_one({"_id": approval.approval_id}) or {}
    [held] = from_document(document).reviews
    assert (held.reviewer, held.person, held.groups) == ("user:bob", "user:bob", ("data-stewards",))
    assert (held.verdict, held.reason, held.fits) == (ReviewVerdict.APPROVE, "looked at it", (0,))
    assert held.policy_revision == approval.policy_revision
    assert held.signature
    [kept] = [payload for kind, payload in await recorded(server, approval) if kind == "approval.reviewed"]
    assert (kept["signature"], kept["state"]) == (held.signature, "PENDING")


async def test_verdict_that_ends_it_is_recorded_as_review_and_end(server: Placet) -> None:
    approval = (await server.authorize(exporting())).approval
    await server.review(approval, "bob", "DENY", "too much")
    kinds = [kind for kind, _ in await recorded(server, approval)]
    assert kinds == ["decision", "approval.created", "approval.reviewed", "approval.closed"]


async def test_racing_reviews_of_different_people_all_count(server: Placet) -> None:
    approval = (await server.authorize(exporting())).approval
    people = [f"user:steward-{number}" for number in range(8)]
    by = [metadata(server.state, name, "reviewer", groups=["data-stewards"]) for name in people]
    calls = [partial(verdict, server, approval, "APPROVE", one) for one in by]
    answers = await asyncio.gather(*map(insisted, calls), return_exceptions=True)
    then = await now(server, approval)
    assert state_of(then) == "APPROVED"
    assert len(then.reviews) == sum(not isinstance(one, BaseException) for one in answers) == 2


async def recorded(server: Placet, approval: Approval) -> list[tuple[str, dict[str, Any]]]:
    """Kind and payload of each record of the approval, each id once: a record may be delivered twice."""
    found = [(record, held) for record, held in await log(server) if record.get("approval_id") == approval.approval_id]
    return list({record["id"]: (record["kind"], held) for record, held in found}.values())

"""What comes around a use: its outcome, grants on plain allows, stale views, and what to compare with."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jws

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, GetApprovalRequest, GetApprovalResponse, OutcomeState
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest
from pdp.v1.review_pb2 import ReviewRequest
from tests.known import UNSEEN
from tests.parts import Placet, asking, exporting, log, payload
from tests.pdp.mongo import set_back
from tests.pdp.steps import cancel, erin, now, report, revoke, use, verdict
from tests.pdp.wire import refused
from tests.tokens import Metadata, metadata

SUCCEEDED, FAILED, UNKNOWN = (
    getattr(OutcomeState, f"OUTCOME_STATE_{name}") for name in ("SUCCEEDED", "FAILED", "UNKNOWN")
)


async def used(server: Placet) -> Approval:
    request = exporting()
    approval = await server.approved(request)
    return (await use(server, request, approval)).approval


async def outcomes(server: Placet, approval: Approval) -> list[dict[str, Any]]:
    """Recorded ones; an id counts once."""
    records = await log(server, "outcome")
    mine = {record["id"]: held["details"] for record, held in records if record["approval_id"] == approval.approval_id}
    return list(mine.values())


async def test_outcome_is_kept_recorded_and_in_time(server: Placet) -> None:
    approval = await used(server)
    assert not approval.HasField("outcome")
    outcome = (await report(server, approval, SUCCEEDED, "10 rows")).approval.outcome
    assert (outcome.state, outcome.detail, outcome.late) == (SUCCEEDED, "10 rows", False)
    assert outcome.reported_at.ToDatetime() >= approval.closed_at.ToDatetime()
    (recorded,) = await outcomes(server, approval)
    assert recorded["decision_id"] == approval.used_by_decision_id
    assert (recorded["outcome"]["state"], recorded["outcome"]["late"]) == ("SUCCEEDED", False)


async def test_outcome_after_the_grant_expired_is_kept_and_late(server: Placet, mongod: MongodProcess) -> None:
    approval = await used(server)
    await set_back(mongod, server, approval.approval_id, "closed_at", seconds=31)
    assert (await report(server, approval, FAILED)).approval.outcome.late
    assert (await outcomes(server, approval))[0]["outcome"]["late"]


@pytest.mark.parametrize("final", [SUCCEEDED, FAILED])
async def test_final_outcome_stays_and_the_same_again_changes_nothing(server: Placet, final: int) -> None:
    approval = await used(server)
    first = (await report(server, approval, final, "x")).approval
    assert (await report(server, approval, final, "x")).approval == first
    for state, detail in ((SUCCEEDED + FAILED - final, "x"), (UNKNOWN, "x"), (final, "y")):
        why = await refused(report(server, approval, state, detail))
        assert (why.code, why.reason) == ("ALREADY_EXISTS", "OUTCOME_REPORTED")
    assert len(await outcomes(server, approval)) == 1


async def test_unknown_is_settled_later(server: Placet) -> None:
    approval = await used(server)
    await report(server, approval, UNKNOWN, "timeout")
    await report(server, approval, UNKNOWN, "still")
    assert (await report(server, approval, SUCCEEDED)).approval.outcome.state == SUCCEEDED
    recorded = sorted(one["outcome"]["state"] for one in await outcomes(server, approval))
    assert recorded == ["SUCCEEDED", "UNKNOWN", "UNKNOWN"]


async def test_of_two_final_outcomes_at_once_one_is_kept(server: Placet) -> None:
    approval = await used(server)
    calls = [report(server, approval, state) for state in (SUCCEEDED, FAILED) * 4]
    await asyncio.gather(*calls, return_exceptions=True)
    (recorded,) = await outcomes(server, approval)
    kept = (await now(server, approval)).outcome.state
    assert OutcomeState.Name(kept) == f"OUTCOME_STATE_{recorded['outcome']['state']}"


@pytest.mark.parametrize(
    ("state_number", "detail", "field"), [(0, "", "state"), (9, "", "state"), (1, "x" * 2001, "detail")]
)
async def test_outcome_is_one_that_the_contract_has(server: Placet, state_number: int, detail: str, field: str) -> None:
    why = await refused(report(server, await used(server), state_number, detail))
    assert (why.code, why.fields) == ("INVALID_ARGUMENT", (field,))


async def test_repeated_use_gives_the_same_grant_after_its_outcome(server: Placet) -> None:
    request = exporting(requestId="outcome-then-repeat")
    approval = await server.approved(request)
    request.approval_id = approval.approval_id
    first = await server.authorize(request)
    await report(server, approval, SUCCEEDED)
    again = await server.authorize(request)
    assert first.grant
    assert (again.decision_id, again.grant) == (first.decision_id, first.grant)


def claims(grant: str) -> dict[str, Any]:
    return payload(jws.extract_compact(grant.encode()).payload)


async def test_plain_allow_is_granted_where_it_is_wanted(server: Placet) -> None:
    answer = await server.authorize(asking("read", wantGrant=True))
    found = claims(answer.grant)
    assert "approval" not in found
    assert (found["iss"], found["aud"], found["jti"]) == ("dev", "agent:report-bot", answer.decision_id)
    assert found["digest"] == answer.request_digest
    assert found["exp"] - found["iat"] == 30
    assert abs(found["iat"] - time.time()) < 10
    assert not (await server.authorize(asking("read"))).grant


@pytest.mark.parametrize("members", [{"action": "drop"}, {"dryRun": True}])
async def test_nothing_but_an_allow_that_counts_is_granted(server: Placet, members: dict[str, Any]) -> None:
    assert not (await server.authorize(asking(wantGrant=True, **members))).grant
    assert not (await server.authorize(exporting(wantGrant=True))).grant


async def test_items_of_a_batch_get_grants_of_their_own(server: Placet) -> None:
    held = exporting()
    approval = await server.approved(held)
    held.approval_id = approval.approval_id
    items = [asking("read", context={"n": 1}), asking("drop"), held]
    for defaults, expected in ((AuthorizeRequest(want_grant=True), True), (AuthorizeRequest(), False)):
        batch = BatchAuthorizeRequest(items=items, defaults=defaults)
        answer = await server.decisions.BatchAuthorize(batch, metadata=server.metadata("report-bot"))
        plain, denied, through = (result.decision for result in answer.results)
        assert bool(plain.grant) == expected
        assert not denied.grant
        if expected:
            assert claims(plain.grant)["jti"] == plain.decision_id
            assert claims(through.grant)["approval"] == approval.approval_id


async def test_version_grows_with_every_step(server: Placet) -> None:
    request = exporting()
    versions = [(await server.authorize(request)).approval.version]
    approval = (await server.authorize(request)).approval
    versions += [(await server.review(approval, by)).version for by in ("bob", "carol")]
    versions.append((await use(server, request, approval)).approval.version)
    versions.append((await report(server, approval)).approval.version)
    assert versions == [1, 2, 3, 4, 5]


async def test_stale_view_is_refused_with_what_changed(server: Placet) -> None:
    approval = (await server.authorize(exporting())).approval
    await server.review(approval, "bob", reason="canary-reason")
    request = ReviewRequest(
        approval_id=approval.approval_id,
        expected_digest=approval.request_digest,
        verdict="VERDICT_APPROVE",
        expected_version=approval.version,
        expected_lineage=UNSEEN,
    )
    why = await refused(server.reviews.Review(request, metadata=server.metadata("carol")))
    assert (why.code, why.reason) == ("ABORTED", "APPROVAL_CHANGED")
    assert why.metadata == {"state": "PENDING", "reviews": "1", "version": "2"}
    assert "PENDING with 1 review" in why.message
    assert "canary" not in why.message
    request.expected_version = 2
    assert len((await server.reviews.Review(request, metadata=server.metadata("carol"))).approval.reviews) == 2


async def seen(server: Placet, approval: Approval, by: Metadata) -> GetApprovalResponse:
    return await server.approvals.GetApproval(GetApprovalRequest(approval_id=approval.approval_id), metadata=by)


async def test_reviewer_compares_with_the_last_approved_of_the_same_kind(server: Placet) -> None:
    approval = (await server.authorize(exporting())).approval
    was_used = await used(server)
    revoked, cancelled = await server.approved(exporting()), (await server.authorize(exporting())).approval
    await revoke(server, revoked, server.metadata("bob"))
    await cancel(server, cancelled)
    assert (await seen(server, approval, server.metadata("bob"))).last_approved.approval_id == was_used.approval_id
    newer = await server.approved(exporting())
    last = (await seen(server, approval, erin(server))).last_approved
    assert (last.approval_id, last.request) == (newer.approval_id, newer.request)


async def test_another_kind_and_another_callers_are_not_compared_with(server: Placet) -> None:
    subject = {"type": "agent", "id": "dev"}
    shared = asking("share", ["pii"], subject=subject, onBehalfOf=[], context={"run": uuid4().hex})
    approval = (await server.authorize(shared, by="dev")).approval
    exported = (await server.authorize(exporting(subject=subject, onBehalfOf=[]), by="dev")).approval
    for by in ("bob", "carol"):
        await server.review(exported, by)
    await used(server)
    answer = await seen(server, approval, server.metadata("bob"))
    assert answer.may_review
    assert not answer.HasField("last_approved")
    again = exporting(subject=subject, onBehalfOf=[])
    approval = (await server.authorize(again, by="dev")).approval
    assert (await seen(server, approval, server.metadata("bob"))).last_approved.approval_id == exported.approval_id


async def test_only_who_may_review_compares(server: Placet) -> None:
    await used(server)
    approval = (await server.authorize(exporting())).approval
    for by in (server.metadata("report-bot"), metadata(server.state, "user:alice", "reviewer")):
        assert not (await seen(server, approval, by)).HasField("last_approved")
    assert (await seen(server, approval, server.metadata("bob"))).HasField("last_approved")
    await verdict(server, approval, "APPROVE", server.metadata("bob"))
    assert not (await seen(server, approval, server.metadata("bob"))).HasField("last_approved")

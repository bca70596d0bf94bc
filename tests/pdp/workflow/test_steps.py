"""Every event in every state of an approval, and who may cause it."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import product
from typing import Any

import grpc
import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import (
    Approval,
    ApprovalState,
    CancelApprovalRequest,
    GetApprovalRequest,
    ReportOutcomeRequest,
    Verdict,
)
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse
from pdp.v1.request_pb2 import Effect
from pdp.v1.review_pb2 import ReviewRequest, RevokeApprovalRequest
from tests.parts import Placet, exporting, log, refusal
from tests.pdp.mongo import second_reviewer_left, set_back
from tests.pdp.wire import refused
from tests.tokens import Metadata, metadata

STATES = tuple(name.removeprefix("APPROVAL_STATE_") for name in list(ApprovalState.keys())[1:])
STEPS = {
    ("PENDING", "approve"): "APPROVED",
    ("PENDING", "deny"): "DENIED",
    ("PENDING", "send back"): "DENIED",
    ("PENDING", "cancel"): "CANCELLED",
    ("APPROVED", "deny"): "REVOKED",
    ("APPROVED", "revoke"): "REVOKED",
    ("APPROVED", "cancel"): "REVOKED",
    ("APPROVED", "use"): "CONSUMED",
    ("CONSUMED", "report"): "CONSUMED",
}
REFUSALS = {
    "approve": "APPROVAL_NOT_PENDING",
    "deny": "APPROVAL_NOT_PENDING",
    "send back": "APPROVAL_NOT_PENDING",
    "revoke": "APPROVAL_NOT_APPROVED",
    "cancel": "APPROVAL_NOT_PENDING",
    "report": "APPROVAL_NOT_CONSUMED",
    "use": "",
}
CLOSERS = {"deny": "user:erin", "send back": "user:erin", "revoke": "user:erin", "cancel": "agent:report-bot"}


def erin(server: Placet) -> Metadata:
    """A data steward who has reviewed nothing."""
    return metadata(server.state, "user:erin", "reviewer", groups=["data-stewards"])


def verdict(server: Placet, approval: Approval, name: str, by: Metadata) -> Awaitable[Any]:
    request = ReviewRequest(
        approval_id=approval.approval_id,
        expected_digest=approval.request_digest,
        verdict=Verdict.Value(f"VERDICT_{name}"),
        reason="because",
    )
    return server.reviews.Review(request, metadata=by)


def revoke(server: Placet, approval: Approval, by: Metadata, reason: str = "because") -> Awaitable[Any]:
    request = RevokeApprovalRequest(approval_id=approval.approval_id, reason=reason)
    return server.reviews.RevokeApproval(request, metadata=by)


def cancel(server: Placet, approval: Approval, by: str = "report-bot") -> Awaitable[Any]:
    request = CancelApprovalRequest(approval_id=approval.approval_id, reason="because")
    return server.approvals.CancelApproval(request, metadata=server.metadata(by))


def report(server: Placet, approval: Approval, state: Any = 1, detail: str = "", by: str = "report-bot") -> Any:
    request = ReportOutcomeRequest(approval_id=approval.approval_id, state=state, detail=detail)
    return server.approvals.ReportOutcome(request, metadata=server.metadata(by))


def use(server: Placet, request: AuthorizeRequest, approval: Approval) -> Awaitable[AuthorizeResponse]:
    named = AuthorizeRequest()
    named.CopyFrom(request)
    named.approval_id = approval.approval_id
    return server.authorize(named)


async def now(server: Placet, approval: Approval) -> Approval:
    request = GetApprovalRequest(approval_id=approval.approval_id)
    return (await server.approvals.GetApproval(request, metadata=server.metadata("report-bot"))).approval


def state_of(approval: Approval) -> str:
    return ApprovalState.Name(approval.state).removeprefix("APPROVAL_STATE_")


async def brought_to(server: Placet, mongod: MongodProcess, state: str) -> tuple[AuthorizeRequest, Approval]:
    """An approval in `state`; one that is PENDING lacks one review."""
    request = exporting()
    approval = (await server.authorize(request)).approval
    await server.review(approval, "bob")
    if state == "DENIED":
        await server.review(approval, "carol", "DENY")
    elif state == "EXPIRED":
        await set_back(mongod, server, approval.approval_id, "created_at", hours=5)
    elif state == "CANCELLED":
        await cancel(server, approval)
    elif state != "PENDING":
        await server.review(approval, "carol")
    if state == "VOIDED":
        await second_reviewer_left(mongod, server, approval.approval_id)
    if state in ("VOIDED", "CONSUMED"):
        await use(server, request, approval)
    elif state == "REVOKED":
        await revoke(server, approval, server.metadata("bob"))
    assert state_of(await now(server, approval)) == state
    return request, approval


def caused(server: Placet, event: str, request: AuthorizeRequest, approval: Approval) -> Awaitable[Any]:
    events: dict[str, Callable[[], Awaitable[Any]]] = {
        "approve": lambda: verdict(server, approval, "APPROVE", erin(server)),
        "deny": lambda: verdict(server, approval, "DENY", erin(server)),
        "send back": lambda: verdict(server, approval, "CHANGES_REQUESTED", erin(server)),
        "revoke": lambda: revoke(server, approval, erin(server)),
        "cancel": lambda: cancel(server, approval),
        "report": lambda: report(server, approval),
        "use": lambda: use(server, request, approval),
    }
    return events[event]()


@pytest.mark.parametrize(("before", "event"), list(product(STATES, REFUSALS)))
async def test_event_leads_where_the_table_says(server: Placet, mongod: MongodProcess, before: str, event: str) -> None:
    request, approval = await brought_to(server, mongod, before)
    after = STEPS.get((before, event), before)
    if (before, event) in STEPS or event == "use":
        answer = await caused(server, event, request, approval)
        assert state_of(answer.approval) == after
        if event == "use" and before not in ("PENDING", "APPROVED"):
            assert answer.effect == Effect.EFFECT_DENY
            assert [reason.rule for reason in answer.reasons] == [f"pdp.approval_{before.lower()}"]
    else:
        why = await refused(caused(server, event, request, approval))
        assert (why.code, why.reason) == ("FAILED_PRECONDITION", REFUSALS[event])
        assert why.metadata == {"state": before}
    then = await now(server, approval)
    assert state_of(then) == after
    if after != before and event in CLOSERS:
        assert (then.closed_by, then.close_reason) == (CLOSERS[event], "because")
        assert then.HasField("closed_at")
        assert not then.HasField("expires_at")


@pytest.mark.parametrize(("before", "event"), [pair for pair in STEPS if pair[1] in CLOSERS])
async def test_end_is_recorded_with_who_and_why(server: Placet, mongod: MongodProcess, before: str, event: str) -> None:
    request, approval = await brought_to(server, mongod, before)
    await caused(server, event, request, approval)
    of = [pair for pair in await log(server) if pair[0].get("approval_id") == approval.approval_id]
    (closed,) = [held for record, held in of if record["kind"] == "approval.closed"]
    assert (closed["state"], closed["closed_by"]) == (STEPS[before, event], CLOSERS[event])
    assert closed["reason"] == "because"
    verdicts = [held["verdict"] for record, held in of if record["kind"] == "approval.reviewed"]
    assert ("DENY" in verdicts) == (event == "deny")
    assert ("CHANGES_REQUESTED" in verdicts) == (event == "send back")


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


async def test_only_its_caller_withdraws_or_reports(server: Placet, mongod: MongodProcess) -> None:
    _, approval = await brought_to(server, mongod, "CONSUMED")
    for by in ("dev", "alice"):
        assert (await refused(cancel(server, approval, by))).reason == "APPROVAL_NOT_FOUND"
        assert (await refused(report(server, approval, by=by))).reason == "APPROVAL_NOT_FOUND"


async def test_cancelled_request_can_be_asked_again(server: Placet) -> None:
    request = exporting()
    first = (await server.authorize(request)).approval
    await cancel(server, first)
    second = (await server.authorize(request)).approval
    assert second.approval_id != first.approval_id
    assert state_of(second) == "PENDING"


async def test_of_an_approval_and_a_denial_at_once_the_denial_stays(server: Placet, rounds: int) -> None:
    for _ in range(rounds * 4):
        approval = (await server.authorize(exporting())).approval
        await server.review(approval, "bob")
        approved, denied = await asyncio.gather(
            server.review(approval, "carol"), verdict(server, approval, "DENY", erin(server)), return_exceptions=True
        )
        assert not isinstance(denied, BaseException)
        then = await now(server, approval)
        assert (state_of(then), len(then.reviews)) in (("REVOKED", 3), ("DENIED", 2))
        assert isinstance(approved, grpc.aio.AioRpcError) == (state_of(then) == "DENIED")


@pytest.mark.parametrize("ender", ["deny", "revoke", "cancel"])
async def test_of_a_use_and_an_end_at_once_exactly_one_wins(server: Placet, rounds: int, ender: str) -> None:
    for _ in range(rounds * 4):
        request = exporting()
        approval = await server.approved(request)
        used, ended = await asyncio.gather(
            use(server, request, approval), caused(server, ender, request, approval), return_exceptions=True
        )
        assert isinstance(used, AuthorizeResponse)
        state = state_of(await now(server, approval))
        assert state == ("CONSUMED" if used.effect == Effect.EFFECT_ALLOW else "REVOKED")
        assert isinstance(ended, grpc.aio.AioRpcError) == (state == "CONSUMED")
        if isinstance(ended, grpc.aio.AioRpcError):
            assert refusal(ended).metadata == {"state": "CONSUMED"}

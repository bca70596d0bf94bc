"""The steps that people and programs take on an approval, over the wire."""

from collections.abc import Awaitable
from typing import Any
from uuid import uuid4

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
from pdp.v1.request_pb2 import Request
from pdp.v1.review_pb2 import ReviewRequest, RevokeApprovalRequest
from tests.known import UNSEEN
from tests.parts import Placet, exporting
from tests.pdp.mongo import second_reviewer_left, set_back
from tests.tokens import Metadata, metadata


def erin(server: Placet) -> Metadata:
    """A data steward who has reviewed nothing."""
    return metadata(server.state, "user:erin", "reviewer", groups=["data-stewards"])


async def verdict(server: Placet, approval: Approval, name: str, by: Metadata) -> Any:
    request = ReviewRequest(
        approval_id=approval.approval_id,
        expected_digest=approval.request_digest,
        expected_version=await server.version(approval, by),
        expected_lineage=UNSEEN,
        verdict=Verdict.Value(f"VERDICT_{name}"),
        reason="because",
    )
    return await server.reviews.Review(request, metadata=by)


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
    """Use the approval in an attempt of its own."""
    named = AuthorizeRequest()
    named.CopyFrom(request)
    named.approval_id, named.attempt_id = approval.approval_id, uuid4().hex
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


def asked(request: AuthorizeRequest) -> Request:
    """The five members of it."""
    names = ("subject", "on_behalf_of", "action", "resource", "context")
    return Request(**{name: getattr(request, name) for name in names})


def changes(approval: Approval, **members: Any) -> ReviewRequest:
    good = {
        "approval_id": approval.approval_id,
        "expected_digest": approval.request_digest,
        "expected_version": approval.version,
        "expected_lineage": UNSEEN,
        "verdict": Verdict.VERDICT_CHANGES_REQUESTED,
        "reason": "fewer columns",
    }
    return ReviewRequest(**{**good, **members})

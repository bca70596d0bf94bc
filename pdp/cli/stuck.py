"""Approvals that wait for nobody, and what to do about them: they keep the requirements that they were opened with."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pdp.visible import name, visible

if TYPE_CHECKING:
    from pdp.client import Client
    from pdp.v1.approval_pb2 import Approval, EligibleReviewers, GetApprovalResponse, Requirement

_MAX_SHOWN = 100
"""Identities that a server names of a requirement at most; there may be more of them."""


async def hints(client: "Client", approval: "Approval") -> list[str]:
    """The lines for an approval, of which the server is asked who may review it; none where it does not say."""
    from pdp.client import CallError
    from pdp.v1.approval_pb2 import GetApprovalRequest

    try:
        request = GetApprovalRequest(approval_id=approval.approval_id)
        return lines(await client.call(client.approvals.GetApproval, request))
    except CallError:
        return []


def lines(answer: "GetApprovalResponse") -> list[str]:
    """Which requirements too few people are left for, and what to do; none where enough people may review it."""
    from pdp.v1.approval_pb2 import ApprovalState

    held = answer.approval
    if held.state != ApprovalState.APPROVAL_STATE_PENDING:
        return []
    found = [line for pair in zip(held.requirements, answer.eligible, strict=False) for line in _stuck(*pair)]
    if not found:
        return []
    way_out = (
        "an approval keeps the requirements that it was opened with, also where the policy is mended; to ask anew, its "
        f"caller or the person in whose name it was asked withdraws it: pdp approvals cancel {name(held.approval_id)}"
    )
    return [*found, way_out]


def _stuck(requirement: "Requirement", people: "EligibleReviewers") -> Iterator[str]:
    missing, there = requirement.count - requirement.approved, len(people.identities)
    if missing <= 0 or there >= min(missing, _MAX_SHOWN):
        return
    rule = f"[{visible(requirement.rule)}]"
    groups = ", ".join(f"group {name(group)}" for group in requirement.groups)
    whom = f"of {groups} " if groups else ""
    if not people.open:
        yield f"it is stuck: {missing} must still review it and the policy names {there} {whom}who may  {rule}"
    elif there == 0:
        yield f"it may be stuck: the policy names nobody {whom}who may review it, only tokens could  {rule}"

"""Approvals that wait for nobody, and what to do about them: they keep the requirements that they were opened with."""

from typing import TYPE_CHECKING

from pdp.visible import name

if TYPE_CHECKING:
    from pdp.client import Client
    from pdp.v1.approval_pb2 import Approval, GetApprovalResponse
    from pdp.view.progress import TooFew


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
    from pdp.view.progress import too_few

    found = [_sentence(one) for one in too_few(answer)]
    if not found:
        return []
    way_out = (
        "an approval keeps the requirements that it was opened with, also where the policy is mended; to ask anew, its "
        "caller or the person in whose name it was asked withdraws it: pdp approvals cancel "
        f"{name(answer.approval.approval_id)}"
    )
    return [*found, way_out]


def _sentence(one: "TooFew") -> str:
    groups = ", ".join(f"group {group.name}" for group in one.groups)
    whom = f"of {groups} " if groups else ""
    said = f"it is stuck: {one.missing} must still review it and the policy names {one.named} {whom}who may"
    if one.is_open:
        said = f"it may be stuck: the policy names nobody {whom}who may review it, only tokens could"
    return f"{said}  [{one.rule.visible}]"

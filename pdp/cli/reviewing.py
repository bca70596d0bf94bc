"""Reads an approval for a reviewer, and sends a verdict on exactly what was displayed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdp.errors import InvalidRequest, PdpError
from pdp.obstacle import Obstacle
from pdp.v1.approval_pb2 import (
    Approval,
    ApprovalState,
    GetApprovalRequest,
    GetApprovalResponse,
    Verdict,
)
from pdp.v1.info_pb2 import GetServerInfoRequest
from pdp.v1.request_pb2 import Request
from pdp.v1.review_pb2 import ReviewRequest

if TYPE_CHECKING:
    from pdp.client import Client


class MayNotReview(PdpError):
    """The server says of the approval that was read that this caller may not review it."""

    def __init__(self, answer: GetApprovalResponse) -> None:
        super().__init__(answer.may_not_review_because)
        self.reason = answer.may_not_review_reason or "MAY_NOT_REVIEW"
        is_personal = Obstacle(self.reason, self.sentence).is_personal
        self.code = "PERMISSION_DENIED" if is_personal else "FAILED_PRECONDITION"


def require_may_review(answer: GetApprovalResponse, verdict: Verdict) -> None:
    """Raise `MayNotReview` where the server would refuse the verdict. A denial may come late, and then revokes."""
    is_late = answer.approval.state == ApprovalState.APPROVAL_STATE_APPROVED and verdict == Verdict.VERDICT_DENY
    if not answer.may_review and not (is_late and answer.may_not_review_reason == "APPROVAL_NOT_PENDING"):
        raise MayNotReview(answer)


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Reads approvals and reviews them. It computes the digest that it sends from what it read."""

    client: "Client"
    realm: str

    @classmethod
    async def of(cls, client: "Client") -> "Reviewer":
        """A reviewer for the server that `client` calls."""
        info = await client.call(client.info.GetServerInfo, GetServerInfoRequest())
        return cls(client, info.realm)

    async def read(self, approval_id: str) -> GetApprovalResponse:
        """One approval, and what the caller may do with it."""
        return await self.client.call(self.client.approvals.GetApproval, GetApprovalRequest(approval_id=approval_id))

    async def review(
        self,
        displayed: Approval,
        verdict: Verdict,
        reason: str,
        *,
        suggestion: Request | None = None,
        together: bool = False,
    ) -> Approval:
        """Send a verdict on an approval as it was displayed, and return the approval after it.

        Raises `NotAsDisplayed`, and `CallError` if the server refuses: APPROVAL_CHANGED says what changed.
        """
        from pdp.displayed import expected_lineage  # loads with the first verdict

        request = ReviewRequest(
            approval_id=displayed.approval_id,
            expected_digest=self._digest(displayed),
            verdict=verdict,
            reason=reason,
            suggestion=suggestion,
            expected_version=displayed.version,
            together=together,
            expected_lineage=expected_lineage(displayed),
        )
        return (await self.client.call(self.client.reviews.Review, request)).approval

    def _digest(self, displayed: Approval) -> str:
        from pdp.canonical import canonical  # loads with the first verdict
        from pdp.displayed import NotAsDisplayed

        try:
            digest = canonical(displayed.request, self.realm).digest
        except InvalidRequest as error:
            raise NotAsDisplayed(
                f"what is displayed is not a request that could be approved; leave it alone ({error.sentence})"
            ) from None
        if digest != displayed.request_digest:
            raise NotAsDisplayed("what is displayed is not what would be approved: its digest differs; leave it alone")
        return digest


def is_individual(held: Approval) -> bool:
    """Whether a requirement says that it must be reviewed alone."""
    return any(requirement.individual for requirement in held.requirements)

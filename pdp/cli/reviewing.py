"""A reviewer's end of an approval: what is displayed, and verdicts on exactly that."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdp.errors import InvalidRequest, PdpError
from pdp.v1.approval_pb2 import Approval, GetApprovalRequest, GetApprovalResponse, Verdict
from pdp.v1.info_pb2 import GetServerInfoRequest
from pdp.v1.request_pb2 import Request
from pdp.v1.review_pb2 import ReviewRequest

if TYPE_CHECKING:
    from pdp.client import Client


class NotAsDisplayed(PdpError):
    """What is displayed is not what would be approved."""

    code = "FAILED_PRECONDITION"
    reason = "NOT_AS_DISPLAYED"


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Reads approvals and reviews them; the digest that it sends is recomputed from what it read."""

    client: "Client"
    realm: str

    @classmethod
    async def of(cls, client: "Client") -> "Reviewer":
        """A reviewer for the server that `client` calls."""
        info = await client.call(client.info.GetServerInfo, GetServerInfoRequest())
        return cls(client, info.realm)

    async def read(self, approval_id: str) -> GetApprovalResponse:
        """One approval, and what it means to the caller."""
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
        """A verdict on what was displayed, as it was displayed.

        Raises `NotAsDisplayed`, and `CallError` where the server refuses: APPROVAL_CHANGED says what changed.
        """
        request = ReviewRequest(
            approval_id=displayed.approval_id,
            expected_digest=self._digest(displayed),
            verdict=verdict,
            reason=reason,
            suggestion=suggestion,
            expected_version=displayed.version,
            together=together,
        )
        return (await self.client.call(self.client.reviews.Review, request)).approval

    def _digest(self, displayed: Approval) -> str:
        from pdp.canonical import canonical  # loads with the first verdict

        try:
            digest = canonical(displayed.request, self.realm).digest
        except InvalidRequest as error:
            raise NotAsDisplayed(
                f"what is displayed is no request that could be approved; leave it alone ({error.sentence})"
            ) from None
        if digest != displayed.request_digest:
            raise NotAsDisplayed("what is displayed is not what would be approved: its digest differs; leave it alone")
        return digest


def is_individual(held: Approval) -> bool:
    """Whether a requirement wants it reviewed by itself."""
    return any(requirement.individual for requirement in held.requirements)


def kind(held: Approval) -> tuple[str, ...]:
    """What approvals of one kind share: action, type of resource, and the rules that ask."""
    return (
        held.request.action.name,
        held.request.resource.type,
        *sorted(requirement.rule for requirement in held.requirements),
    )

"""ReviewService: what a reviewer may review, and the verdict."""

from collections.abc import AsyncIterator

from pdp import canonical
from pdp.approval import State, Verdict
from pdp.authn import Caller
from pdp.errors import InvalidRequest
from pdp.review import Reviewing
from pdp.service import message, page
from pdp.service.approval import checked_approval_id
from pdp.store.approvals import Approvals
from pdp.v1.approval_pb2 import Verdict as VerdictMessage
from pdp.v1.review_pb2 import (
    ListQueueRequest,
    ListQueueResponse,
    ReviewRequest,
    ReviewResponse,
    RevokeApprovalRequest,
    RevokeApprovalResponse,
    WatchQueueRequest,
    WatchQueueResponse,
)

_VERDICTS = {VerdictMessage.VERDICT_APPROVE: Verdict.APPROVE, VerdictMessage.VERDICT_DENY: Verdict.DENY}


class ReviewService:
    """For people who review."""

    def __init__(self, approvals: Approvals, reviewing: Reviewing) -> None:
        self._approvals, self._reviewing = approvals, reviewing

    async def ListQueue(self, request: ListQueueRequest, caller: Caller) -> ListQueueResponse:
        """Of a page of everybody's pending approvals those that the caller may review."""
        limit, before = page.size(request.page_size), page.before(request.page_token)
        found = await self._approvals.in_state(State.PENDING, before, limit)
        queue = await self._reviewing.queue(caller, found)
        token = page.next_token([one.approval.id for one in found], limit)
        approvals, token = page.fitting([message.approval(one) for one in queue], token)
        return ListQueueResponse(approvals=approvals, next_page_token=token)

    async def Review(self, request: ReviewRequest, caller: Caller) -> ReviewResponse:
        """One verdict on exactly what was displayed."""
        approval_id = checked_approval_id(request.approval_id)
        if request.verdict not in _VERDICTS:
            raise InvalidRequest.field("verdict", "must be VERDICT_APPROVE or VERDICT_DENY")
        reason = canonical.checked_text(request.reason, "reason")
        verdict = _VERDICTS[request.verdict]
        reviewed = await self._reviewing.review(
            caller, approval_id, request.expected_digest, verdict, reason, together=request.together
        )
        return ReviewResponse(approval=message.approval(reviewed))

    async def RevokeApproval(self, request: RevokeApprovalRequest, caller: Caller) -> RevokeApprovalResponse:
        """To come."""
        raise NotImplementedError

    async def WatchQueue(self, request: WatchQueueRequest, caller: Caller) -> AsyncIterator[WatchQueueResponse]:
        """To come."""
        raise NotImplementedError
        yield

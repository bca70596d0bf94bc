"""ReviewService: what a reviewer may review, and the verdict."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from pdp import canonical
from pdp.approval import State, Verdict
from pdp.authn import Caller
from pdp.errors import InvalidRequest
from pdp.review import Reviewing
from pdp.service import message, page
from pdp.service.approval import checked_approval_id
from pdp.store.approvals import Approvals
from pdp.v1.approval_pb2 import Approval
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
from pdp.watching import Watching

_VERDICTS = {VerdictMessage.VERDICT_APPROVE: Verdict.APPROVE, VerdictMessage.VERDICT_DENY: Verdict.DENY}


class ReviewService:
    """For people who review."""

    def __init__(self, approvals: Approvals, reviewing: Reviewing, watching: Watching) -> None:
        self._approvals, self._reviewing, self._watching = approvals, reviewing, watching

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
        reviewed = await self._reviewing.review(caller, approval_id, request.expected_digest, verdict, reason)
        return ReviewResponse(approval=message.approval(reviewed))

    async def RevokeApproval(self, request: RevokeApprovalRequest, caller: Caller) -> RevokeApprovalResponse:
        """To come."""
        raise NotImplementedError

    async def WatchQueue(self, request: WatchQueueRequest, caller: Caller) -> AsyncGenerator[WatchQueueResponse, None]:
        """The queue, and whatever changes in it."""
        async with aclosing(self._watching.queue(caller, request.resume_token)) as queue:
            async for news in queue:
                approval = message.approval(news.found) if news.found else Approval(approval_id=news.approval_id)
                yield WatchQueueResponse(
                    approval=approval if news.approval_id else None,
                    may_review=news.may_review,
                    resume_token=news.resume_token,
                )

"""ReviewService: what a reviewer may review, and the verdict."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from pdp import canonical
from pdp.approval import ReviewVerdict, State
from pdp.caller import Caller
from pdp.errors import InvalidRequest
from pdp.service import message, page
from pdp.service.approval import checked_approval_id
from pdp.store.approvals import Approvals
from pdp.v1.approval_pb2 import Approval, Verdict
from pdp.v1.request_pb2 import Request
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
from pdp.workflow.reviewing import Reviewing, Submission
from pdp.workflow.watching import Watching


class ReviewService:
    """For people who review."""

    def __init__(self, approvals: Approvals, reviewing: Reviewing, watching: Watching, realm: str) -> None:
        self._approvals, self._reviewing, self._watching, self._realm = approvals, reviewing, watching, realm

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
        reviewed = await self._reviewing.review(caller, approval_id, self._submission(request))
        return ReviewResponse(approval=message.approval(reviewed))

    async def RevokeApproval(self, request: RevokeApprovalRequest, caller: Caller) -> RevokeApprovalResponse:
        """Takes an approval back before it is used."""
        approval_id = checked_approval_id(request.approval_id)
        reason = _why(request.reason, required=True)
        revoked = await self._reviewing.revoke(caller, approval_id, reason)
        return RevokeApprovalResponse(approval=message.approval(revoked))

    async def WatchQueue(self, request: WatchQueueRequest, caller: Caller) -> AsyncGenerator[WatchQueueResponse, None]:
        """The queue, and its changes."""
        async with aclosing(self._watching.queue(caller, request.resume_token)) as queue:
            async for update in queue:
                approval = message.approval(update.held) if update.held else Approval(approval_id=update.approval_id)
                yield WatchQueueResponse(
                    approval=approval if update.approval_id else None,
                    may_review=update.may_review,
                    resume_token=update.resume_token,
                )

    def _submission(self, request: ReviewRequest) -> Submission:
        """The verdict with every check of shape."""
        if request.verdict not in Verdict.values() or request.verdict == Verdict.VERDICT_UNSPECIFIED:
            raise InvalidRequest.field("verdict", "must be VERDICT_APPROVE, VERDICT_DENY or VERDICT_CHANGES_REQUESTED")
        verdict = ReviewVerdict(Verdict.Name(request.verdict).removeprefix("VERDICT_"))
        if request.expected_version < 1:
            sentence = "is required; send the version of the approval that was displayed"
            raise InvalidRequest.field("expected_version", sentence)
        sends_back = verdict is ReviewVerdict.CHANGES_REQUESTED
        if request.HasField("suggestion") and not sends_back:
            raise InvalidRequest.field("suggestion", "goes with VERDICT_CHANGES_REQUESTED only; leave it out")
        return Submission(
            verdict=verdict,
            reason=_why(request.reason, required=sends_back),
            expected_digest=request.expected_digest,
            expected_version=request.expected_version,
            together=request.together,
            suggestion=_suggestion(request.suggestion, self._realm) if request.HasField("suggestion") else b"",
        )


def _why(reason: str, *, required: bool) -> str:
    if required and not reason.strip():
        raise InvalidRequest.field("reason", "is required; say why")
    return canonical.checked_text(reason, "reason")


def _suggestion(request: Request, realm: str) -> bytes:
    """A whole request in canonical form, held to the limits of any other."""
    try:
        canonical.refuse_unknown_fields(request)
        return canonical.canonical(request, realm).json
    except InvalidRequest as error:
        faults = [(f"suggestion.{path}", text) for path, text in error.violations]
        raise InvalidRequest(f"suggestion.{error.sentence}", violations=faults) from None

"""ReviewService: what a reviewer may review, and the verdict."""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from pdp import canonical
from pdp.approval import ApprovalAt, ReviewVerdict
from pdp.assertion import Assertion, decoded, encoded
from pdp.bad_fields import BadFields
from pdp.caller import Caller
from pdp.errors import InvalidRequest
from pdp.service import message, page
from pdp.service.approval import checked_approval_id, checked_state
from pdp.service.lineage_seen import FEW_COLUMNS, lineage
from pdp.service.slices import Slices
from pdp.store.history import Filters
from pdp.store.queue import Place, Wanted
from pdp.turns import Turns
from pdp.v1.approval_pb2 import Approval, ApprovalLineage, PasskeyAssertion, Verdict
from pdp.v1.review_pb2 import (
    BeginReviewRequest,
    BeginReviewResponse,
    ListHistoryRequest,
    ListHistoryResponse,
    ListQueueRequest,
    ListQueueResponse,
    ReviewRequest,
    ReviewResponse,
    RevokeApprovalRequest,
    RevokeApprovalResponse,
    TakeBackDenialRequest,
    TakeBackDenialResponse,
    WatchQueueRequest,
    WatchQueueResponse,
)
from pdp.workflow.history import Histories
from pdp.workflow.mistaken_denial import MistakenDenial
from pdp.workflow.queue import ReviewQueue
from pdp.workflow.reviewable import Submission
from pdp.workflow.reviewing import Reviewing
from pdp.workflow.watching import Watching


class ReviewService:
    """For people who review."""

    def __init__(
        self,
        queue: ReviewQueue,
        reviewing: Reviewing,
        watching: Watching,
        histories: Histories,
        denials: MistakenDenial,
        realm: str,
        turns: Turns,
    ) -> None:
        self._queue, self._reviewing, self._watching, self._realm = queue, reviewing, watching, realm
        self._histories, self._denials, self._turns = histories, denials, turns

    async def ListQueue(self, request: ListQueueRequest, caller: Caller) -> ListQueueResponse:
        """A page of what the caller may review, the nearest deadline first."""
        with BadFields() as bad:
            limit, after = bad.tried(page.size, request.page_size), bad.tried(place, request.page_token)
            narrowed = bad.tried(_wanted, request, caller)
        found = await self._queue.page(caller, after, limit, narrowed)
        tokens = {held.approval.id: _token(where) for where, held in found.approvals}
        end = _token(found.more) if found.more else ""
        answer, slices = ListQueueResponse(), Slices(self._turns, caller.identity)
        last = await page.fill(answer, [held for _, held in found.approvals], end, slices, self._lineage)
        answer.next_page_token = tokens.get(last, last)
        return answer

    async def Review(self, request: ReviewRequest, caller: Caller) -> ReviewResponse:
        """One verdict on exactly what was displayed."""
        with BadFields() as bad:
            approval_id = bad.tried(checked_approval_id, request.approval_id)
            submission = bad.tried(self._submission, request)
        reviewed = await self._reviewing.review(caller, approval_id, submission)
        return ReviewResponse(approval=message.approval(reviewed))

    async def BeginReview(self, request: BeginReviewRequest, caller: Caller) -> BeginReviewResponse:
        """What the caller's passkey is asked to sign for a verdict."""
        with BadFields() as bad:
            approval_id = bad.tried(checked_approval_id, request.approval_id)
            verdict = bad.tried(_verdict, request.verdict)
            bad.tried(_require_version, request.expected_version)
            reason = bad.tried(_why, request.reason, required=False)
        submission = Submission(
            verdict=verdict,
            reason=reason,
            expected_digest=request.expected_digest,
            expected_version=request.expected_version,
            expected_lineage=request.expected_lineage,
        )
        asked = await self._reviewing.ask(caller, approval_id, submission)
        ids = [decoded(one) for one in asked.passkeys]
        return BeginReviewResponse(statement=asked.statement, nonce=asked.nonce, credential_ids=ids)

    async def RevokeApproval(self, request: RevokeApprovalRequest, caller: Caller) -> RevokeApprovalResponse:
        """Takes an approval back before it is used."""
        with BadFields() as bad:
            approval_id = bad.tried(checked_approval_id, request.approval_id)
            reason = bad.tried(_why, request.reason, required=True)
        revoked = await self._reviewing.revoke(caller, approval_id, reason)
        return RevokeApprovalResponse(approval=message.approval(revoked))

    async def ListHistory(self, request: ListHistoryRequest, caller: Caller) -> ListHistoryResponse:
        """A page of what the caller could review or was asked in its name, newest first."""
        with BadFields() as bad:
            limit, before = bad.tried(page.size, request.page_size), bad.tried(page.before, request.page_token)
            filters = bad.tried(_filters, request)
        found = await self._histories.page(caller, filters, before, limit)
        answer, slices = ListHistoryResponse(), Slices(self._turns, caller.identity)
        answer.next_page_token = await page.fill(answer, found.approvals, found.more, slices)
        return answer

    async def TakeBackDenial(self, request: TakeBackDenialRequest, caller: Caller) -> TakeBackDenialResponse:
        """The caller's own denial was a mistake."""
        approval_id = checked_approval_id(request.approval_id)
        return TakeBackDenialResponse(approval=message.approval(await self._denials.take_back(caller, approval_id)))

    async def WatchQueue(self, request: WatchQueueRequest, caller: Caller) -> AsyncGenerator[WatchQueueResponse, None]:
        """The queue, and its changes."""
        watch = self._watching.queue(caller, request.resume_token, changes_only=request.changes_only)
        async with aclosing(watch) as queue:
            async for update in queue:
                held, approval = update.held, Approval(approval_id=update.approval_id)
                if held is not None:
                    approval = message.approval(held, lineage=self._lineage(held) if update.may_review else None)
                yield WatchQueueResponse(
                    approval=approval if update.approval_id else None,
                    may_review=update.may_review,
                    resume_token=update.resume_token,
                )

    def _lineage(self, held: ApprovalAt) -> ApprovalLineage | None:
        """What a list shows of the data."""
        return lineage(self._reviewing.lineage_of(held), held.approval.lineage, FEW_COLUMNS)

    def _submission(self, request: ReviewRequest) -> Submission:
        """The verdict with every check of shape."""
        with BadFields() as bad:
            verdict = bad.tried(_verdict, request.verdict)
            sends_back = verdict is ReviewVerdict.CHANGES_REQUESTED
            suggestion = bad.tried(_suggestion, request, self._realm, may=sends_back or bool(bad.found))
            bad.tried(_require_version, request.expected_version)
            reason = bad.tried(_why, request.reason, required=sends_back)
        return Submission(
            verdict=verdict,
            reason=reason,
            expected_digest=request.expected_digest,
            expected_version=request.expected_version,
            together=request.together,
            expected_lineage=request.expected_lineage,
            suggestion=suggestion,
            passkey=_signed(request.passkey) if request.HasField("passkey") else None,
        )


def _wanted(request: ListQueueRequest, caller: Caller) -> Wanted:
    """What the queue is narrowed to."""
    with BadFields() as bad:
        names = ("action", "resource_type", "caller", "person", "group")
        given = {name: bad.tried(_filter, getattr(request, name), name) for name in names}
    return Wanted(**given, named=caller.identity if request.mine_only else "")


def _filters(request: ListHistoryRequest) -> Filters:
    """What is looked for. An id that nobody can have is not looked for."""
    with BadFields() as bad:
        state = bad.tried(checked_state, request.state)
        caller = bad.tried(_filter, request.caller, "caller")
        action = bad.tried(_filter, request.action, "action")
        resource_type = bad.tried(_filter, request.resource_type, "resource_type")
    return Filters(state, caller, action, resource_type, request.asked_in_my_name)


def _filter(text: str, name: str) -> str:
    return canonical.checked_id(text, name) if text else ""


def place(token: str) -> Place | None:
    """The place behind which a page begins, from `page_token`."""
    if not token:
        return None
    found = _PLACE.fullmatch(token)
    if found is not None and (since := timedelta(milliseconds=int(found[1], 16))) <= _LAST - _EPOCH:
        return Place(_EPOCH + since, found[2])
    sentence = "was not issued by this server; send the next_page_token of the page before"
    raise InvalidRequest.field("page_token", sentence)


def _token(where: Place) -> str:
    return f"{(where.due_at - _EPOCH) // timedelta(milliseconds=1):012x}.{where.approval_id}"


_EPOCH, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_PLACE = re.compile("([0-9a-f]{12})[.](apr_[0-9a-f]{32})")


def _signed(passkey: PasskeyAssertion) -> Assertion:
    return Assertion(
        credential_id=encoded(passkey.credential_id),
        statement=passkey.statement,
        authenticator_data=encoded(passkey.authenticator_data),
        client_data=encoded(passkey.client_data),
        signature=encoded(passkey.signature),
    )


def _verdict(verdict: Verdict) -> ReviewVerdict:
    if verdict not in Verdict.values() or verdict == Verdict.VERDICT_UNSPECIFIED:
        raise InvalidRequest.field("verdict", "must be VERDICT_APPROVE, VERDICT_DENY or VERDICT_CHANGES_REQUESTED")
    return ReviewVerdict(Verdict.Name(verdict).removeprefix("VERDICT_"))


def _require_version(expected: int) -> None:
    if expected < 1:
        sentence = "is required; send the version of the approval that was displayed"
        raise InvalidRequest.field("expected_version", sentence)


def _why(reason: str, *, required: bool) -> str:
    if required and not reason.strip():
        raise InvalidRequest.field("reason", "is required; say why")
    return canonical.checked_text(reason, "reason")


def _suggestion(request: ReviewRequest, realm: str, *, may: bool) -> bytes:
    """A whole request in canonical form, held to the limits of any other; empty where there is none."""
    if not request.HasField("suggestion"):
        return b""
    if not may:
        raise InvalidRequest.field("suggestion", "goes with VERDICT_CHANGES_REQUESTED only; leave it out")
    try:
        with BadFields() as bad:
            bad.tried(canonical.refuse_unknown_fields, request.suggestion)
            suggestion = bad.tried(canonical.canonical, request.suggestion, realm)
    except InvalidRequest as error:
        raise InvalidRequest.fields([(f"suggestion.{path}", text) for path, text in error.violations]) from None
    return suggestion.json

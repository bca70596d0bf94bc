"""ApprovalService: what requesters see of their approvals."""

from pdp import canonical, identifier
from pdp.approval import OutcomeState, State
from pdp.bad_fields import BadFields
from pdp.caller import Caller
from pdp.errors import InvalidRequest
from pdp.service import message, page
from pdp.service.brief_message import forecast, origin
from pdp.service.lineage_seen import lineage
from pdp.service.notification import notification
from pdp.service.slices import Slices
from pdp.store.approvals import Approvals
from pdp.store.notifications import Notifications
from pdp.turns import Turns
from pdp.v1 import approval_pb2
from pdp.v1.approval_pb2 import (
    ApprovalState,
    CancelApprovalRequest,
    CancelApprovalResponse,
    GetApprovalRequest,
    GetApprovalResponse,
    ListApprovalsRequest,
    ListApprovalsResponse,
    ReportOutcomeRequest,
    ReportOutcomeResponse,
    WaitApprovalRequest,
    WaitApprovalResponse,
)
from pdp.workflow.briefing import Brief, Briefing
from pdp.workflow.requesting import Requesting
from pdp.workflow.reviewers import Reviewers
from pdp.workflow.reviewing import Reviewing
from pdp.workflow.watching import Watching


class ApprovalService:
    """My approvals."""

    def __init__(
        self,
        approvals: Approvals,
        reviewing: Reviewing,
        requesting: Requesting,
        watching: Watching,
        reviewers: Reviewers,
        briefing: Briefing,
        notifications: Notifications,
        turns: Turns,
    ) -> None:
        self._approvals, self._reviewing, self._requesting = approvals, reviewing, requesting
        self._watching, self._reviewers, self._notifications = watching, reviewers, notifications
        self._briefing, self._turns = briefing, turns

    async def ListApprovals(self, request: ListApprovalsRequest, caller: Caller) -> ListApprovalsResponse:
        """The approvals that the caller opened, or that others asked for in its name."""
        with BadFields() as bad:
            limit, before = bad.tried(page.size, request.page_size), bad.tried(page.before, request.page_token)
            state = bad.tried(_state, request.state)
        read = self._approvals.in_the_name_of if request.asked_in_my_name else self._approvals.of_caller
        found = await read(caller.identity, state, before, limit + 1)
        found, token = page.cut(found, limit, lambda one: one.approval.id)
        answer = ListApprovalsResponse()
        answer.next_page_token = await page.fill(answer, found, token, Slices(self._turns, caller.identity))
        return answer

    async def GetApproval(self, request: GetApprovalRequest, caller: Caller) -> GetApprovalResponse:
        """One approval, for those whom it concerns."""
        view = await self._reviewing.view(caller, checked_approval_id(request.approval_id))
        obstacle, held = view.obstacle, view.held
        last = None if obstacle else await self._reviewing.last_approved(view)
        shown = lineage(view.lineage, held.approval.lineage) if view.eligibility.fits else None
        brief = await self._briefing.brief(view) if shown else Brief()
        remaining = await self._reviewers.remaining(held.approval) if held.state is State.PENDING else []
        return GetApprovalResponse(
            approval=message.approval(held, lineage=shown),
            last_approved=message.approval(last) if last else None,
            may_review=obstacle is None,
            may_not_review_because=obstacle.sentence if obstacle else "",
            may_not_review_reason=obstacle.code if obstacle else "",
            eligible=[message.eligible(one) for one in remaining],
            notifications=map(notification, await self._notifications.of_approval(request.approval_id)),
            origins=[origin(*one) for one in brief.origins],
            mask_forecast=forecast(brief.masks) if brief.masks else None,
        )

    async def WaitApproval(self, request: WaitApprovalRequest, caller: Caller) -> WaitApprovalResponse:
        """One approval, once its state is another."""
        with BadFields() as bad:
            approval_id = bad.tried(checked_approval_id, request.approval_id)
            known = bad.tried(_state, request.known_state, "known_state") or State.PENDING
        return WaitApprovalResponse(approval=message.approval(await self._watching.changed(caller, approval_id, known)))

    async def CancelApproval(self, request: CancelApprovalRequest, caller: Caller) -> CancelApprovalResponse:
        """The caller withdraws an approval of its own, or one that was asked for in its name."""
        with BadFields() as bad:
            approval_id = bad.tried(checked_approval_id, request.approval_id)
            reason = bad.tried(canonical.checked_text, request.reason, "reason")
        return CancelApprovalResponse(
            approval=message.approval(await self._requesting.cancel(caller, approval_id, reason))
        )

    async def ReportOutcome(self, request: ReportOutcomeRequest, caller: Caller) -> ReportOutcomeResponse:
        """What became of the caller's use."""
        with BadFields() as bad:
            approval_id = bad.tried(checked_approval_id, request.approval_id)
            detail, state = (
                bad.tried(canonical.checked_text, request.detail, "detail"),
                bad.tried(_outcome, request.state),
            )
        reported = await self._requesting.report(caller, approval_id, state, detail)
        return ReportOutcomeResponse(approval=message.approval(reported))


def checked_approval_id(text: str) -> str:
    """The id, or `InvalidRequest` for a text that cannot be one."""
    if not text.startswith("apr_") or identifier.uuid_bytes(text) is None:
        raise InvalidRequest.field("approval_id", 'is not an approval id; one looks like "apr_" and 32 digits')
    return text


def _outcome(state: approval_pb2.OutcomeState) -> OutcomeState:
    if state not in approval_pb2.OutcomeState.values() or state == approval_pb2.OutcomeState.OUTCOME_STATE_UNSPECIFIED:
        raise InvalidRequest.field("state", "must be OUTCOME_STATE_SUCCEEDED, _FAILED or _UNKNOWN")
    return OutcomeState(approval_pb2.OutcomeState.Name(state).removeprefix("OUTCOME_STATE_"))


def _state(state: ApprovalState, name: str = "state") -> State | None:
    if state not in ApprovalState.values():
        raise InvalidRequest.field(name, "has a value that this server does not know")
    if state == ApprovalState.APPROVAL_STATE_UNSPECIFIED:
        return None
    return State(ApprovalState.Name(state).removeprefix("APPROVAL_STATE_"))

"""ApprovalService: what requesters see of their approvals."""

from pdp import canonical, identifier
from pdp.approval import OutcomeState, State
from pdp.bad_fields import BadFields
from pdp.caller import Caller
from pdp.errors import InvalidRequest
from pdp.service import message, page
from pdp.service.slices import Slices
from pdp.service.whole_approval import WholeApproval
from pdp.store.approvals import Approvals
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
from pdp.workflow.requesting import Requesting
from pdp.workflow.watching import Watching


class ApprovalService:
    """My approvals."""

    def __init__(
        self, approvals: Approvals, whole: WholeApproval, requesting: Requesting, watching: Watching, turns: Turns
    ) -> None:
        self._approvals, self._whole = approvals, whole
        self._requesting, self._watching, self._turns = requesting, watching, turns

    async def ListApprovals(self, request: ListApprovalsRequest, caller: Caller) -> ListApprovalsResponse:
        """The approvals that the caller opened, or that others asked for in its name."""
        with BadFields() as bad:
            limit, before = bad.tried(page.size, request.page_size), bad.tried(page.before, request.page_token)
            state = bad.tried(checked_state, request.state)
        read = self._approvals.in_the_name_of if request.asked_in_my_name else self._approvals.of_caller
        found = await read(caller.identity, state, before, limit + 1)
        found, token = page.cut(found, limit, lambda one: one.approval.id)
        answer = ListApprovalsResponse()
        answer.next_page_token = await page.fill(answer, found, token, Slices(self._turns, caller.identity))
        return answer

    async def GetApproval(self, request: GetApprovalRequest, caller: Caller) -> GetApprovalResponse:
        """One approval, for those whom it concerns."""
        return await self._whole.of(caller, checked_approval_id(request.approval_id))

    async def WaitApproval(self, request: WaitApprovalRequest, caller: Caller) -> WaitApprovalResponse:
        """One approval, once its state is another."""
        with BadFields() as bad:
            approval_id = bad.tried(checked_approval_id, request.approval_id)
            known = bad.tried(checked_state, request.known_state, "known_state") or State.PENDING
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


def checked_state(state: ApprovalState, name: str = "state") -> State | None:
    """The state, or None where it is not set. `InvalidRequest` for one that this server does not know."""
    if state not in ApprovalState.values():
        raise InvalidRequest.field(name, "has a value that this server does not know")
    if state == ApprovalState.APPROVAL_STATE_UNSPECIFIED:
        return None
    return State(ApprovalState.Name(state).removeprefix("APPROVAL_STATE_"))

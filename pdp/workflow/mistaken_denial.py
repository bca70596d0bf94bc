"""A denial by mistake, which its reviewer takes back within `DENIED_FOR`.

The approval stays DENIED, and nothing runs by it. The same request may be asked anew, and then people look at it again.
"""

from dataclasses import replace

from pdp.approval import (
    Approval,
    ApprovalAt,
    ReviewVerdict,
    State,
    TakenBack,
)
from pdp.audit import event
from pdp.caller import Caller
from pdp.errors import NotAllowed, PdpError
from pdp.quorum import (
    barred,
)
from pdp.recording.delivery import Delivery
from pdp.store.approvals import Approvals
from pdp.workflow.integrity import Integrity
from pdp.workflow.retrying import retried
from pdp.workflow.review_limits import DENIED_FOR
from pdp.workflow.reviewable import ApprovalView
from pdp.workflow.reviewing import Reviewing


class DenialStands(PdpError):
    """Only a denial of the last ten minutes is taken back, no request for changes; the metadata names the state."""

    code = "FAILED_PRECONDITION"
    reason = "DENIAL_STANDS"


class DenialTakenBack(PdpError):
    """The denial was taken back before."""

    code = "ALREADY_EXISTS"
    reason = "DENIAL_TAKEN_BACK"


class MistakenDenial:
    """Takes denials back."""

    def __init__(self, approvals: Approvals, reviewing: Reviewing, delivery: Delivery, integrity: Integrity) -> None:
        self._approvals, self._reviewing = approvals, reviewing
        self._delivery, self._integrity = delivery, integrity

    async def take_back(self, caller: Caller, approval_id: str) -> ApprovalAt:
        """Say that the caller's own denial was a mistake; the approval afterwards.

        Raises `NotFound`, `NotAllowed`, `DenialStands`, `DenialTakenBack`, `ApprovalTampered`, `Conflict`.
        """
        return await retried(lambda: self._take_back(caller, approval_id))

    async def _take_back(self, caller: Caller, approval_id: str) -> ApprovalAt | None:
        view = await self._reviewing.view(caller, approval_id)
        approval = view.held.approval
        _require_own(view)
        await self._integrity.require(approval, caller)
        _require_recent(view.held)
        await self._delivery.deliver(approval)
        unsigned = TakenBack(caller.identity, view.held.now)
        signature = self._integrity.sealer.taken_back(approval.id, approval.digest, unsigned)
        taken = replace(unsigned, signature=signature)
        record = event.denial_taken_back(approval, taken, view.answer.revision)
        changed = await self._approvals.take_back(approval, taken, [record], DENIED_FOR)
        if changed is None:
            return None
        await self._delivery.deliver(changed)
        return ApprovalAt(changed, view.held.now)


def _require_own(view: ApprovalView) -> None:
    """Raise unless it is DENIED by the caller, who is behind the request by nothing that is known today."""
    approval, reviewer = view.held.approval, view.eligibility
    if barred(approval, view.answer) & {reviewer.identity, reviewer.person}:
        sentence = "you are one of the people behind this request, and people do not review their own actions"
        raise NotAllowed("REVIEWER_IS_REQUESTER", f"{reviewer.identity}: {sentence}")
    if approval.state is not State.DENIED:
        state = view.held.state
        raise DenialStands(f"this approval is {state}; only a denial is taken back", state=state)
    if not _denied_by(approval, {reviewer.identity, reviewer.person}):
        raise NotAllowed("NOT_YOUR_DENIAL", f"{reviewer.identity}: only the person who denied it takes the denial back")


def _denied_by(approval: Approval, names: set[str]) -> bool:
    """Whether its last review, which closed it, is by this person."""
    return bool(approval.reviews) and bool({approval.reviews[-1].reviewer, approval.reviews[-1].person} & names)


def _require_recent(held: ApprovalAt) -> None:
    """Raise unless it is a denial of a short while ago that stands."""
    approval = held.approval
    if approval.taken_back:
        raise DenialTakenBack("this denial was taken back; the same request may be asked anew")
    if approval.reviews[-1].verdict is not ReviewVerdict.DENY:
        raise DenialStands("you asked for changes; a denial alone is taken back", state=held.state)
    if approval.closed_at is None or held.now >= approval.closed_at + DENIED_FOR:
        raise DenialStands("it is too late, and not needed: the same request may be asked anew", state=held.state)

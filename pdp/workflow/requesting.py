"""What the caller that opened an approval may do to it: withdraw it, and say what became of its use."""

from datetime import timedelta

from pdp import grant
from pdp.approval import Outcome, OutcomeState, State
from pdp.caller import Caller
from pdp.errors import ApprovalNotConsumed, ApprovalNotPending, Conflict, NotFound, OutcomeReported
from pdp.recording.delivery import Delivery
from pdp.store.approvals import Approvals, Found

ATTEMPTS = 16
"""How often a step is tried again after somebody else changed the approval."""

_WITHDRAWN = {State.PENDING: State.CANCELLED, State.APPROVED: State.REVOKED}


class Requesting:
    """Steps of a requester on its own approvals; those of others are not there."""

    def __init__(self, approvals: Approvals, delivery: Delivery) -> None:
        self._approvals, self._delivery = approvals, delivery

    async def cancel(self, caller: Caller, approval_id: str, reason: str) -> Found:
        """Withdraw an approval that was not used; the approval afterwards.

        Raises `NotFound`, `ApprovalNotPending`, `Conflict`.
        """
        for _ in range(ATTEMPTS):
            found = await self._own(caller, approval_id)
            after = _WITHDRAWN.get(found.state)
            if after is None:
                raise ApprovalNotPending(
                    f"this approval is {found.state}; there is nothing to withdraw", state=found.state
                )
            closed = await self._delivery.close(found.approval, after, caller.identity, reason)
            if closed is not None:
                return Found(closed, found.now)
        raise _busy()

    async def report(self, caller: Caller, approval_id: str, state: OutcomeState, detail: str) -> Found:
        """Say what became of the use; the approval afterwards. The same report again changes nothing.

        Raises `NotFound`, `ApprovalNotConsumed`, `OutcomeReported`, `Conflict`.
        """
        for _ in range(ATTEMPTS):
            found = await self._own(caller, approval_id)
            approval, told = found.approval, found.approval.outcome
            if approval.closed_at is None or approval.state is not State.CONSUMED:
                raise ApprovalNotConsumed(
                    f"this approval is {found.state}; only a use has an outcome", state=found.state
                )
            if told and (told.state, told.detail) == (state, detail):
                await self._delivery.deliver(approval)
                return found
            if told and told.state is not OutcomeState.UNKNOWN:
                raise OutcomeReported(f"its outcome is {told.state} and stays so", state=told.state)
            late = found.now >= approval.closed_at + timedelta(seconds=grant.LIFETIME_SECONDS)
            reported = await self._delivery.report(approval, caller, Outcome(state, detail, found.now, late))
            if reported is not None:
                return Found(reported, found.now)
        raise _busy()

    async def _own(self, caller: Caller, approval_id: str) -> Found:
        found = await self._approvals.get(approval_id)
        if found is None or found.approval.caller != caller.identity:
            raise NotFound("APPROVAL_NOT_FOUND", "this caller has no such approval")
        return found


def _busy() -> Conflict:
    return Conflict("this approval changes faster than it can be read; try again")

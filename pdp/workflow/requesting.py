"""What those behind a request may do to its approval: withdraw it, and say what became of its use."""

from datetime import timedelta

from pdp import grant
from pdp.approval import ApprovalAt, Outcome, OutcomeState, State
from pdp.caller import Caller, is_person
from pdp.errors import ApprovalNotConsumed, ApprovalNotPending, OutcomeReported
from pdp.recording.delivery import Delivery
from pdp.store.approvals import Approvals
from pdp.workflow.integrity import Integrity
from pdp.workflow.outflow import NO_OUTFLOW, Outflow
from pdp.workflow.retrying import retried

_WITHDRAWN = {State.PENDING: State.CANCELLED, State.APPROVED: State.REVOKED}


class Requesting:
    """Steps of requesters on approvals of theirs; those of others are not there.

    Only the caller that opened an approval uses it. The people in whose name it was asked may withdraw it, too.
    """

    def __init__(
        self,
        approvals: Approvals,
        delivery: Delivery,
        integrity: Integrity,
        person_types: frozenset[str],
        outflow: Outflow = NO_OUTFLOW,
    ) -> None:
        """`outflow` hears of uses that succeeded, or may have."""
        self._approvals, self._delivery, self._integrity = approvals, delivery, integrity
        self._person_types, self._outflow = person_types, outflow

    async def cancel(self, caller: Caller, approval_id: str, reason: str, *, pending_only: bool = False) -> ApprovalAt:
        """Withdraw an approval that was not used; the approval afterwards. `pending_only` spares one that was given.

        Raises `NotFound`, `ApprovalNotPending`, `ApprovalTampered`, `Conflict`.
        """
        return await retried(lambda: self._cancel(caller, approval_id, reason, pending_only=pending_only))

    async def report(self, caller: Caller, approval_id: str, state: OutcomeState, detail: str) -> ApprovalAt:
        """Say what became of the use; the approval afterwards. The same report again changes nothing.

        What left by the use is lineage before it is reported. Raises `NotFound`, `ApprovalNotConsumed`,
        `OutcomeReported`, `ApprovalTampered`, `Conflict`, and what the log of lineage raises.
        """
        return await retried(lambda: self._report(caller, approval_id, state, detail))

    async def _cancel(self, caller: Caller, approval_id: str, reason: str, *, pending_only: bool) -> ApprovalAt | None:
        held = await self._withdrawable(caller.identity, approval_id)
        after = _WITHDRAWN.get(held.state)
        if after is None or (pending_only and held.state is not State.PENDING):
            raise ApprovalNotPending(f"this approval is {held.state}; there is nothing to withdraw", state=held.state)
        await self._integrity.require(held.approval, caller, old=True)
        closed = await self._delivery.close(held.approval, after, caller.identity, reason)
        return ApprovalAt(closed, held.now) if closed else None

    async def _withdrawable(self, identity: str, approval_id: str) -> ApprovalAt:
        if is_person(identity, self._person_types):
            return await self._approvals.of_its_requester(identity, approval_id)
        return await self._approvals.of_its_caller(identity, approval_id)

    async def _report(self, caller: Caller, approval_id: str, state: OutcomeState, detail: str) -> ApprovalAt | None:
        held = await self._approvals.of_its_caller(caller.identity, approval_id)
        approval, told = held.approval, held.approval.outcome
        if approval.closed_at is None or approval.state is not State.CONSUMED:
            raise ApprovalNotConsumed(f"this approval is {held.state}; only a use has an outcome", state=held.state)
        if told and (told.state, told.detail) == (state, detail):
            await self._delivery.deliver(approval)
            return held
        if told and told.state is not OutcomeState.UNKNOWN:
            raise OutcomeReported(f"its outcome is {told.state} and stays so", state=told.state)
        await self._integrity.require(approval, caller)
        if state is not OutcomeState.FAILED:
            await self._outflow.exported(approval)
        late = held.now >= approval.closed_at + timedelta(seconds=grant.LIFETIME_SECONDS)
        reported = await self._delivery.report(approval, caller, Outcome(state, detail, held.now, late))
        return ApprovalAt(reported, held.now) if reported else None

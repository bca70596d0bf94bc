"""Moves records from an approval's outbox into the log, so that the log has the steps of an approval in their order.

1. A step and the exact bytes of its records are one update of the approval's document.
2. The records become durable before the step is answered.
3. If that fails, the call that takes the next step, or the sweep of any process, makes them durable first.
"""

import asyncio
import logging
from contextvars import Context

from pdp.approval import Approval, ApprovalAt, Outcome, State
from pdp.audit import event
from pdp.caller import Caller
from pdp.errors import PdpError
from pdp.recording.writer import Writer
from pdp.store.approvals import Approvals

log = logging.getLogger(__name__)


class Delivery:
    """Delivers outboxes, and closes approvals together with their record."""

    def __init__(self, approvals: Approvals, writer: Writer) -> None:
        self._approvals, self._writer = approvals, writer
        self._clearing: set[asyncio.Task[None]] = set()

    async def deliver(self, approval: Approval) -> None:
        """Make the records of the approval's last step durable, if they may not be durable yet."""
        if approval.outbox:
            await self._writer.append(approval.outbox)
            self.delivered(approval)

    def delivered(self, approval: Approval) -> None:
        """Empty the outbox in the background, because its records are durable. The call does not wait for it."""
        task = asyncio.get_running_loop().create_task(self._clear(approval), context=Context())
        self._clearing.add(task)
        task.add_done_callback(self._clearing.discard)

    async def expire(self, found: ApprovalAt) -> None:
        """Close an approval whose time is over, unless another call was faster."""
        await self.deliver(found.approval)
        expired = await self._approvals.expire(found.approval, [event.approval_closed(found.approval, State.EXPIRED)])
        if expired is not None:
            await self.deliver(expired)

    async def close(
        self, approval: Approval, after: State, closed_by: str, reason: str, revision: str = ""
    ) -> Approval | None:
        """End an approval because `closed_by` asked for it, and record that.

        Returns None if another call was faster or the approval's time is over.
        """
        await self.deliver(approval)
        record = event.approval_closed(approval, after, revision, closed_by=closed_by, reason=reason)
        closed = await self._approvals.close(approval, after, closed_by, reason, [record])
        if closed is not None:
            await self.deliver(closed)
        return closed

    async def report(self, approval: Approval, caller: Caller, outcome: Outcome) -> Approval | None:
        """Store and record a reported outcome. Returns None if another call was faster."""
        await self.deliver(approval)
        reported = await self._approvals.report(approval, outcome, [event.outcome(approval, caller, outcome)])
        if reported is not None:
            await self.deliver(reported)
        return reported

    async def settled(self) -> None:
        """Return when no outbox is being emptied."""
        await asyncio.gather(*self._clearing)

    async def _clear(self, approval: Approval) -> None:
        try:
            await self._approvals.delivered(approval)
        except PdpError:
            log.info("the outbox of %s is left to the sweep", approval.id)

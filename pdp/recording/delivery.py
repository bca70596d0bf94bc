"""Moves records from an approval's outbox into the log, so that the log has the steps of an approval in their order.

1. A step and the exact bytes of its records are one update of the approval's document.
2. The records become durable before the step is answered.
3. The record is checked first: a step to this version of the approval signed it, and it is of a kind that a step has.
   Anything else is refused with an alarm, in the server's log and in the audit log, and removed.
4. If it fails, the call that takes the next step, or the sweep of any process, makes them durable first.
"""

import asyncio
import logging
from contextvars import Context

import orjson

from pdp.approval import Approval, ApprovalAt, OutboxEntry, Outcome, State
from pdp.audit import event
from pdp.audit.record import STEP_KINDS, Entry
from pdp.caller import Caller
from pdp.errors import ApprovalTampered, PdpError
from pdp.recording.writer import Writer
from pdp.seal import Sealer
from pdp.store.approvals import Approvals

log = logging.getLogger(__name__)

OLD_SEAL = "an older version of Placet opened it, which signed less of it; ask again"
"""Why an approval ends that was open while Placet was updated."""


class Delivery:
    """Delivers outboxes, and closes approvals together with their record."""

    def __init__(self, approvals: Approvals, writer: Writer, sealer: Sealer) -> None:
        self._approvals, self._writer, self._sealer = approvals, writer, sealer
        self._clearing: set[asyncio.Task[None]] = set()

    async def deliver(self, approval: Approval) -> None:
        """Make the records of the approval's last step durable, if they may not be durable yet."""
        if approval.outbox:
            await self._writer.append([self._admitted(approval, posted) for posted in approval.outbox])
            self.delivered(approval)

    def _admitted(self, approval: Approval, posted: OutboxEntry) -> Entry:
        """The record, or the alarm in its place where no step made it."""
        entry: Entry = posted.entry
        if self._sealer.wrote(approval, posted) and orjson.loads(entry.record)["kind"] in STEP_KINDS:
            return entry
        return self._alarm(approval, "a record in its outbox is not what a step of it signed")

    def _alarm(self, approval: Approval, fault: str) -> Entry:
        log.error("approval %s was changed behind the servers' back: %s", approval.id, fault)
        return event.outbox_refused(approval, ApprovalTampered(f"the approval was changed in MongoDB: {fault}"))

    def delivered(self, approval: Approval) -> None:
        """Empty the outbox in the background, because its records are durable. The call does not wait for it."""
        task = asyncio.get_running_loop().create_task(self._clear(approval), context=Context())
        self._clearing.add(task)
        task.add_done_callback(self._clearing.discard)

    async def expire(self, found: ApprovalAt) -> None:
        """Close an approval whose time is over, unless another call was faster.

        One that no server opened is closed, too, and instead of its end the log gets an alarm.
        """
        approval = found.approval
        await self.deliver(approval)
        fault = "" if self._sealer.is_old(approval) else self._sealer.fault(approval)
        if fault and found.state is State.EXPIRED:
            await self._writer.append([self._alarm(approval, fault)])
        ends = [] if fault else [event.approval_closed(approval, State.EXPIRED)]
        expired = await self._approvals.expire(approval, ends)
        if expired is not None:
            await self.deliver(expired)

    async def end_old(self, approval: Approval) -> Approval | None:
        """End an open approval that an older version sealed. Returns None if another call was faster."""
        after = State.CANCELLED if approval.state is State.PENDING else State.VOIDED
        return await self.close(approval, after, "", OLD_SEAL)

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

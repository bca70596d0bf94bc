"""Moves records from an approval's outbox into the log, so that the log has the steps of an approval in their order.

1. A step and the exact bytes of its records are one update of the approval's document.
2. The records become durable before the step is answered.
3. The record is checked first: a step to this version of the approval signed it, and it is of a kind that a step has.
   Anything else is refused with an alarm, in the server's log and in the audit log, and removed.
4. If it fails, the call that takes the next step, or the sweep of any process, makes them durable first.
5. What the log has already is not written again. Of two processes at once, one writes a record.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import Context
from weakref import WeakValueDictionary

import orjson

from pdp import deadline, identifier
from pdp.approval import Approval, ApprovalAt, OutboxEntry, Outcome, State
from pdp.audit import event
from pdp.audit.record import STEP_KINDS, Entry
from pdp.caller import Caller
from pdp.errors import ApprovalTampered, PdpError, StoreUnavailable
from pdp.recording.writer import Writer
from pdp.seal import Sealer
from pdp.store.approvals import Approvals
from pdp.store.batches import Batches
from pdp.store.database import WAIT_SECONDS

log = logging.getLogger(__name__)

_REMEMBERED = 4096
"""Records that this process remembers to have delivered: their steps were taken milliseconds ago."""
OLD_SEAL = "an older version of Placet opened it, which signed less of it; ask again"
"""Why an approval ends that was open while Placet was updated."""


class Delivery:
    """Delivers outboxes, and closes approvals together with their record."""

    def __init__(self, approvals: Approvals, batches: Batches, writer: Writer, sealer: Sealer) -> None:
        self._approvals, self._batches, self._writer, self._sealer = approvals, batches, writer, sealer
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._written: dict[str, None] = {}
        self._clearing: set[asyncio.Task[None]] = set()

    async def deliver(self, approval: Approval) -> None:
        """Make the records of the approval's last step durable, if they may not be durable yet."""
        if approval.outbox:
            async with self._turns_of([approval]):
                await self._write_missing([self._admitted(approval, posted) for posted in approval.outbox])
            self.delivered(approval)

    async def write(self, steps: Sequence[Approval], entries: Sequence[Entry], caller: str = "") -> None:
        """Make the records of these fresh steps durable, among other entries. What `deliver` wrote is left out."""
        if not steps:
            await self._writer.append(entries, caller=caller)
            return
        async with self._turns_of(steps):
            missing = [entry for entry in entries if entry.id not in self._written]
            posted = {one.entry.id for step in steps for one in step.outbox}
            await self._writer.append(missing, caller=caller, posted=posted)
        for step in steps:
            self.delivered(step)

    async def _write_missing(self, entries: Sequence[Entry]) -> None:
        """Make those entries durable that the log does not have."""
        missing = [entry for entry in entries if not await self._is_written(entry)]
        await self._writer.append(missing, posted={entry.id for entry in missing})
        self._written |= dict.fromkeys(entry.id for entry in missing)
        while len(self._written) > _REMEMBERED:
            del self._written[next(iter(self._written))]

    async def _is_written(self, entry: Entry) -> bool:
        uuid = identifier.uuid_bytes(entry.id)
        return uuid is not None and await self._batches.holds(uuid)

    @asynccontextmanager
    async def _turns_of(self, approvals: Sequence[Approval]) -> AsyncIterator[None]:
        """One call at a time writes records of an approval. All take their turns in one order."""
        async with AsyncExitStack() as stack:
            for name in sorted({approval.id for approval in approvals}):
                turn = self._turns.setdefault(name, asyncio.Lock())
                try:
                    async with deadline.within(WAIT_SECONDS):
                        await stack.enter_async_context(turn)
                except TimeoutError:
                    raise StoreUnavailable("MongoDB did not confirm the records before this one in time") from None
            yield

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

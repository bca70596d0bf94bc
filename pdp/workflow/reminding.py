"""Makes reminders due: each once over all processes, recorded before anybody is reminded.

1. A reminder is a letter whose id says of which approval and which time it is, so that only one of them is made.
2. Its record has the id that this letter holds. It is written where the log has none with that id.
3. A reminder approves nothing and denies nothing; the approval's version stays.
"""

from pdp import identifier
from pdp.approval import ApprovalAt, State
from pdp.audit import event
from pdp.audit.record import Kind
from pdp.recording.writer import Writer
from pdp.reminder import last_due, next_due, times
from pdp.store.batches import Batches
from pdp.store.letters import Letter, Letters
from pdp.store.notifications import Errand
from pdp.store.reminders import Reminders

REMINDED = str(Kind.APPROVAL_REMINDED)
"""The event of a letter that is a reminder."""
_AT_ONCE = 100
"""Approvals that are looked at at one time."""


class Reminding:
    """Makes reminders."""

    def __init__(self, reminders: Reminders, letters: Letters, writer: Writer, batches: Batches) -> None:
        self._reminders, self._letters, self._writer, self._batches = reminders, letters, writer, batches

    async def make_due(self) -> None:
        """Make the reminders whose time has come. After a pause of all servers only the latest of each is made."""
        for held in await self._reminders.due(_AT_ONCE):
            after_ms = last_due(held.approval, held.now)
            if after_ms is not None and held.state is State.PENDING:
                await self._letters.add(_letter(held.approval.id, after_ms))
            await self._reminders.set_next(held.approval.id, next_due(held.approval, held.now))

    async def recorded(self, held: ApprovalAt, record_id: str, after: str) -> int | None:
        """Record a reminder whose time has come. Returns its time after the opening; None where nobody is reminded."""
        after_ms = int(after) if after.isdecimal() else -1
        due = last_due(held.approval, held.now)
        uuid = identifier.uuid_bytes(record_id)
        if held.state is not State.PENDING or after_ms not in times(held.approval) or due is None or after_ms > due:
            return None
        if uuid is None:
            return None
        if not await self._batches.holds(uuid):
            entry = event.approval_reminded(held.approval, record_id, after_ms)
            await self._writer.append([entry], posted={entry.id})
        return after_ms


def _letter(approval_id: str, after_ms: int) -> Letter:
    return Letter(
        id=f"{approval_id}/remind/{after_ms}",
        channel="",
        errand=Errand.SPREAD,
        approval_id=approval_id,
        event=REMINDED,
        record_id=identifier.new("rec"),
        state=State.PENDING,
        after=str(after_ms),
    )

"""Refuses an approval that was changed behind the servers' back, and raises the alarm in both logs."""

import logging
from typing import NoReturn

from pdp.approval import Approval
from pdp.audit import event
from pdp.caller import Caller
from pdp.errors import ApprovalTampered
from pdp.recording.writer import Writer
from pdp.seal import Sealer

log = logging.getLogger(__name__)


class Integrity:
    """Stands before everything that trusts a stored approval."""

    def __init__(self, sealer: Sealer, writer: Writer) -> None:
        self.sealer, self._writer = sealer, writer

    async def require(self, approval: Approval, caller: Caller, *, old: bool = False) -> None:
        """Raise `ApprovalTampered`, logged and recorded, unless it is as this deployment wrote it.

        With `old` an open approval that an older version sealed passes: for what ends it.
        """
        fault = self.sealer.fault(approval)
        if fault and not (old and self.sealer.is_old(approval)):
            await self.refuse(approval, caller, fault)

    async def refuse(self, approval: Approval, caller: Caller, fault: str) -> NoReturn:
        """Raise `ApprovalTampered`, logged and recorded."""
        log.error("approval %s was changed behind the servers' back: %s", approval.id, fault)
        tampered = ApprovalTampered(
            f"this approval was changed behind the servers' back ({fault}); it is refused, tell who runs Placet"
        )
        await self._writer.append([event.approval_refused(approval, caller, tampered)])
        raise tampered

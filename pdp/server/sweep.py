"""The timed work of every process. Nothing is decided here.

Every step is a compare-and-set, or it may be done twice. So all processes may try it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from pdp.errors import PdpError
from pdp.recording.delivery import Delivery
from pdp.recording.writer import Writer
from pdp.server.notifier import Notifier
from pdp.store.approvals import Approvals
from pdp.store.writers import Writers
from pdp.workflow.sessions import Sessions

log = logging.getLogger(__name__)

NOTIFY_SECONDS = 1.0
"""Seconds between two looks for messages to send. It bounds how late a message leaves."""
SWEEP_SECONDS = 2.0
"""Seconds between two sweeps. It bounds how late an approval is closed whose time is over."""
HEARTBEAT_SECONDS = 5.0
"""Seconds between two heartbeats of this process's writer: a twelfth of `SILENT_FOR`."""
UNDELIVERED_FOR = timedelta(seconds=3)
"""The age of an outbox that a sweep delivers. The process that wrote a younger one may still deliver it."""
SILENT_FOR = timedelta(seconds=60)
"""The time without a heartbeat after which a writer is closed."""
_AT_ONCE = 100
"""Approvals that one sweep handles of each kind."""


class Sweep:
    """Ends approvals and sessions in time, delivers outboxes, tells webhooks, and closes silent writers."""

    def __init__(
        self,
        *,
        approvals: Approvals,
        delivery: Delivery,
        writer: Writer,
        writers: Writers,
        notifier: Notifier,
        sessions: Sessions,
    ) -> None:
        self._approvals, self._delivery, self._writer = approvals, delivery, writer
        self._writers, self._notifier = writers, notifier
        self._sessions = sessions
        self._old_may_be_open = True

    async def run(self) -> None:
        """Run until cancelled. A step that fails is tried again at its next time."""
        async with asyncio.TaskGroup() as group:
            group.create_task(every(HEARTBEAT_SECONDS, self._writer.beat))
            steps = (self.expire, self.deliver, self.end_old, self.close_silent_writers, self.end_sessions)
            for step in steps:
                group.create_task(every(SWEEP_SECONDS, step))
            for work in self._notifier.work:
                group.create_task(every(NOTIFY_SECONDS, work))

    async def expire(self) -> None:
        """Close approvals whose time is over."""
        for found in await self._approvals.overdue(_AT_ONCE):
            await self._delivery.expire(found)

    async def deliver(self) -> None:
        """Put the records of steps into the log whose process died before it could."""
        for found in await self._approvals.undelivered(UNDELIVERED_FOR, _AT_ONCE):
            await self._delivery.deliver(found.approval)

    async def end_sessions(self) -> None:
        """End sessions of people that have run out."""
        await self._sessions.end_over(_AT_ONCE)

    async def end_old(self) -> None:
        """End what was open while Placet was updated, until none of it is left."""
        if self._old_may_be_open:
            found = await self._approvals.of_an_older_version(_AT_ONCE)
            for held in found:
                await self._delivery.end_old(held.approval)
            self._old_may_be_open = bool(found)

    async def close_silent_writers(self, age: timedelta = SILENT_FOR) -> None:
        """Close writers that were silent for `age`, by taking the next place in their chain.

        A writer that wakes up finds its place taken.
        """
        for silent in await self._writers.silent(age):
            if silent != self._writer.writer and await self._writer.close_other(silent):
                await self._writers.close(silent)


async def every(seconds: float, step: Callable[[], Awaitable[None]]) -> None:
    """Take a step again and again, so long apart. One that fails is tried again at its next time."""
    task = asyncio.current_task()
    while not (task and task.cancelling()):  # `asyncio.wait_for` of 3.11, in the driver, may swallow a cancellation
        try:
            await step()
        except PdpError as error:
            log.info("%s is tried again later: %s", step.__name__, error)
        await asyncio.sleep(seconds)

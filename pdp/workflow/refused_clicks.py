"""Records what was refused in a chat: each click of an account up to a number an hour, the rest in one record.

So an account cannot fill the log by clicking, linked or not. A view that came back altered is an
alarm: it is recorded in any case, and not counted.
"""

from pdp.audit import channel_event
from pdp.errors import PdpError
from pdp.recording.writer import Writer
from pdp.store.database import Database
from pdp.store.refusal_counts import RefusalCounts
from pdp.view_errors import ViewAltered

RECORDED_AN_HOUR = 20
"""Refused clicks of one account in a clock hour that have a record each."""
_AT_ONCE = 100
"""Hours that one sweep sums up."""


class RefusedClicks:
    """The refused clicks of a deployment."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._counts, self._writer = RefusalCounts(database), writer

    async def record(self, channel: str, account: str, error: PdpError, identity: str, approval_id: str) -> None:
        """Record that a click or a verdict was refused, or count it."""
        is_alarm = isinstance(error, ViewAltered)
        if is_alarm or await self._counts.count(channel, account, identity) <= RECORDED_AN_HOUR:
            about = {"identity": identity, "approval_id": approval_id}
            await self._writer.append([channel_event.refused(channel, account, error.reason, **about)])

    async def sum_up(self) -> None:
        """Record how many more there were in each hour that is over. After a crash one may be recorded twice."""
        for one in await self._counts.over(_AT_ONCE):
            further = one.count - RECORDED_AN_HOUR
            if further > 0:
                if not await self._counts.claim(one):
                    continue
                account = one.channel, one.account
                entry = channel_event.refused_more(*account, identity=one.identity, hour=one.hour, further=further)
                await self._writer.append([entry])
            await self._counts.remove(one)

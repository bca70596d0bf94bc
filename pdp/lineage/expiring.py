"""Brings declassified tags back when their time is over: an entry of the log says that this time has come.

1. What follows from the log depends on the log alone: a tag is back with the first entry that is later than its time.
   Where nobody else writes one, each server does, up to `EARLY_MS` before, and so on all servers at one revision.
2. A server that could not write it decides nothing about data once the time is over (`Following.require_fresh`).
"""

import asyncio
import logging
import time

from pdp.background import raise_if_cancelled
from pdp.errors import PdpError
from pdp.lineage.fact import Clock
from pdp.lineage.following import Following
from pdp.lineage.writing import Writing

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""Seconds between two looks at what expires next."""
EARLY_MS = 2000
"""How much earlier a tag may come back, so that it is back on all servers in time."""
PLACET = "placet"
"""Who says that a time has come."""


class Expiring:
    """Writes what the time is, as often as something expires. Run `run` as a task."""

    def __init__(self, following: Following, writing: Writing) -> None:
        self._following, self._writing = following, writing

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            raise_if_cancelled()
            try:
                await self._expire()
            except PdpError as error:
                log.warning("what expires in lineage is written later: %s", error)
            await asyncio.sleep(LOOK_SECONDS)

    async def _expire(self) -> None:
        until = self._following.expires
        if until and until <= time.time_ns() // 1_000_000 + EARLY_MS:
            n = await self._writing.write([Clock(by=PLACET, at=until + 1)])
            await self._following.at_least(n, asyncio.get_running_loop().time() + LOOK_SECONDS)

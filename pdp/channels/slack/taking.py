"""Takes what Slack sends, by either transport: it is acknowledged before any work, and worked on beside."""

import asyncio
import logging
from collections import OrderedDict
from typing import Any

from pdp.channels.slack.answering import Answering
from pdp.channels.slack.interaction import Click, Sent, read

log = logging.getLogger(__name__)

AT_ONCE = 64
"""Clicks of one process that are worked on at one time. Further ones are dropped: people click again."""
REMEMBERED = 1024
"""Envelopes that are remembered, so that one which is sent again is acknowledged again and done once."""
STOP_SECONDS = 5
"""Seconds that clicks have to end when the server stops."""


class Taking:
    """The clicks of one process."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._work: set[asyncio.Task[None]] = set()
        self._seen: OrderedDict[str, None] = OrderedDict()

    def take(self, payload: Any, envelope: str = "") -> dict[str, Any]:
        """Begin what was asked for. Returns what Slack is answered at once."""
        done = read(payload)
        if done is not None and not self._was_seen(envelope):
            self._begin(done)
        if isinstance(done, Sent):
            return {"response_action": "update", "view": self._answering.checking()}
        return {}

    async def settled(self) -> None:
        """Let what has begun end."""
        if self._work:
            await asyncio.wait(self._work, timeout=STOP_SECONDS)
        for task in list(self._work):
            task.cancel()

    def _begin(self, done: Click | Sent) -> None:
        if len(self._work) >= AT_ONCE:
            log.warning("slack: %d clicks are worked on, further ones are dropped", AT_ONCE)
            return
        task = asyncio.get_running_loop().create_task(self._answering.answer(done))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    def _was_seen(self, envelope: str) -> bool:
        if not envelope:
            return False
        if envelope in self._seen:
            return True
        self._seen[envelope] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False

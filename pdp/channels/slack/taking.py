"""Takes what Slack sends, by either transport: it is acknowledged before any work, and worked on beside."""

import asyncio
import logging
from collections import OrderedDict
from typing import Any

from pdp.channels.slack.answering import BUSY, Answering
from pdp.channels.slack.interaction import Click, Sent, read
from pdp.channels.slack.rendering import ASKED

log = logging.getLogger(__name__)

AT_ONCE = 64
"""Clicks of one process that are worked on at one time. Of further ones nothing is done: people click again."""
OF_ONE = 8
"""Of these, the clicks of one account. So who clicks without end leaves room for others."""
REMEMBERED = 1024
"""Envelopes that are remembered, so that one which is sent again is acknowledged again and done once."""
STOP_SECONDS = 5
"""Seconds that clicks have to end when the server stops."""


class Taking:
    """The clicks of one process."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._work: dict[asyncio.Task[None], str] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()

    def take(self, payload: Any, envelope: str = "") -> dict[str, Any]:
        """Begin what was asked for. Returns what Slack is answered at once."""
        done = read(payload)
        is_new = done is not None and not self._was_seen(envelope)
        is_begun = done is not None and (not is_new or self._begin(done))
        if isinstance(done, Sent):
            if not is_begun:
                return {"response_action": "errors", "errors": {ASKED: BUSY}}
            return {"response_action": "update", "view": self._answering.checking()}
        return {}

    async def settled(self) -> None:
        """Let what has begun end."""
        if self._work:
            await asyncio.wait(self._work, timeout=STOP_SECONDS)
        for task in list(self._work):
            task.cancel()

    def _begin(self, done: Click | Sent) -> bool:
        """Work on a click; False where there are too many."""
        account, accounts = done.by.account, list(self._work.values())
        if len(accounts) >= AT_ONCE or accounts.count(account) >= OF_ONE:
            log.warning("slack: a click of %s is dropped: %d are worked on", account, len(accounts))
            return False
        task = asyncio.get_running_loop().create_task(self._answering.answer(done))
        self._work[task] = account
        task.add_done_callback(self._work.pop)
        return True

    def _was_seen(self, envelope: str) -> bool:
        if not envelope:
            return False
        if envelope in self._seen:
            return True
        self._seen[envelope] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False

"""Takes what Slack sends, by either transport: it is acknowledged before any work, and worked on beside."""

from collections import OrderedDict
from functools import partial
from typing import Any

from pdp.channels.beside import Beside
from pdp.channels.slack.answering import BUSY, Answering
from pdp.channels.slack.interaction import Click, Sent, read
from pdp.channels.slack.rendering import ASKED

REMEMBERED = 1024
"""Envelopes that are remembered, so that one which is sent again is acknowledged again and done once."""


class Taking:
    """The clicks of one process."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._beside = Beside("slack")
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
        await self._beside.settled()

    def _begin(self, done: Click | Sent) -> bool:
        return self._beside.begin(done.by.account, partial(self._answering.answer, done))

    def _was_seen(self, envelope: str) -> bool:
        if not envelope:
            return False
        if envelope in self._seen:
            return True
        self._seen[envelope] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False

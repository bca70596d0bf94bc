"""Work on clicks that goes on beside the answers to them: a bounded number of pieces, which end with the server."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

log = logging.getLogger(__name__)

AT_ONCE = 64
"""Clicks of one process that are worked on at one time. Further ones are dropped: people click again."""
STOP_SECONDS = 5
"""Seconds that clicks have to end when the server stops."""
Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


class Beside:
    """What one process works on for the people of one chat, by its name."""

    def __init__(self, chat: str) -> None:
        self._chat = chat
        self._work: set[asyncio.Task[None]] = set()

    def begin(self, work: Work) -> bool:
        """Begin a piece of work, if there is room for it. An error in it goes to the log."""
        if len(self._work) >= AT_ONCE:
            log.warning("%s: %d clicks are worked on, further ones are dropped", self._chat, AT_ONCE)
            return False
        task = asyncio.get_running_loop().create_task(self._done(work))
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return True

    async def settled(self) -> None:
        """Let what has begun end."""
        if self._work:
            await asyncio.wait(self._work, timeout=STOP_SECONDS)
        for task in list(self._work):
            task.cancel()

    async def _done(self, work: Work) -> None:
        try:
            await work()
        except Exception:
            log.exception("%s: the work on a click failed", self._chat)

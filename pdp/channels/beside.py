"""Work on clicks that goes on beside the answers to them: a bounded number of pieces, which end with the server."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

log = logging.getLogger(__name__)

AT_ONCE = 64
"""Clicks of one process that are worked on at one time. Of further ones nothing is done: people click again."""
OF_ONE = 8
"""Of these, the clicks of one account. So who clicks without end leaves room for others."""
STOP_SECONDS = 5
"""Seconds that clicks have to end when the server stops."""
Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


class Beside:
    """What one process works on for the people of one chat, by its name."""

    def __init__(self, chat: str) -> None:
        self._chat = chat
        self._work: dict[asyncio.Task[None], str] = {}

    def begin(self, account: str, work: Work) -> bool:
        """Begin a piece of work for an account; False where there are too many. An error in it goes to the log."""
        accounts = list(self._work.values())
        if len(accounts) >= AT_ONCE or accounts.count(account) >= OF_ONE:
            log.warning("%s: a click of %s is dropped: %d are worked on", self._chat, account, len(accounts))
            return False
        task = asyncio.get_running_loop().create_task(self._done(work))
        self._work[task] = account
        task.add_done_callback(self._work.pop)
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

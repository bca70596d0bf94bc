"""One change stream a process, for everybody who waits for an approval or watches a queue.

To lose nothing: follow, then read, then wait. Where the stream was interrupted, everybody looks again.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import aclosing, contextmanager

from pdp.errors import Overloaded, PdpError, ResumeTokenTooOld, ServerStops, StoreUnavailable
from pdp.store.changes import Change, Changes, HistoryLost

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.5
"""Seconds before a broken stream is opened again, so that a MongoDB that starts is not hammered."""
MAX_BACKLOG = 1000
"""Changed approvals that may wait for one slow watcher; it then has to begin again."""


class Backlog:
    """What one watcher has not taken yet: of each approval its last change, in their order."""

    def __init__(self) -> None:
        self._changes: dict[str, Change] = {}
        self._arrived = asyncio.Event()
        self._error: PdpError | None = None

    def add(self, change: Change) -> None:
        """One more change; the approval's earlier one no longer matters."""
        self._changes.pop(change.approval_id, None)
        self._changes[change.approval_id] = change
        self._arrived.set()
        if len(self._changes) > MAX_BACKLOG:
            self.end(Overloaded("changes come faster than they are read; go on behind the last resume_token"))

    def end(self, error: PdpError) -> None:
        """Nothing more comes, because of `error`."""
        self._error = self._error or error
        self._changes.clear()
        self._arrived.set()

    async def take(self) -> Change:
        """The next change, as soon as there is one."""
        await self._arrived.wait()
        if self._error is not None:
            raise self._error
        change = self._changes.pop(next(iter(self._changes)))
        if not self._changes:
            self._arrived.clear()
        return change


class Feed:
    """Distributes the changes, and counts them in `distributed`. `begin`, then `run` as a task; `end` lets all go."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._waiters: dict[str, set[asyncio.Future[None]]] = {}
        self._backlogs: set[Backlog] = set()
        self._lost = self._ended = False
        self.distributed = 0

    async def begin(self) -> None:
        """From here on nothing is missed. Raises `SetupError`."""
        await self._changes.begin()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with aclosing(self._changes.follow()) as changes:
                    async for change in changes:
                        self._opened() if change is None else self._distribute(change)
            except HistoryLost:
                self._lost = True
            except StoreUnavailable as error:
                log.info("it is opened again: %s", error)
            await asyncio.sleep(PAUSE_SECONDS)

    def end(self) -> None:
        """The server stops: everyone who waits is told now, and everyone who comes later."""
        self._ended = True
        self._wake()
        for backlog in self._backlogs:
            backlog.end(_stops())

    @contextmanager
    def change_of(self, approval_id: str) -> Iterator[asyncio.Future[None]]:
        """A future that is done once the approval may have changed since now."""
        self._require_running()
        changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiters.setdefault(approval_id, set())
        waiting.add(changed)
        try:
            yield changed
        finally:
            waiting.discard(changed)
            if not waiting:
                self._waiters.pop(approval_id, None)

    @contextmanager
    def backlog(self) -> Iterator[Backlog]:
        """Every change from now on."""
        self._require_running()
        backlog = Backlog()
        self._backlogs.add(backlog)
        try:
            yield backlog
        finally:
            self._backlogs.discard(backlog)

    def _opened(self) -> None:
        """Waiters look again; watchers need to only where changes may be missing."""
        self._wake()
        if self._lost:
            for backlog in self._backlogs:
                backlog.end(ResumeTokenTooOld("changes were missed; begin again without a resume_token"))
        self._lost = False

    def _distribute(self, change: Change) -> None:
        self.distributed += 1
        for waiter in self._waiters.get(change.approval_id, ()):
            _done(waiter)
        for backlog in self._backlogs:
            backlog.add(change)

    def _wake(self) -> None:
        for waiters in self._waiters.values():
            for waiter in waiters:
                _done(waiter)

    def _require_running(self) -> None:
        if self._ended:
            raise _stops()


def _done(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _stops() -> ServerStops:
    return ServerStops("this server stops; ask again, another may answer")

"""Waiting for one approval, and watching a queue. What the caller may see is asked of the policy each time.

follow the feed -> read -> policy: does it concern the caller -> tell what is new to the caller -> wait
"""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from contextlib import aclosing
from dataclasses import dataclass, field

import orjson

from pdp import deadline
from pdp.approval import OPEN, ApprovalAt, State
from pdp.background import raise_if_cancelled
from pdp.caller import Caller
from pdp.errors import NotFound, ResumeTokenTooOld, StoreUnavailable
from pdp.gate import Gate
from pdp.room import LATER_SECONDS, Room
from pdp.store.changes import Change, Changes
from pdp.store.queue import Place
from pdp.turns import Turns
from pdp.workflow.feed import Feed
from pdp.workflow.queue import ReviewQueue
from pdp.workflow.reviewable import ApprovalView, Read
from pdp.workflow.reviewing import Reviewing
from pdp.workflow.shared import Shared

WAIT_SECONDS = 60.0
"""Seconds that one WaitApproval may take, as the contract says; a client then waits again."""
SPARE_SECONDS = 0.5
"""Seconds of the caller's time that are kept for reading the approval once more at the end of a wait."""
AT_ONCE = 128
"""Looks at the same time, each a read or a question to the policy; the others wait. One query holds as many."""
PAGES_AT_ONCE, PAGES_OF_ONE = 4, 2
"""Pages of queues that are read at the same time, and of one caller: a page takes 30 ms of the processor."""
MAX_WATCHES = 8
"""Watches of one caller in one process: a limit of the contract."""
STREAM_SECONDS = 30 * 60.0
"""Seconds that a watch waits for its next page at most: as long as a stream may take."""
KEEP_SECONDS = 1.0
"""Seconds for which what a change looks like is kept for watchers that come to it later."""
_PAGE = 100
"""Pending approvals that are read at once for the beginning of a watch."""


@dataclass(frozen=True, slots=True)
class Update:
    """One message to a watcher; without `held` and id, all that was in the queue has been known.

    An id without `held` left the queue and may not be view any more.
    """

    approval_id: str
    held: ApprovalAt | None
    may_review: bool
    resume_token: str


@dataclass(slots=True)
class _Known:
    """What a watcher knows: of each approval the version, and whether it may still change."""

    resumed: bool
    approvals: dict[str, tuple[int, bool]] = field(default_factory=dict)

    def knows(self, change: Change) -> bool:
        return change.version <= self.approvals.get(change.approval_id, (0, False))[0]

    def concerns(self, approval_id: str, view: ApprovalView | None) -> bool:
        """Whether the watcher was told of it, or may have been before a break: then it is told of each later step."""
        if approval_id in self.approvals:
            return self.approvals[approval_id][1]
        return self.resumed and view is not None and _is_reviewer(view)


class Watching:
    """Follows approvals on behalf of callers."""

    def __init__(self, queue: ReviewQueue, reviewing: Reviewing, changes: Changes, feed: Feed, turns: Turns) -> None:
        self._queue, self._reviewing, self._changes, self._feed, self._turns = queue, reviewing, changes, feed, turns
        self._pages = Gate(PAGES_AT_ONCE, PAGES_OF_ONE)
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._watches = Room(
            MAX_WATCHES,
            f"this caller has {MAX_WATCHES} watches here, which is the most; end one of them",
            LATER_SECONDS,
        )
        self._reads, self._views, self._waits = (
            Shared[Read](KEEP_SECONDS),
            Shared[ApprovalView](KEEP_SECONDS),
            Shared[ApprovalView](),
        )

    async def changed(
        self, caller: Caller, approval_id: str, known: State, seconds: float = WAIT_SECONDS
    ) -> ApprovalAt:
        """The approval once its state is not `known`, or as it is when the time is up. Raises `NotFound`."""
        clock = asyncio.get_running_loop().time
        end = deadline.end(seconds, SPARE_SECONDS)
        while True:
            with self._feed.change_of(approval_id) as changed:
                key = (approval_id, self._feed.distributed, *_as_reviewer(caller))
                found = (await self._waits.get(key, lambda: self._view(caller, approval_id))).held
                left = end - clock()
                if found.state is not known or left <= 0:
                    return found
                raise_if_cancelled()
                await asyncio.wait({changed}, timeout=min(left, _seconds_left(found)))

    async def queue(
        self, caller: Caller, resume_token: str, *, changes_only: bool = False
    ) -> AsyncGenerator[Update, None]:
        """The queue as it is, or what changed behind `resume_token`; then that this was all; then what changes.

        With `changes_only` the queue as it is is left out: the caller reads it in pages, after the first message.
        Raises `ResumeTokenTooOld`, `Overloaded`.
        """
        with self._watches.taken(caller.identity):
            async with aclosing(self.changes(caller, resume_token, changes_only=changes_only)) as updates:
                async for update in updates:
                    yield update

    async def changes(
        self, caller: Caller, resume_token: str, *, changes_only: bool = False
    ) -> AsyncGenerator[Update, None]:
        """`queue` for those whose watches are counted elsewhere."""
        known = _Known(resumed=bool(resume_token) or changes_only)
        with self._feed.backlog() as backlog:
            if resume_token:
                missed, reached = await self._changes.since(_position(resume_token))
                for change in missed:
                    if (update := await self._update(caller, change, known, change.position)) is not None:
                        yield update
            else:
                reached = await self._changes.position()
                async for found in self._pending(caller, none=changes_only):
                    known.approvals[found.approval.id] = (found.approval.version, True)
                    yield Update(found.approval.id, found, may_review=True, resume_token="")
            yield Update("", None, may_review=False, resume_token=_token(reached))
            while True:
                raise_if_cancelled()
                change = await backlog.take()
                await self._turns.turn(caller.identity)
                reached = max(reached, change.position)
                if (update := await self._update(caller, change, known, reached)) is not None:
                    await self._turns.turn(caller.identity)  # a look that watches share ends for all at one time
                    yield update

    async def now(self) -> str:
        """The resume token behind which everything comes that changes from now on."""
        return _token(await self._changes.position())

    async def _update(self, caller: Caller, change: Change, known: _Known, reached: int) -> Update | None:
        """What the change means to the watcher; None where it changes nothing for it or does not concern it."""
        if known.knows(change):
            return None
        approval_id = change.approval_id
        try:
            view = await self._look(caller, change)
        except NotFound:
            view = None
        if view is not None and view.held.approval.version < change.version:
            raise StoreUnavailable("MongoDB answers with what was before; go on behind the last resume_token")
        may_review = view is not None and view.obstacle is None
        if not may_review and not known.concerns(approval_id, view):
            return None
        version = view.held.approval.version if view else change.version
        known.approvals[approval_id] = (version, view is not None and view.held.state in OPEN)
        return Update(approval_id, view.held if view else None, may_review, _token(reached))

    async def _look(self, caller: Caller, change: Change) -> ApprovalView:
        """What a change looks like: it is read once, and the policy is asked once for each caller."""
        key = (change.approval_id, change.version)

        async def seen() -> ApprovalView:
            async with self._at_once:
                read = await self._reads.get(key, lambda: self._reviewing.read(change.approval_id))
                return await self._reviewing.seen(caller, read)

        return await self._views.get((*key, *_as_reviewer(caller)), seen)

    async def _view(self, caller: Caller, approval_id: str) -> ApprovalView:
        async with self._at_once:
            return await self._reviewing.view(caller, approval_id)

    async def _pending(self, caller: Caller, *, none: bool) -> AsyncIterator[ApprovalAt]:
        """Everything that the caller may review now, the nearest deadline first; or nothing."""
        more = not none
        after: Place | None = None
        while more:
            async with self._pages.place(caller.identity, _PAGE, STREAM_SECONDS):
                page = await self._queue.page(caller, after, _PAGE)
            for _, found in page.approvals:
                await self._turns.turn(caller.identity)
                yield found
            after, more = page.more, page.more is not None


def _as_reviewer(caller: Caller) -> tuple[Hashable, ...]:
    """All of a caller on which a view depends."""
    return caller.identity, caller.groups, orjson.dumps(caller.claims), caller.claims_elsewhere


def _seconds_left(found: ApprovalAt) -> float:
    """Until the state ends by itself, by MongoDB's clock; for ever where it does not."""
    expires_at = found.approval.expires_at
    if expires_at is None or found.state is not found.approval.state:
        return math.inf
    return (expires_at - found.now).total_seconds()


def _is_reviewer(view: ApprovalView) -> bool:
    """Whether the caller could review it, were it still open to the caller."""
    return view.obstacle is None or not view.obstacle.is_personal


def _token(position: int) -> str:
    return f"{position:016x}"


def _position(token: str) -> int:
    if len(token) != len(_token(0)) or not set(token) <= set("0123456789abcdef"):
        raise ResumeTokenTooOld("this resume_token was not issued by this server; begin again without one")
    return int(token, 16)

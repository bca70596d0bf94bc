"""Waiting for one approval, and watching a queue: as the caller may see them now, asked of the policy each time.

follow the feed -> read -> policy: is it any of the caller's business -> tell what is new to the caller -> wait
"""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field

from pdp import deadline
from pdp.approval import State
from pdp.background import raise_if_cancelled
from pdp.caller import Caller
from pdp.errors import NotFound, ResumeTokenTooOld, StoreUnavailable
from pdp.store.approvals import Approvals, Found
from pdp.store.changes import Change, Changes
from pdp.workflow.feed import Feed
from pdp.workflow.reviewing import Reviewing, Seen

WAIT_SECONDS = 60.0
SPARE_SECONDS = 0.5
"""Of the caller's time, for reading the approval once more at the end of a wait."""
AT_ONCE = 32
"""So many followers read and ask the policy at once; the others wait their turn, and decisions are not kept waiting."""
_PAGE = 100


@dataclass(frozen=True, slots=True)
class News:
    """One message to a watcher; without `found` and id, all that was in the queue has been told.

    An id without `found` left the queue and may not be seen any more.
    """

    approval_id: str
    found: Found | None
    may_review: bool
    resume_token: str


@dataclass(slots=True)
class _Told:
    """What a watcher knows: of each approval the version, and whether it is in the queue."""

    resumed: bool
    approvals: dict[str, tuple[int, bool]] = field(default_factory=dict)

    def knows(self, change: Change) -> bool:
        return change.version <= self.approvals.get(change.approval_id, (0, False))[0]

    def was_in_queue(self, approval_id: str, seen: Seen | None) -> bool:
        """Whether the watcher may have it in its queue; of a time before a break that is not known."""
        if approval_id in self.approvals or not self.resumed:
            return self.approvals.get(approval_id, (0, False))[1]
        return seen is not None and _is_reviewer(seen)


class Watching:
    """Follows approvals on behalf of callers."""

    def __init__(self, approvals: Approvals, reviewing: Reviewing, changes: Changes, feed: Feed) -> None:
        self._approvals, self._reviewing, self._changes, self._feed = approvals, reviewing, changes, feed
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def changed(self, caller: Caller, approval_id: str, known: State) -> Found:
        """The approval once its state is not `known`, or as it is when the time is up. Raises `NotFound`."""
        clock = asyncio.get_running_loop().time
        end = deadline.end(WAIT_SECONDS, SPARE_SECONDS)
        while True:
            with self._feed.change_of(approval_id) as changed:
                found = (await self._seen(caller, approval_id)).found
                left = end - clock()
                if found.state is not known or left <= 0:
                    return found
                raise_if_cancelled()
                await asyncio.wait({changed}, timeout=min(left, _seconds_left(found)))

    async def queue(self, caller: Caller, resume_token: str) -> AsyncGenerator[News, None]:
        """The queue as it is, or what changed behind `resume_token`; then that this was all; then what changes.

        Raises `ResumeTokenTooOld`, `Overloaded`.
        """
        told = _Told(resumed=bool(resume_token))
        with self._feed.backlog() as backlog:
            if resume_token:
                missed, reached = await self._changes.since(_position(resume_token))
                for change in missed:
                    if (news := await self._news(caller, change, told, change.position)) is not None:
                        yield news
            else:
                reached = await self._changes.position()
                async for found in self._pending(caller):
                    told.approvals[found.approval.id] = (found.approval.version, True)
                    yield News(found.approval.id, found, may_review=True, resume_token="")
            yield News("", None, may_review=False, resume_token=_token(reached))
            while True:
                raise_if_cancelled()
                change = await backlog.take()
                reached = max(reached, change.position)
                if (news := await self._news(caller, change, told, reached)) is not None:
                    yield news

    async def _news(self, caller: Caller, change: Change, told: _Told, reached: int) -> News | None:
        """What the change means to the watcher; None where it means nothing or is none of its business."""
        if told.knows(change):
            return None
        approval_id = change.approval_id
        try:
            seen = await self._seen(caller, approval_id)
        except NotFound:
            seen = None
        if seen is not None and seen.found.approval.version < change.version:
            raise StoreUnavailable("MongoDB answers with what was before; go on behind the last resume_token")
        may_review = seen is not None and not seen.obstacle
        if not may_review and not told.was_in_queue(approval_id, seen):
            return None
        version = seen.found.approval.version if seen else change.version
        told.approvals[approval_id] = (version, may_review)
        return News(approval_id, seen.found if seen else None, may_review, _token(reached))

    async def _seen(self, caller: Caller, approval_id: str) -> Seen:
        async with self._at_once:
            return await self._reviewing.seen_by(caller, approval_id)

    async def _pending(self, caller: Caller) -> AsyncIterator[Found]:
        """Everything that the caller may review now, newest first."""
        page = await self._approvals.in_state(State.PENDING, "", _PAGE)
        while page:
            async with self._at_once:
                queue = await self._reviewing.queue(caller, page)
            for found in queue:
                yield found
            page = await self._approvals.in_state(State.PENDING, page[-1].approval.id, _PAGE)


def _seconds_left(found: Found) -> float:
    """Until the state ends by itself, by MongoDB's clock; for ever where it does not."""
    expires_at = found.approval.expires_at
    if expires_at is None or found.state is not found.approval.state:
        return math.inf
    return (expires_at - found.now).total_seconds()


def _is_reviewer(seen: Seen) -> bool:
    """Whether the caller could review it, were it still open to the caller."""
    people = {seen.eligibility.identity, seen.eligibility.person}
    return bool(seen.eligibility.fits) and people.isdisjoint({*seen.found.approval.principals, *seen.answer.principals})


def _token(position: int) -> str:
    return f"{position:016x}"


def _position(token: str) -> int:
    if len(token) != len(_token(0)) or not set(token) <= set("0123456789abcdef"):
        raise ResumeTokenTooOld("this resume_token is none of this server; begin again without one")
    return int(token, 16)

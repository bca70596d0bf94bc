"""However many watch: a change is read once, and the policy is asked once for each caller; eight watches for each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from pdp.approval import (
    ApprovalAt,
    State,
)
from pdp.caller import Caller
from pdp.errors import Overloaded
from pdp.quorum import (
    Eligibility,
    PolicyReview,
)
from pdp.store.changes import Change
from pdp.turns import Turns
from pdp.workflow.feed import Feed
from pdp.workflow.lineage_views import OFF
from pdp.workflow.reviewable import ApprovalView, Read
from pdp.workflow.watching import MAX_WATCHES, Update, Watching
from tests.pdp.specimens import T0, approval

CHANGES = 5


@dataclass
class Parts:
    """The approvals and the policy, which count; and MongoDB's changes."""

    reads: list[str] = field(default_factory=list)
    questions: list[tuple[str, str]] = field(default_factory=list)

    async def position(self) -> int:
        return 1

    async def read(self, approval_id: str) -> Read:
        self.reads.append(approval_id)
        await asyncio.sleep(0)
        held = replace(approval(State.PENDING), id=approval_id, version=2)
        return Read(ApprovalAt(held, T0), ())

    async def seen(self, caller: Caller, read: Read) -> ApprovalView:
        self.questions.append((caller.identity, read.held.approval.id))
        await asyncio.sleep(0)
        fits = Eligibility(caller.identity, caller.identity, (0,))
        return ApprovalView(read.held, PolicyReview((fits,), frozenset(), "r1"), caller, OFF)


def caller(name: str) -> Caller:
    return Caller(f"user:{name}", "person", frozenset(), (), b"{}")


@asynccontextmanager
async def following(watching: Watching, name: str, told: list[Update]) -> AsyncIterator[None]:
    tell = told.append

    async def follow() -> None:
        async with aclosing(watching.queue(caller(name), "", changes_only=True)) as updates:
            async for update in updates:
                tell(update)

    task = asyncio.create_task(follow())
    yield
    task.cancel()
    await asyncio.wait({task})


async def test_a_change_is_read_once_and_asked_about_once_for_each_caller() -> None:
    parts = Parts()
    one = cast("Any", parts)
    feed = Feed(one)
    watching, told = Watching(one, one, one, feed, Turns()), list[Update]()
    names = ["bob"] * MAX_WATCHES + ["carol"] * MAX_WATCHES
    followers = [following(watching, name, told) for name in names]
    for follower in followers:
        await follower.__aenter__()
    while len(told) < len(names):
        await asyncio.sleep(0)
    for number in range(CHANGES):
        feed._distribute(Change(f"apr_{number}", 2, number + 2))
    async with asyncio.timeout(10):
        while len(told) < len(names) * (CHANGES + 1):
            await asyncio.sleep(0)
    assert sorted(parts.reads) == [f"apr_{number}" for number in range(CHANGES)]
    assert sorted(parts.questions) == [
        (f"user:{name}", f"apr_{number}") for name in ("bob", "carol") for number in range(CHANGES)
    ]
    with pytest.raises(Overloaded):
        await anext(watching.queue(caller("bob"), "", changes_only=True))
    for follower in followers:
        await follower.__aexit__(None, None, None)
    assert not watching._watches._held

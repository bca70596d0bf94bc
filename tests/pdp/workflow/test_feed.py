"""The feed of a process: who follows it misses nothing, costs little, and is forgotten when it goes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any

import pytest

from pdp.background import background
from pdp.errors import Overloaded, ResumeTokenTooOld, ServerStops
from pdp.process.mongod import MongodProcess
from pdp.store.changes import Change, Changes
from pdp.store.database import Database
from pdp.workflow.feed import MAX_BACKLOG, Backlog, Feed
from tests.faults import eventually, failing


@asynccontextmanager
async def fed(database: Database) -> AsyncIterator[Feed]:
    feed = Feed(Changes(database))
    await feed.begin()
    with feed.change_of("") as opened:
        async with running(feed):
            await opened
            yield feed


@asynccontextmanager
async def running(feed: Feed) -> AsyncIterator[None]:
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with background(feed.run(), failed):
        yield
    assert not failed.done()


async def step(database: Database, *names: str) -> None:
    """As far as the feed looks at it, a step of each of these approvals."""
    for name in names:
        await database.database["approvals"].update_one({"_id": name}, {"$inc": {"version": 1}}, upsert=True)


async def emptied(database: Database, name: str) -> None:
    await database.database["approvals"].update_one({"_id": name}, {"$set": {"outbox": []}})


async def taken(backlog: Backlog, count: int) -> list[tuple[str, int]]:
    async with asyncio.timeout(10):
        return [(change.approval_id, change.version) for change in [await backlog.take() for _ in range(count)]]


def followers(feed: Feed) -> int:
    """How many wait or watch."""
    return sum(map(len, feed._waiters.values())) + len(feed._backlogs)


async def test_change_is_seen_once_and_not_the_emptied_outbox(database: Database) -> None:
    async with fed(database) as feed:
        with feed.backlog() as backlog, feed.change_of("a") as changed, feed.change_of("b") as other:
            await step(database, "a")
            await emptied(database, "a")
            await step(database, "c")
            assert await taken(backlog, 2) == [("a", 1), ("c", 1)]
            assert changed.done()
            assert not other.done()
            assert followers(feed) == 4
        assert followers(feed) == 1


async def test_what_happened_before_the_stream_ran_is_not_missed(database: Database) -> None:
    feed = Feed(Changes(database))
    await feed.begin()
    with feed.backlog() as backlog:
        await step(database, "a")
        async with running(feed):
            assert await taken(backlog, 1) == [("a", 1)]


async def test_slow_watcher_gets_the_last_change_of_each_approval_and_no_more_than_fit() -> None:
    backlog = Backlog()
    for version, name in enumerate("abacab", 1):
        backlog.add(Change(name, version, version))
    assert await taken(backlog, 3) == [("c", 4), ("a", 5), ("b", 6)]
    for number in range(MAX_BACKLOG + 1):
        backlog.add(Change(f"{number}", 1, number))
    with pytest.raises(Overloaded):
        await backlog.take()


@pytest.mark.parametrize("fault", [{"errorCode": 6}, {"errorCode": 13}, {"errorCode": 43}, {"closeConnection": True}])
async def test_stream_that_breaks_is_opened_again_and_loses_nothing(
    database: Database, mongod: MongodProcess, fault: dict[str, Any]
) -> None:
    async with fed(database) as feed:
        with feed.backlog() as backlog:
            await step(database, "a")
            assert await taken(backlog, 1) == [("a", 1)]
            with feed.change_of("b") as looks_again:
                async with broken(mongod, database, mode={"times": 4}, **fault):
                    await step(database, "c", "d")
                    assert await taken(backlog, 2) == [("c", 1), ("d", 1)]
                    await asyncio.wait({looks_again}, timeout=5)
                assert looks_again.done()


async def test_stream_that_mongodb_cannot_continue_begins_again_and_watchers_hear_so(
    database: Database, mongod: MongodProcess
) -> None:
    async with fed(database) as feed:
        with feed.backlog() as backlog, feed.change_of("a") as looks_again:
            async with broken(mongod, database, errorCode=286, mode={"times": 2}):
                with pytest.raises(ResumeTokenTooOld):
                    await taken(backlog, 1)
            await asyncio.wait({looks_again}, timeout=5)
            assert looks_again.done()
        with feed.backlog() as backlog:
            await step(database, "b")
            assert await taken(backlog, 1) == [("b", 1)]


async def test_broken_stream_is_no_busy_loop(database: Database, mongod: MongodProcess) -> None:
    changes, opened = Changes(database), 0
    feed = Feed(changes)
    await feed.begin()

    async def follow() -> AsyncIterator[Change | None]:
        nonlocal opened
        opened += 1
        async with aclosing(Changes.follow(changes)) as found:
            async for change in found:
                yield change

    changes.follow = follow  # type: ignore[method-assign,assignment]  # counts
    async with broken(mongod, database, errorCode=13), running(feed):
        until = time.monotonic() + 2

        async def over() -> bool:
            return time.monotonic() > until

        await eventually(over)
    assert 1 < opened < 8


async def test_end_lets_everybody_go_and_nobody_in(database: Database) -> None:
    async with fed(database) as feed:
        with feed.backlog() as backlog, feed.change_of("a") as changed:
            feed.end()
            assert changed.done()
            with pytest.raises(ServerStops):
                await backlog.take()
        for follow in (feed.backlog, lambda: feed.change_of("a")):
            with pytest.raises(ServerStops), follow():
                pass


def broken(mongod: MongodProcess, database: Database, **fault: Any) -> AbstractAsyncContextManager[None]:
    name = f"{database.database.name}.approvals"
    return failing(mongod.uri, name, failCommands=["getMore", "aggregate"], **fault)


async def test_waiter_that_goes_is_forgotten(database: Database) -> None:
    async with fed(database) as feed:

        async def wait() -> None:
            with feed.change_of("a") as changed:
                await changed

        tasks = [asyncio.create_task(wait()) for _ in range(100)]

        async def all_wait() -> bool:
            return followers(feed) == 101

        await eventually(all_wait)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert followers(feed) == 1

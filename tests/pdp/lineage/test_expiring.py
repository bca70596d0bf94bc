"""What was declassified for a while carries its tag again by itself, on every process alike."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from pdp.background import background
from pdp.lineage.expiring import EARLY_MS, Expiring
from pdp.lineage.fact import Classified, Clock, Dataset, Declassified, Edge, Event, Output, Tagged, Tagging
from pdp.lineage.graph import Graph
from pdp.lineage.views import Views
from pdp.lineage_errors import LineageStale
from pdp.lineage_settings import LineageSettings
from pdp.store.database import Database
from tests.faults import eventually
from tests.pdp.lineage_log import Follower, follower, lineage_writer

CRM, LIST = Dataset("pg", "crm"), Dataset("pg", "list")
KNOWN: Any = {
    "load": lambda dumped: Graph() if dumped is None else Graph.load(dumped),
    "views": partial(Views, settings=LineageSettings()),
}


def facts(until: int) -> list[Any]:
    at = now() - 10_000
    output = Output(LIST, ["k"], ["k"], [Edge("k", CRM, "k")])
    return [
        Tagged(by="user:bob", at=at, tagging=Tagging(CRM, "k", "pii")),
        Classified(by="user:bob", at=at, dataset=LIST, columns={"k": []}),
        Event(by="workload:etl", at=at, event="00", outputs=[output]),
        Declassified(by="user:bob", at=at, dataset=LIST, column="k", tag="pii", edges=[(CRM, "k")], until=until),
    ]


def now() -> int:
    return time.time_ns() // 1_000_000


def tags(found: Follower) -> list[str]:
    return list(found.following.views.view("table", "list", found.following.revision).tags)


@asynccontextmanager
async def expiring(found: Follower, writing: Any) -> AsyncIterator[None]:
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with background(Expiring(found.following, writing).run(), failed):
        yield
    assert not failed.done()


async def test_tag_comes_back_by_itself_on_all_processes_and_nothing_is_decided_while_it_should(
    database: Database,
) -> None:
    async with (
        lineage_writer(database) as writing,
        follower(database, **KNOWN) as one,
        follower(database, **KNOWN) as other,
    ):
        n = await writing.write(facts(now() - 1))
        await asyncio.gather(one.has(n), other.has(n))
        assert (tags(one), tags(other)) == ([], [])
        for found in (one, other):
            with pytest.raises(LineageStale, match="come back"):
                found.following.require_fresh()
        async with expiring(one, writing):
            await asyncio.gather(one.has(n + 1), other.has(n + 1))
        assert (tags(one), tags(other)) == (["pii"], ["pii"])
        assert one.following.revision == other.following.revision
        other.following.require_fresh()


async def test_it_is_written_a_little_early_once_and_not_long_before(database: Database) -> None:
    async with lineage_writer(database) as writing, follower(database, **KNOWN) as found:
        soon, late = now() + EARLY_MS - 500, now() + 3_600_000
        n = await writing.write([*facts(late), *facts(soon)])
        await found.has(n)
        assert found.following.expires == soon
        async with expiring(found, writing):
            await found.has(n + 1)

            async def is_next() -> bool:
                return found.following.expires == late

            await eventually(is_next)
        found.following.require_fresh()
        assert found.following.revision.n == n + 1


async def test_server_that_cannot_write_it_decides_nothing_about_data(database: Database) -> None:
    class Away:
        async def write(self, _: Any) -> int:
            raise LineageStale("it cannot write")

    async with lineage_writer(database) as writing, follower(database, **KNOWN) as found:
        n = await writing.write(facts(now() - 1))
        await found.has(n)
        async with expiring(found, Away()):
            with pytest.raises(LineageStale, match="come back"):
                found.following.require_fresh()
            n = await writing.write([Clock(by="placet", at=now())])
            await found.has(n)
            found.following.require_fresh()
        assert tags(found) == ["pii"]

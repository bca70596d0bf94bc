"""What was known at a revision."""

import asyncio

import pytest

from pdp.lineage.graph import Graph
from pdp.lineage.past import At
from pdp.lineage_errors import LineageStale, RevisionUnknown
from pdp.store.database import Database
from tests.pdp.lineage_known import CRM, REPORT, STAGE, derived, known, tagged


async def test_each_revision_gives_the_bytes_that_it_gave_then(database: Database) -> None:
    async with known(database) as log:
        past, then = log.past(), list[bytes]()
        for fact in (
            derived(1, CRM, STAGE, ("email", "mail")),
            tagged(),
            derived(2, STAGE, REPORT, ("mail", "m")),
            tagged(STAGE, "", "internal"),
        ):
            await log.write([fact])
            then.append(log.views.view("file", "reports/weekly", log.revision).json)
        assert len(set(then)) == 4
        for n in (3, 1, 4, 2, 0):
            at = await past.at(n)
            view = at.views.view("file", "reports/weekly", at.revision)
            assert view.json == then[n - 1]


async def test_revision_that_is_not_there_yet_is_named_with_the_newest(database: Database) -> None:
    async with known(database) as log:
        past = log.past()
        assert await past.at(0) == At(log.graph, log.views, log.revision)
        await log.write([tagged()])
        with pytest.raises(RevisionUnknown, match="newest revision of lineage is 1"):
            await past.at(2)


async def test_log_that_was_changed_is_not_read(database: Database) -> None:
    async with known(database) as log:
        await log.write([tagged()])
        await log.write([tagged(tag="secret")])
        await database.database["lineage_log"].update_one({"_id": 1}, {"$set": {"entries": []}})
        with pytest.raises(LineageStale):
            await log.past().at(1)


async def test_call_that_is_over_leaves_its_graph_to_who_asks_again(database: Database) -> None:
    loads = 0

    async with known(database) as log:
        for number in range(3):
            await log.write([derived(number, CRM, STAGE, ("email", f"mail{number}"))])
        past = log.past()

        def load(_: bytes | None) -> Graph:
            nonlocal loads
            loads += 1
            return Graph()

        past._load = load
        asked = asyncio.create_task(past.at(2))
        while not loads:
            await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        again, other = await asyncio.gather(past.at(2), past.at(1))
        assert (again.revision.n, other.revision.n, loads) == (2, 1, 2)

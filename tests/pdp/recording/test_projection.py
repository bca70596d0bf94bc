"""A long backlog is projected in steps that keep their place."""

import pytest

from pdp.errors import StoreUnavailable
from pdp.keys import signing
from pdp.process.mongod import MongodProcess
from pdp.recording import projection
from pdp.recording.projection import MAX_WAITING, Projection
from pdp.store.batches import Batches, ids_of
from pdp.store.database import Database
from pdp.store.records import Records
from pdp.store.writers import Writers
from pdp.v1.audit_pb2 import Batch
from tests.faults import failing
from tests.pdp.chain import KEY
from tests.pdp.scribe import Scribe
from tests.pdp.specimens import records

SCRIBE, GONE = Scribe(signing(KEY)), b"g" * 16
STEP = projection._READ_AT_ONCE


class Backlog:
    """Batches of one record each of a writer that is gone, and the parts that project them."""

    def __init__(self, database: Database) -> None:
        self.database, self.batches = database, Batches(database)
        self.records, self.writers = Records(database), Writers(database)
        self.made: list[Batch] = []

    async def grow(self, count: int) -> None:
        for _ in range(count):
            entries = records()
            last = self.made[-1:]
            self.made.append(SCRIBE.behind(last[0], *entries) if last else SCRIBE.first(*entries, writer=GONE))
            assert await self.batches.insert(self.made[-1], ids_of(entries))
        await self.writers.beat(GONE)
        await self.writers.close(GONE)

    def projection(self) -> Projection:
        """That of a process that has just begun."""
        return Projection(self.batches, self.records, self.writers)

    async def projected(self) -> int:
        [found] = await self.writers.closed()
        return found.projected

    async def listed(self) -> int:
        return await self.database.database["records"].count_documents({})


@pytest.fixture
async def backlog(database: Database) -> Backlog:
    return Backlog(database)


async def test_sweep_takes_some_steps_and_the_next_goes_on_behind_them(
    backlog: Backlog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "STEPS", 2)
    await backlog.grow(2 * STEP + STEP // 2)
    assert not await backlog.projection().complete(GONE, -1)
    assert (await backlog.projected(), await backlog.listed()) == (2 * STEP - 1, 2 * STEP)
    assert await backlog.projection().complete(GONE, await backlog.projected())
    assert await backlog.listed() == len(backlog.made)


async def test_step_that_fails_loses_no_step_before_it(backlog: Backlog, mongod: MongodProcess) -> None:
    await backlog.grow(STEP + 1)
    name = f"{backlog.database.database.name}.records"
    async with failing(mongod.uri, name, mode={"skip": 1}, errorCode=6):
        with pytest.raises(StoreUnavailable):
            await backlog.projection().complete(GONE, -1)
    assert await backlog.projected() == STEP - 1


async def test_what_was_planted_does_not_hold_it_up(backlog: Backlog) -> None:
    await backlog.grow(3)
    await backlog.database.database["batches"].insert_one({"_id": {"writer": GONE, "seq": 2.5}, "records": []})
    assert await backlog.projection().complete(GONE, -1)
    assert await backlog.listed() == 3


async def test_batches_that_had_no_room_are_projected_from_the_log(backlog: Backlog) -> None:
    await backlog.grow(STEP + 2)
    own = backlog.projection()
    for _ in range(MAX_WAITING):
        own.take(backlog.made[0])
    for batch in backlog.made[1:]:
        own.take(batch)
    await own.catch_up()
    assert await backlog.listed() == len(backlog.made)
    assert await backlog.projected() == len(backlog.made) - 1

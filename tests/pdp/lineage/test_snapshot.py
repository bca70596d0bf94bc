"""A start from a snapshot is as good as one from the beginning, and a snapshot counts only if servers wrote it."""

import pytest
from bson.binary import Binary

from pdp.lineage.chain import snapshot_hash
from pdp.lineage.fact import Rules, TagRule
from pdp.store.database import Database
from pdp.store.lineage_snapshots import LineageSnapshots, Snapshot
from tests.pdp.lineage_log import SIGNER, event, follower, lineage_writer, tagged

RULES = Rules(by="placet", at=1, policy_revision="r1", tags={"pii": TagRule(propagate=False)})


async def written(database: Database, count: int) -> None:
    async with lineage_writer(database) as writing:
        await writing.write([RULES])
        for number in range(1, count):
            await writing.write([event(number)])


async def test_start_reads_a_snapshot_and_the_tail(database: Database) -> None:
    await written(database, 12)
    async with follower(database, every=5, reads=False) as first:
        pass
    assert [one.n async for one in LineageSnapshots(database).newest_first()] == [10, 5]
    await database.database["lineage_log"].delete_many({"_id": {"$lt": 10}})
    async with follower(database, every=5, reads=False) as late:
        late.following.require_fresh()
        assert late.facts == first.facts
        assert late.following.rules == RULES
        assert late.following.revision == first.following.revision
        assert late.following.graph.dump() == first.following.graph.dump()


async def test_two_processes_store_one_snapshot(database: Database) -> None:
    await written(database, 5)
    async with follower(database, every=5, reads=False), follower(database, every=5, reads=False):
        pass
    [snapshot] = [one async for one in LineageSnapshots(database).newest_first()]
    assert snapshot.n == 5


@pytest.mark.parametrize("change", ["signature", "bytes", "head", "number", "text"])
async def test_snapshot_that_was_changed_is_refused_with_an_alarm_and_the_log_is_read(
    database: Database, change: str
) -> None:
    await written(database, 7)
    async with follower(database, every=5, reads=False):
        pass
    snapshots = database.database["lineage_snapshots"]
    match change:
        case "signature":
            await snapshots.update_one({}, {"$set": {"signature": Binary(bytes(64))}})
        case "bytes":
            await database.database["lineage_snapshot_parts"].update_one({}, {"$set": {"data": Binary(bytes(8))}})
        case "head":
            await snapshots.update_one({}, {"$set": {"head": Binary(bytes(32))}})
        case "number":
            [found] = await snapshots.find().to_list()
            await snapshots.insert_one(found | {"_id": 6})
        case _:
            await snapshots.insert_one({"_id": 6, "head": "x"})
    async with follower(database, every=100, reads=False) as late:
        late.following.require_fresh()
        assert [fact for fact in late.facts if fact == event(6)]
        assert len(late.facts) == 7
        assert late.alarms == (
            [] if change == "text" else [f"snapshot {6 if change == 'number' else 5} cannot be used (Broken)"]
        )


async def test_snapshot_with_the_signature_of_another_number_loses_no_tag(database: Database) -> None:
    async with lineage_writer(database) as writing:
        await writing.write([tagged()])
    async with follower(database, reads=False) as found:
        place = found.following.place
    hashed = snapshot_hash(place.head, bytes(8))
    forged = Snapshot(place.n, place.head, hashed, 8, SIGNER.sign(place.n + 1, hashed))
    await LineageSnapshots(database).keep(forged, bytes(8))
    async with follower(database, reads=False) as late:
        assert late.facts == [tagged()]
        assert late.alarms == ["snapshot 1 cannot be used (Broken)"]

"""Snapshots of lineage lie in parts, and what is there already stays."""

from bson.binary import Binary

from pdp.store.database import Database
from pdp.store.lineage_snapshots import PART_BYTES, LineageSnapshots, Snapshot


def snapshot(n: int, size: int, fill: bytes = b"1") -> Snapshot:
    return Snapshot(n, fill * 32, fill * 32, size, b"signature")


async def test_bytes_of_several_parts_are_read_back(database: Database) -> None:
    store, data = LineageSnapshots(database), bytes(range(256)) * (PART_BYTES // 256) + b"the rest"
    kept = snapshot(10, len(data))
    assert not await store.has(10)
    await store.keep(kept, data)
    await store.keep(kept, data)
    assert await store.has(10)
    [found] = [one async for one in store.newest_first()]
    assert found == kept
    assert await store.data(found) == data


async def test_first_one_of_a_number_stays_and_what_has_no_form_is_left_out(database: Database) -> None:
    store = LineageSnapshots(database)
    await store.keep(snapshot(1, 1), b"a")
    await store.keep(snapshot(1, 1, b"2"), b"b")
    for planted in ({"_id": 9}, {"_id": -1, "head": Binary(b"")}, {"_id": "x", "size": "x"}):
        await database.database["lineage_snapshots"].insert_one(dict(planted))
    [found] = [one async for one in store.newest_first()]
    assert await store.data(found) == b"a"
    assert await store.data(snapshot(3, 2**62, b"3")) == b""

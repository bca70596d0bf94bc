"""Batches are inserted once and never changed; the same again is found to be there."""

from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pdp.audit.record import Entry
from pdp.process.mongod import MongodProcess
from pdp.store.batches import Batches, Posted, ids_of
from pdp.store.database import Database
from pdp.v1.audit_pb2 import Batch
from tests.pdp.chain import stored
from tests.pdp.scribe import Scribe
from tests.pdp.specimens import records

SCRIBE = Scribe(Ed25519PrivateKey.generate())
ONE, OTHER = b"1" * 16, b"2" * 16


async def chained(store: Batches, writer: bytes, count: int) -> list[Batch]:
    """So many batches of a writer, inserted."""
    made: list[Batch] = []
    for _ in range(count):
        entries = records(2)
        made.append(SCRIBE.behind(made[-1], *entries) if made else SCRIBE.first(*entries, writer=writer))
        assert await store.insert(made[-1], ids_of(entries))
    return made


def another(batch: Batch, entries: Sequence[Entry]) -> Batch:
    """Another batch for the same place."""
    return SCRIBE.batch(entries, batch.writer, batch.seq, batch.prev)


async def test_batch_is_read_back_byte_for_byte(database: Database) -> None:
    store = Batches(database)
    [batch] = await chained(store, ONE, 1)
    assert await store.at(ONE, 0) == batch
    assert await store.at(ONE, 1) is None
    assert await store.at(OTHER, 0) is None


async def test_same_batch_again_is_there_and_another_in_its_place_is_refused(database: Database) -> None:
    store = Batches(database)
    [batch] = await chained(store, ONE, 1)
    assert await store.insert(batch, [])
    entries = records()
    assert not await store.insert(another(batch, entries), ids_of(entries))
    assert await stored(database) == [batch]


async def test_writers_are_read_one_after_the_other_each_in_its_order(database: Database) -> None:
    store = Batches(database)
    other, one = await chained(store, OTHER, 3), await chained(store, ONE, 3)
    assert await stored(database) == [*one, *other]
    assert await store.last(ONE) == one[-1]
    assert await store.last(b"3" * 16) is None


async def test_what_is_behind_a_place_comes_oldest_first_and_no_more_than_asked_for(database: Database) -> None:
    store = Batches(database)
    made = await chained(store, ONE, 4)
    await chained(store, OTHER, 1)
    assert await store.after(ONE, -1, 2) == made[:2]
    assert await store.after(ONE, 1, 10) == made[2:]
    assert await store.after(ONE, 3, 10) == []


async def test_record_is_found_by_its_uuid(database: Database) -> None:
    store = Batches(database)
    made = await chained(store, ONE, 2)
    for batch in made:
        for record in batch.records:
            uuid = bytes.fromhex(record.split(b'"id":"rec_')[1][:32].decode())
            assert await store.holding(uuid) == batch
    assert await store.holding(bytes(16)) is None


@pytest.mark.parametrize("erased", [{"salt": None, "payload": None}, {}, None], ids=["null", "empty", "no document"])
async def test_erased_payload_is_empty_and_the_rest_stays(database: Database, erased: Any) -> None:
    store = Batches(database)
    [batch] = await chained(store, ONE, 1)
    wiped = [erased for _ in batch.records]
    await database.database["batches"].update_one({}, {"$set": {"payloads": wiped}})
    found = await store.at(ONE, 0)
    assert found is not None
    assert (found.records, found.head, found.leaves) == (batch.records, batch.head, batch.leaves)
    assert [(one.salt, one.payload) for one in found.payloads] == [(b"", b"")] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"_id": 7},
        {"_id": {"writer": "x", "seq": -1}},
        {"_id": {"writer": b"w" * 16, "seq": "x"}, "head": 7, "records": [7, None], "payloads": ["x", {"salt": 1}]},
        {"_id": {}, "records": "x", "payloads": 7, "leaves": None, "signature": [], "prev": {}},
    ],
)
async def test_batch_of_another_form_is_read_and_stops_no_reader(database: Database, changes: dict[str, Any]) -> None:
    """Somebody planted it. Who verifies the log finds that it is not as it was signed."""
    await database.database["batches"].insert_one(changes)
    [found] = await stored(database)
    assert (found.head, found.seq, any(found.records)) == (b"", 0, False)


async def test_what_another_batch_posted_is_refused_by_name_and_the_same_batch_again_is_there(
    database: Database,
) -> None:
    store, [shared, one, other] = Batches(database), records(3)
    [uuid] = ids_of([shared])
    batch, second = SCRIBE.first(shared, one, writer=ONE), SCRIBE.first(shared, other, writer=OTHER)
    assert await store.insert(batch, ids_of([shared, one]), [uuid])
    assert await store.insert(batch, ids_of([shared, one]), [uuid])
    with pytest.raises(Posted) as refused:
        await store.insert(second, ids_of([shared, other]), [uuid])
    assert (refused.value.ids, refused.value.records) == ({uuid}, {shared.record, one.record})
    assert await stored(database) == [batch]


async def test_log_of_an_older_version_gets_the_index_although_it_has_records_twice(
    database: Database, mongod: MongodProcess
) -> None:
    collection, [shared] = database.database["batches"], records()
    await collection.drop_index("posted_once")
    store = Batches(database)
    for writer in (ONE, OTHER):
        assert await store.insert(SCRIBE.first(shared, writer=writer), ids_of([shared]))
    again = await Database.open(mongod.uri, database.database.name)
    await again.close()
    assert (await collection.index_information())["posted_once"]["unique"]

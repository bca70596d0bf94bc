"""The log of lineage in MongoDB: a number is taken once, and what a document has seen no other one has."""

import asyncio
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

import pytest

from pdp.errors import StoreUnavailable
from pdp.store.database import Database
from pdp.store.indexes import make_indexes
from pdp.store.lineage import LineageLog, Logged, Seen
from tests.faults import stopped
from tests.replica import replicas

ONE, OTHER = b"1" * 32, b"2" * 32


def logged(n: int, *seen: bytes, head: bytes = ONE) -> Logged:
    return Logged(n, [b"{}"], head, b"signature", list(seen))


async def test_document_is_read_back_and_the_same_again_is_there(database: Database) -> None:
    log, document = LineageLog(database), logged(1, ONE)
    assert await log.insert(document)
    assert await log.insert(document)
    assert await log.at(1) == document
    assert await log.at(2) is None


async def test_number_is_taken_once(database: Database) -> None:
    log = LineageLog(database)
    made = [logged(1, head=bytes([number]) * 32) for number in range(8)]
    taken = await asyncio.gather(*(log.insert(one) for one in made))
    assert sum(taken) == 1
    assert await log.at(1) == made[taken.index(True)]


async def test_what_another_document_has_seen_keeps_a_document_out(database: Database) -> None:
    log = LineageLog(database)
    first = logged(1, ONE, OTHER)
    await log.insert(first)
    with pytest.raises(Seen) as refused:
        await log.insert(logged(2, b"3" * 32, OTHER))
    assert refused.value.claims == {OTHER: first}
    assert await log.at(2) is None
    assert await log.insert(logged(2))
    assert await log.insert(logged(3))  # none that has seen nothing stands in another's way


async def test_what_is_behind_a_number_comes_in_order_and_no_more_than_asked_for(database: Database) -> None:
    log = LineageLog(database)
    assert await log.newest() == (0, b"")
    for n in (1, 2, 3):
        await log.insert(logged(n, head=bytes([n]) * 32))
    assert [one.n for one in await log.after(0, 2)] == [1, 2]
    assert [one.n for one in await log.after(2, 10)] == [3]
    assert await log.newest() == (3, bytes([3]) * 32)


async def test_what_is_no_document_of_ours_is_read_as_one_that_nothing_fits(database: Database) -> None:
    collection, log = database.database["lineage_log"], LineageLog(database)
    await collection.insert_one({"_id": 1, "entries": "x", "head": 7, "signature": None, "seen": [1]})
    await collection.insert_one({"_id": 2.5, "entries": [1, b"a"]})
    assert await log.after(0, 10) == [Logged(1, [], b"", b"", [b""]), Logged(0, [b"", b"a"], b"", b"", [])]


async def test_stream_tells_of_new_documents_and_of_every_other_change_with_its_number(database: Database) -> None:
    log, collection = LineageLog(database), database.database["lineage_log"]
    async with aclosing(log.follow()) as changes:
        assert await anext(changes) is None
        await log.insert(logged(4))
        assert await anext(changes) is None
        await collection.update_one({"_id": 4}, {"$set": {"x": 1}})
        assert await anext(changes) == 4
        await collection.delete_one({"_id": 4})
        assert await anext(changes) == 4
        await collection.drop()
        assert await anext(changes) == 0
    await make_indexes(database.database)  # the next test has them again


async def test_primary_that_the_others_left_confirms_nothing(tmp_path: Path) -> None:
    async with replicas(tmp_path) as three, AsyncExitStack() as stack:
        database = await Database.open(three.uri, "confirmed")
        stack.push_async_callback(database.close)
        log = LineageLog(database)
        assert await log.insert(logged(1))
        assert (await log.newest())[0] == 1
        primary = await three.primary()
        for member in three.members:
            if member is not primary and member.process:
                await stack.enter_async_context(stopped(member.process.pid))
        with pytest.raises(StoreUnavailable):
            await log.newest()

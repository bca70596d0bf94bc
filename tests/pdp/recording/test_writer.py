"""Group commit into a chain that nobody else continues."""

import asyncio
from datetime import timedelta

import pytest
from bson.binary import Binary

from pdp.audit.batch import MAX_BYTES
from pdp.audit.record import Kind, entry
from pdp.errors import Overloaded, StoreUnavailable
from pdp.process.mongod import MongodProcess
from pdp.recording.writer import MANY_PACE_SECONDS, MAX_QUEUED, STUCK_SECONDS, Writer
from pdp.store.batches import Batches, uuid_of
from pdp.store.database import Database
from pdp.store.writers import Writers
from pdp.v1.audit_pb2 import Batch
from tests.faults import failing
from tests.parts import payload
from tests.pdp.chain import KEY, chain, writing
from tests.pdp.specimens import records


def kinds(batch: Batch) -> list[str]:
    return [payload(record)["kind"] for record in batch.records]


async def test_entries_are_durable_in_their_order_when_append_returns(database: Database) -> None:
    async with writing(database) as writer:
        first, second = records(3), records(2)
        await writer.append(first)
        await writer.append(second)
        written = [record for batch in await chain(database) for record in batch.records]
        assert written == [entry.record for entry in (*first, *second)]


async def test_calls_in_flight_together_share_a_batch_and_a_lone_one_does_not_wait(database: Database) -> None:
    async with writing(database) as writer:
        await writer.append(records())
        with writer.admitted(20):
            await asyncio.gather(*(writer.append(records()) for _ in range(20)))
        found = await chain(database)
        assert sum(len(batch.records) for batch in found) == 21
        assert len(found) <= 4


async def test_share_of_a_large_crowd_keeps_the_pace_of_many(database: Database) -> None:
    loop = asyncio.get_running_loop()
    async with writing(database) as writer:
        with writer.admitted(64):
            began = loop.time()
            for _ in range(30):
                await writer.append(records(48))  # more than the share of 64, less than `ENOUGH`
    assert loop.time() - began > 29 * MANY_PACE_SECONDS
    assert [len(batch.records) for batch in await chain(database)] == [48] * 30


async def test_what_a_full_batch_leaves_behind_needs_no_further_call(database: Database) -> None:
    large = [[entry(Kind.DECISION, b"x" * (MAX_BYTES // 2))] for _ in range(3)]
    async with writing(database) as writer:
        with writer.admitted(1000):  # many are in flight, so the three alone do not end the pause before an insert
            await writer.append(records())
            await asyncio.gather(*(writer.append(one, 10) for one in large))
        assert [len(batch.records) for batch in await chain(database)] == [1, 1, 1, 1]


async def test_entries_of_one_call_are_not_torn_apart(database: Database) -> None:
    async with writing(database) as writer:
        groups = [records(7) for _ in range(300)]
        await asyncio.gather(*(writer.append(group) for group in groups))
        batches = [list(batch.records) for batch in await chain(database)]
        assert len(batches) >= 3
        for group in groups:
            places = {index for index, batch in enumerate(batches) for entry in group if entry.record in batch}
            assert len(places) == 1


async def test_what_is_larger_than_a_batch_is_durable_as_a_whole_or_not_answered(database: Database) -> None:
    async with writing(database) as writer:
        await writer.append(records(1001))
        assert [len(batch.records) for batch in await chain(database)] == [256, 256, 256, 233]


async def test_writer_is_known_before_its_first_batch_is(database: Database) -> None:
    async with writing(database) as writer:
        await writer.append(records())
        assert await Writers(database).silent(timedelta(0)) == [writer.writer]


async def test_end_is_the_last_of_the_chain(database: Database) -> None:
    async with writing(database) as writer:
        await writer.append(records())
        await writer.close()
        found = await chain(database)
        assert kinds(found[-1]) == [Kind.SERVER_STOPPED, Kind.WRITER_CLOSED]
        assert await Writers(database).silent(timedelta(0)) == []


async def test_what_calls_left_behind_is_written_before_the_end(database: Database) -> None:
    async with writing(database) as writer:
        calls = [asyncio.create_task(writer.append(records(300), caller=f"c{number}")) for number in range(6)]
        await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
        await writer.close()
        found = await chain(database)
        assert sum(len(batch.records) for batch in found) == 6 * 300 + 2
        assert kinds(found[-1])[-2:] == [Kind.SERVER_STOPPED, Kind.WRITER_CLOSED]


async def test_other_writer_is_ended_once_in_its_next_place(database: Database) -> None:
    async with writing(database) as gone, writing(database) as other:
        await gone.append(records())
        assert await other.close_other(gone.writer)
        assert await other.close_other(gone.writer)
        found = [batch for batch in await chain(database) if batch.writer == gone.writer]
        assert [kinds(batch) for batch in found] == [["decision"], [Kind.WRITER_CLOSED]]


async def test_writer_that_never_wrote_can_be_ended(database: Database) -> None:
    async with writing(database) as writer:
        assert await writer.close_other(b"g" * 16)
        assert [kinds(batch) for batch in await chain(database)] == [[Kind.WRITER_CLOSED]]


async def test_writer_that_was_ended_goes_on_as_another_and_loses_nothing(database: Database) -> None:
    async with writing(database) as woken, writing(database) as other:
        await woken.append(records())
        before = woken.writer
        assert await other.close_other(before)
        entries = records(2)
        await woken.append(entries)
        assert woken.writer != before
        found = await chain(database)
        [batch] = [batch for batch in found if batch.writer == woken.writer]
        assert batch.seq == 0
        assert list(batch.records) == [entry.record for entry in entries]


async def test_insert_whose_fate_is_unknown_is_sent_again_as_the_same_document(
    database: Database, mongod: MongodProcess
) -> None:
    name = f"{database.database.name}.batches"
    async with writing(database) as writer, failing(mongod.uri, name, mode={"times": 2}, closeConnection=True):
        entries = records()
        await writer.append(entries, 10)
        assert [list(batch.records) for batch in await chain(database)] == [[entries[0].record]]


async def test_caller_hears_in_time_that_nothing_is_confirmed(database: Database, mongod: MongodProcess) -> None:
    name = f"{database.database.name}.batches"
    async with writing(database) as writer:
        async with failing(mongod.uri, name, errorCode=6):
            with pytest.raises(StoreUnavailable):
                await writer.append(records(), 0.1)
            waits = asyncio.create_task(writer.append(records(), 0.1))
            with pytest.raises(StoreUnavailable):
                await waits
        late = records()
        await writer.append(late, 10)
        written = [record for batch in await chain(database) for record in batch.records]
        assert written[-1] == late[0].record
        assert len(written) == 2  # whoever gave up before anything was sent is not written


async def test_nothing_is_admitted_while_too_much_waits(database: Database) -> None:
    writer = Writer(Batches(database), Writers(database), KEY, "dev")  # it does not run
    waits = asyncio.create_task(writer.append(records(MAX_QUEUED), 60))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded), writer.admitted(1):
        pass
    waits.cancel()
    await asyncio.wait({waits})


async def test_what_a_cancelled_call_has_appended_is_written_all_the_same(database: Database) -> None:
    writer = Writer(Batches(database), Writers(database), KEY, "dev")  # it does not run yet
    entries = records(3)
    call = asyncio.create_task(writer.append(entries))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait({call})
    running = asyncio.create_task(writer.run())
    later = records()
    await writer.append(later)
    running.cancel()
    written = [record for batch in await chain(database) for record in batch.records]
    assert written == [entry.record for entry in [*entries, *later]]


async def test_strangers_record_is_in_the_next_batch_whatever_another_caller_has_waiting(database: Database) -> None:
    writer = Writer(Batches(database), Writers(database), KEY, "dev")  # it does not run yet
    noisy = [asyncio.create_task(writer.append(records(400), 60, caller="noisy")) for _ in range(5)]
    await asyncio.sleep(0)
    entries = records()
    stranger = asyncio.create_task(writer.append(entries, caller="stranger"))
    await asyncio.sleep(0)
    running = asyncio.create_task(writer.run())
    await asyncio.gather(stranger, *noisy)
    running.cancel()
    first, *others = await chain(database)
    assert entries[0].record in list(first.records)
    assert sum(len(batch.records) for batch in (first, *others)) == 2001


async def test_nothing_is_admitted_while_mongodb_has_not_confirmed_for_long(
    database: Database, mongod: MongodProcess
) -> None:
    name = f"{database.database.name}.batches"
    async with writing(database) as writer, failing(mongod.uri, name, errorCode=6):
        with pytest.raises(StoreUnavailable):
            await writer.append(records(), STUCK_SECONDS + 0.1)
        with pytest.raises(StoreUnavailable), writer.admitted(1):
            pass
        with pytest.raises(StoreUnavailable):
            await writer.close()


async def test_what_another_process_posted_is_left_out_and_the_rest_is_written(database: Database) -> None:
    shared, own, later = records(3), records(2), records()
    async with writing(database) as first, writing(database) as second:
        await first.append(shared[:2], posted={one.id for one in shared[:2]})
        await second.append([*shared, *own], posted={one.id for one in shared})
        await second.append(shared, posted={one.id for one in shared})  # nothing of it remains
        await second.append(later)
    written = [bytes(record) for batch in await chain(database) for record in batch.records]
    assert sorted(written) == sorted(one.record for one in (*shared, *own, *later))


async def test_claim_without_its_record_keeps_nothing_out(database: Database) -> None:
    [one] = records()
    forged = {"_id": {"writer": Binary(b"f" * 16), "seq": 0}, "posted": [Binary(uuid_of(one.id))], "records": []}
    await database.database["batches"].insert_one(forged)
    async with writing(database) as writer:
        await writer.append([one], posted={one.id})
    stored = await database.database["batches"].find_one({"records": one.record})
    assert stored is not None
    assert "posted" not in stored

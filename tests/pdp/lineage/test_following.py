"""What is in the log is read by every process, and only what the servers wrote; else the lineage is stale."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pdp.background import background
from pdp.lineage.chain import Place, Signer, next_place
from pdp.lineage.fact import Fact
from pdp.lineage.following import Following
from pdp.lineage.snapshot import Snapshots
from pdp.lineage_errors import LineageStale
from pdp.store.database import Database
from pdp.store.lineage import LineageLog, Logged
from pdp.store.lineage_snapshots import LineageSnapshots
from tests.faults import eventually
from tests.pdp.lineage_log import (
    SIGNER,
    Follower,
    Heap,
    Nothing,
    document,
    event,
    follower,
    lineage_writer,
    plant,
    tagged,
    untagged,
    whole,
)

FORGER = Signer(Ed25519PrivateKey.generate(), "dev")


async def stale(found: Follower) -> bool:
    try:
        found.following.require_fresh()
    except LineageStale:
        return True
    return False


async def is_stale(found: Follower, alarm: str) -> None:
    """It becomes stale, and raises this alarm once."""
    await eventually(lambda: stale(found))

    async def told() -> bool:
        return any(alarm in one for one in found.alarms)

    await eventually(told)
    assert len(found.alarms) == len(set(found.alarms))


async def test_reading_ends_though_the_driver_swallows_the_cancellation(database: Database) -> None:
    reads = asyncio.Event()

    async def alarms(fault: str) -> None:
        raise AssertionError(fault)

    class Swallowing(LineageLog):
        """It reads a cancellation as a broken connection and tries again, as the driver does."""

        async def newest(self) -> tuple[int, bytes]:
            reads.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            return await super().newest()

    snapshots = Snapshots(LineageSnapshots(database), SIGNER)
    log = Swallowing(database)
    following = Following(log, snapshots, SIGNER, alarms, load=Heap, views=Nothing)
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with asyncio.timeout(20), background(following.run(), failed):
        await reads.wait()
    assert not failed.done()


async def test_every_process_reads_what_any_process_writes(database: Database) -> None:
    async with follower(database) as one, follower(database) as other, lineage_writer(database) as writing:
        one.following.require_fresh()
        n = await writing.write([tagged(), event(1)])
        await asyncio.gather(one.has(n), other.has(n))
        assert one.facts == other.facts == [tagged(), event(1)]
        assert one.following.revision == other.following.revision
        assert one.following.revision.n == n
        [last] = await whole(database)
        assert one.following.revision.head == last.head.hex()


async def test_one_that_starts_late_has_all_before_it_is_asked(database: Database) -> None:
    async with lineage_writer(database) as writing:
        for number in range(40):
            await writing.write([event(number)])
    async with follower(database, reads=False) as late:
        late.following.require_fresh()
        assert late.facts == [event(number) for number in range(40)]


async def test_waiting_for_a_revision_ends_with_it_or_at_the_deadline(database: Database) -> None:
    async with follower(database) as found, lineage_writer(database) as writing:
        waiting = asyncio.create_task(found.has(2))
        await writing.write([tagged()])
        assert not waiting.done()
        await writing.write([tagged()])
        await waiting
        with pytest.raises(LineageStale):
            await found.has(3, 0.1)


@pytest.mark.parametrize(
    ("facts", "signer", "before", "told"),
    [
        ([untagged()], FORGER, None, "the signature of number 2 is not of the audit key"),
        ([untagged()], SIGNER, Place(1, bytes(32)), "the entries of number 2 are not those of its head"),
        ([untagged()], SIGNER, Place(4, bytes(32)), "number 2 is missing"),
        ([untagged()], Signer(Ed25519PrivateKey.generate(), "other"), None, "the signature of number 2"),
    ],
    ids=["foreign key", "foreign head", "gap", "foreign realm"],
)
async def test_forged_document_is_refused_with_an_alarm_and_no_tag_is_lost(
    database: Database, facts: Sequence[Fact], signer: Signer, before: Place | None, told: str
) -> None:
    async with follower(database) as found, lineage_writer(database) as writing:
        await found.has(await writing.write([tagged()]))
        await plant(database, document(before or found.following.place, *facts, signer=signer))
        await is_stale(found, told)
        assert found.facts == [tagged()]
        async with follower(database) as late:
            await is_stale(late, told)
            assert late.facts == [tagged()]


async def test_signature_of_one_number_does_not_do_for_another(database: Database) -> None:
    async with follower(database) as found, lineage_writer(database) as writing:
        await writing.write([tagged()])
        await found.has(await writing.write([untagged()]))
        await plant(database, document(found.following.place, untagged()))
        await found.has(3)  # this one is signed
        [_, second, third] = await whole(database)
        copy = document(Place(3, third.head), untagged())
        await plant(database, replace(copy, signature=second.signature))
        await is_stale(found, "the signature of number 4")


async def test_log_that_is_mended_is_read_on(database: Database) -> None:
    async with follower(database) as found, lineage_writer(database) as writing:
        await found.has(await writing.write([tagged()]))
        await plant(database, document(found.following.place, untagged(), signer=FORGER))
        await is_stale(found, "the signature of number 2")
        await database.database["lineage_log"].delete_one({"_id": 2})

        async def fresh() -> bool:
            return not await stale(found)

        await eventually(fresh)
        await found.has(await writing.write([event(1)]))
        assert found.facts == [tagged(), event(1)]


async def test_tail_that_is_cut_is_missed(database: Database) -> None:
    async with follower(database) as found, lineage_writer(database) as writing:
        await writing.write([event(1)])
        await found.has(await writing.write([tagged()]))
        await database.database["lineage_log"].delete_one({"_id": 2})
        await is_stale(found, "is not there any more or was changed")
        assert tagged() in found.facts
        async with lineage_writer(database, place=found.following.verified) as other:
            with pytest.raises(LineageStale):
                await other.write([event(2)])


@pytest.mark.parametrize("restored", ["lineage_log", "everything"])
async def test_older_copy_in_place_of_the_log_is_refused_though_others_write_on(
    database: Database, restored: str
) -> None:
    async with follower(database) as found:
        async with lineage_writer(database) as writing:
            await writing.write([event(1)])
            copy = await database.database["lineage_log"].find().to_list()
            await found.has(await writing.write([tagged()]))
        if restored == "everything":
            await database.database.client.drop_database(database.database.name)
        else:
            await database.database["lineage_log"].drop()
        await database.database["lineage_log"].insert_many(copy)
        await is_stale(found, "what was read, up to number 2, is not there any more or was changed")
        async with lineage_writer(database) as other:
            for number in range(2, 5):
                await other.write([event(number)])
        assert await stale(found)
        assert found.facts == [event(1), tagged()]
        assert len(found.alarms) == len(set(found.alarms))


@pytest.mark.parametrize("change", ["update", "replace", "delete", "drop"])
async def test_change_of_what_was_read_is_noticed(database: Database, change: str) -> None:
    log = database.database["lineage_log"]
    async with follower(database) as found, lineage_writer(database) as writing:
        for number in range(3):
            await found.has(await writing.write([event(number)]))
        match change:
            case "update":
                await log.update_one({"_id": 2}, {"$set": {"entries": []}})
            case "replace":
                await log.replace_one({"_id": 2}, {"entries": []})
            case "delete":
                await log.delete_one({"_id": 2})
            case "drop":
                await log.drop()
        await is_stale(found, "is not there any more or was changed")


async def test_document_that_was_rewritten_stops_a_start(database: Database) -> None:
    async with lineage_writer(database) as writing:
        for fact in (tagged(), untagged(), tagged("other")):
            await writing.write([fact])
    await plant_over(database, 1, untagged())
    async with follower(database) as found:
        await is_stale(found, "the entries of number 1 are not those of its head")
        assert found.facts == []


async def plant_over(database: Database, n: int, fact: Fact) -> None:
    forged = document(Place(n - 1, bytes(32)), fact)
    await database.database["lineage_log"].update_one({"_id": n}, {"$set": {"entries": list(forged.entries)}})


async def test_entry_that_is_not_understood_is_not_passed_over(database: Database) -> None:
    async with follower(database) as found, lineage_writer(database) as writing:
        await found.has(await writing.write([tagged()]))
        entries = [document(Place(), tagged("x")).entries[0].replace(b'"tagged"', b'"future"')]
        place = next_place(found.following.place, entries)
        await plant(database, Logged(place.n, entries, place.head, SIGNER.sign(*place)))
        await is_stale(found, "an entry that this version does not read")


async def test_graph_that_fails_makes_the_lineage_stale_and_the_server_goes_on(database: Database) -> None:
    class Choking(Heap):
        def prepare(self, facts: Sequence[tuple[int, Sequence[Fact]]]) -> list[tuple[int, Fact]]:
            if any(fact == untagged() for _, some in facts for fact in some):
                raise ZeroDivisionError
            return super().prepare(facts)

    alarms: list[str] = []

    async def alarm(fault: str) -> None:
        alarms.append(fault)

    snapshots = Snapshots(LineageSnapshots(database), SIGNER)
    following = Following(LineageLog(database), snapshots, SIGNER, alarm, load=Choking, views=Nothing)
    async with lineage_writer(database) as writing:
        await writing.write([tagged()])
        await writing.write([untagged()])
    await following.start()
    with pytest.raises(LineageStale):
        following.require_fresh()


async def test_what_comes_is_applied_while_the_answer_of_a_majority_is_waited_for(database: Database) -> None:
    answers, asked = asyncio.Event(), asyncio.Event()
    answers.set()

    class Waiting(LineageLog):
        """For a while no majority follows its primary."""

        async def newest(self) -> tuple[int, bytes]:
            asked.set()
            await answers.wait()
            return await super().newest()

    async with follower(database, log=Waiting(database)) as found, lineage_writer(database) as writing:
        answers.clear()
        asked.clear()
        await asked.wait()
        for number in range(3):
            await found.has(await writing.write([event(number)]))
        answers.set()


async def test_nothing_is_fresh_for_long_that_is_not_confirmed(database: Database) -> None:
    async with follower(database, reads=False) as found:
        found.following.require_fresh()
        await eventually(lambda: stale(found))

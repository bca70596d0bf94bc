"""Many facts a document, numbers without a gap among several processes, and each event of a writer once."""

import asyncio

import pytest

from pdp.errors import InvalidRequest, Overloaded, StoreUnavailable
from pdp.lineage.chain import Place
from pdp.lineage.entry import decode
from pdp.lineage.fact import Event, Fact
from pdp.lineage.writing import ENOUGH, MAX_BYTES, MAX_QUEUED, Writing, _key
from pdp.lineage_errors import LineageStale
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from pdp.store.lineage import LineageLog
from tests.faults import failing
from tests.pdp.lineage_log import SIGNER, document, event, lineage_writer, plant, tagged, untagged, whole


async def facts(database: Database) -> list[Fact]:
    return [decode(entry) for one in await whole(database) for entry in one.entries]


def log_of(database: Database) -> str:
    return f"{database.database.name}.lineage_log"


async def test_facts_are_in_the_log_in_their_order_when_they_are_answered(database: Database) -> None:
    async with lineage_writer(database) as writing:
        assert await writing.write([tagged(), untagged()]) == 1
        assert await writing.write([event(1)]) == 2
    assert await facts(database) == [tagged(), untagged(), event(1)]


async def test_what_comes_while_a_document_is_on_its_way_shares_the_next_one(database: Database) -> None:
    async with lineage_writer(database) as writing:
        numbers = await asyncio.gather(*(writing.write([event(number)]) for number in range(ENOUGH + 50)))
    found = await whole(database)
    assert [len(one.entries) for one in found] == [ENOUGH, 50]
    assert [decode(found[n - 1].entries[0]).by for n in numbers]
    assert sorted(numbers) == [1] * ENOUGH + [2] * 50


async def test_resent_event_is_told_the_number_that_it_has(database: Database) -> None:
    async with lineage_writer(database) as writing:
        first = await writing.write([event(1)])
        await writing.write([event(2)])
        assert await writing.write([event(1)]) == first
        assert await asyncio.gather(*(writing.write([event(3)]) for _ in range(5))) == [3] * 5
        assert await writing.write([event(2), event(4), event(1)]) == 4
        assert await writing.write([event(2), event(1)]) == 2
    async with lineage_writer(database) as restarted:
        assert await restarted.write([event(1)]) == first
    assert [fact.event[-1] for fact in await facts(database) if isinstance(fact, Event)] == ["1", "2", "3", "4"]


async def test_same_event_of_another_writer_is_another_fact(database: Database) -> None:
    async with lineage_writer(database) as writing:
        assert await writing.write([event(1)]) == 1
        assert await writing.write([event(1, "demo:other")]) == 2


async def test_what_people_say_may_be_said_again(database: Database) -> None:
    async with lineage_writer(database) as writing:
        await asyncio.gather(*(writing.write([tagged()]) for _ in range(3)))
    assert await facts(database) == [tagged()] * 3


async def test_several_processes_leave_no_gap_and_no_event_twice(database: Database) -> None:
    async with lineage_writer(database) as one, lineage_writer(database) as other, lineage_writer(database) as third:
        writers = (one, other, third)

        async def write(number: int) -> int:
            return await writers[number % 3].write([event(number // 2)])

        numbers = [await asyncio.gather(*map(write, range(start, start + 20))) for start in range(0, 200, 20)]
    found = await facts(database)
    assert sorted(fact.event for fact in found if isinstance(fact, Event)) == sorted(event(n).event for n in range(100))
    flat = [n for some in numbers for n in some]
    assert flat[::2] == flat[1::2]  # each event was written twice


async def test_planted_claim_keeps_no_event_out(database: Database) -> None:
    alarms: list[str] = []
    claimed = document(Place(), tagged(), seen=[_key(event(7))])
    async with lineage_writer(database, alarms) as writing:
        await plant(database, claimed)
        assert await writing.write([event(7), event(8)]) == 2
        assert alarms == ["it claims to have seen an event that it does not hold"]
    assert event(7) in await facts(database)


async def test_claim_of_a_document_that_does_not_verify_counts_for_nothing(database: Database) -> None:
    alarms: list[str] = []
    async with lineage_writer(database, alarms) as writing:
        await writing.write([tagged()])
        forged = document(Place(5, bytes(32)), event(7), seen=[_key(event(7))])
        await plant(database, forged)
        assert await writing.write([event(7)]) == 2
    assert alarms


async def test_nothing_is_added_to_a_log_that_does_not_verify(database: Database) -> None:
    async with lineage_writer(database) as writing:
        await plant(database, document(Place(0, b"x" * 32), tagged()))
        with pytest.raises(LineageStale):
            await writing.write([tagged()])


async def test_nothing_is_added_where_the_reader_says_that_the_log_is_cut(database: Database) -> None:
    def cut() -> Place:
        raise LineageStale("cut")

    async with lineage_writer(database, place=cut) as writing:
        with pytest.raises(LineageStale):
            await writing.write([tagged()])
    assert await whole(database) == []


async def test_document_whose_fate_is_unknown_is_sent_again_and_stands_once(
    database: Database, mongod: MongodProcess
) -> None:
    async with lineage_writer(database) as writing:
        await writing.write([tagged()])
        async with failing(
            mongod.uri,
            log_of(database),
            mode={"times": 2},
            writeConcernError={"code": 64, "errmsg": "waited"},
        ):
            assert await writing.write([event(1), tagged()]) == 2
    assert len(await whole(database)) == 2


async def test_who_waits_too_long_is_refused_and_what_was_not_sent_is_dropped(
    database: Database, mongod: MongodProcess
) -> None:
    async with lineage_writer(database) as writing:
        async with failing(mongod.uri, log_of(database), errorCode=6):
            with pytest.raises(StoreUnavailable):
                await writing.write([event(1)], 0.3)
            with pytest.raises(StoreUnavailable):
                await writing.write([event(2)], 0.1)
        assert await writing.write([event(3)]) == 2
    assert [fact for fact in await facts(database) if fact == event(2)] == []


async def test_too_much_is_refused_before_it_waits(database: Database) -> None:
    async def alarm(_: str) -> None:
        """None is raised."""

    writing = Writing(LineageLog(database), SIGNER, alarm)
    with pytest.raises(InvalidRequest):
        await writing.write([event(1, problems=(("x", "y" * MAX_BYTES),))])
    waiting = asyncio.gather(*(writing.write([event(n)], 0.2) for n in range(MAX_QUEUED)), return_exceptions=True)
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await writing.write([event(MAX_QUEUED)])
    await waiting

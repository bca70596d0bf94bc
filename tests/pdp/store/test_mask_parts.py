"""The streams of a job: begun once, closed once, and summed up."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import OKPKey

from pdp.mask_job import JobSealer, PartRepeated, Place, Streamed
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from pdp.store.mask_parts import MaskParts, SoFar

SEALER = JobSealer(OKPKey.generate_key("Ed25519", {"kid": "seal"}), "example")
PLACE = Place(1, 2)


@pytest.fixture(scope="module")
async def database(mongod: MongodProcess) -> AsyncIterator[Database]:
    opened = await Database.open(mongod.uri, f"t{uuid4().hex[:16]}")
    yield opened
    await opened.close()


@pytest.fixture
def parts(database: Database) -> MaskParts:
    return MaskParts(database, SEALER)


@pytest.fixture
def job() -> str:
    return f"job_{uuid4().hex}"


async def streams(parts: MaskParts, job: str) -> list[Streamed]:
    return [one async for some in parts.all(job) for one in some]


async def test_stream_begins_once(parts: MaskParts, job: str) -> None:
    await parts.begin(job, PLACE)
    with pytest.raises(PartRepeated, match="part 1, attempt 2, piece 0"):
        await parts.begin(job, PLACE)
    assert await parts.close(job, Streamed(PLACE, "broken"))
    with pytest.raises(PartRepeated):
        await parts.begin(job, PLACE)
    await parts.begin(job, Place(1, 2, 1))
    await parts.begin("job_other", PLACE)


async def test_stream_is_closed_once_and_signed(parts: MaskParts, job: str) -> None:
    await parts.begin(job, PLACE)
    assert await parts.close(job, Streamed(PLACE, "ended", 5, (4, 3)))
    assert not await parts.close(job, Streamed(PLACE, "broken", 9))
    [found] = await streams(parts, job)
    assert (found.state, found.rows, found.values) == ("ended", 5, (4, 3))
    assert SEALER.is_ours(job, found)


async def test_stream_of_a_stopped_job_does_not_end(parts: MaskParts, job: str) -> None:
    await parts.begin(job, PLACE)
    await parts.stop(job)
    assert not await parts.close(job, Streamed(PLACE, "ended", 5))
    assert not await parts.is_left_out(job, PLACE)
    assert await parts.close(job, Streamed(PLACE, "broken", 5))


async def test_stream_that_was_left_out_changes_nothing_any_more(parts: MaskParts, job: str) -> None:
    await parts.begin(job, PLACE)
    await parts.begin(job, Place(3, 0))
    assert await parts.close(job, Streamed(Place(3, 0), "ended", 1))
    await parts.leave_out(job)
    for state in ("ended", "broken"):
        assert not await parts.close(job, Streamed(PLACE, state, 5))
    assert await parts.is_left_out(job, PLACE)
    assert not await parts.is_left_out(job, Place(3, 0))
    await parts.drop(job)
    assert [one.place for one in await streams(parts, job)] == [PLACE]


async def test_streams_come_in_order(parts: MaskParts, job: str) -> None:
    places = [Place(part, attempt, piece) for part in (10, 2) for attempt in (30, 4) for piece in (1, 0)]
    for place in places:
        await parts.begin(job, place)
    found = [one.place for one in await streams(parts, job)]
    assert found == sorted(places, key=lambda place: (place.part, place.attempt, place.piece))


async def test_sums_so_far(parts: MaskParts, job: str) -> None:
    assert await parts.so_far(job) == SoFar()
    sent = [(Place(0, 1), "ended", 5), (Place(0, 2), "ended", 5), (Place(1, 3), "ended", 2)]
    sent += [(Place(1, 3, 1), "ended", 2), (Place(2, 4), "broken", 7), (Place(3, 5), "ended", 1)]
    sent += [(Place(1, 3, 2), "broken", 0), (Place(4, 6), "broken", 0)]
    for place, state, rows in sent:
        await parts.begin(job, place)
        await parts.close(job, Streamed(place, state, rows))
    await parts.begin(job, Place(3, 5, 1))
    assert await parts.so_far(job) == SoFar(parts=2, rows=9, other_attempts=4, other_rows=13)


async def test_stream_that_did_not_begin_is_forgotten(parts: MaskParts, job: str) -> None:
    await parts.begin(job, PLACE)
    await parts.forget(job, PLACE)
    assert await streams(parts, job) == []
    await parts.begin(job, PLACE)


PLANTED: dict[str, list[Any]] = {
    "part": ["x", -1, 1 << 40, None, 2.5],
    "attempt": ["x", -1, None],
    "piece": [[], 10_000],
    "rows": ["x", None, 2.5, -5],
    "values": [5, ["x"], [2.5], {}],
    "seal": [5, None],
    "state": [5, None],
}
"""What one member of a stream that ended is set to; None takes it out."""


@pytest.mark.parametrize(("member", "value"), [(name, one) for name, many in PLANTED.items() for one in many], ids=str)
async def test_stream_of_any_form_in_the_database_ends_no_reading(
    parts: MaskParts, database: Database, job: str, member: str, value: Any
) -> None:
    await parts.begin(job, PLACE)
    await parts.close(job, Streamed(PLACE, "ended", 5, (4, 3)))
    await parts.begin(job, Place(7, 8))
    await parts.close(job, Streamed(Place(7, 8), "ended", 2, (1, 1 << 40)))
    change = {"$unset": {member: True}} if value is None else {"$set": {member: value}}
    collection = database.database.get_collection("mask_parts")
    await collection.update_one({"_id": f"{job}/1/2/0"}, change)
    ours = [one for one in await streams(parts, job) if SEALER.is_ours(job, one)]
    assert [one.place for one in ours] == [Place(7, 8)]
    assert (await parts.so_far(job)).rows in {2, 7}


async def test_copy_of_a_stream_counts_for_nothing(parts: MaskParts, database: Database, job: str) -> None:
    await parts.begin(job, PLACE)
    await parts.close(job, Streamed(PLACE, "ended", 5))
    collection = database.database.get_collection("mask_parts")
    held = await collection.find_one({"_id": f"{job}/1/2/0"})
    assert held is not None
    await collection.insert_many({**held, "_id": f"{job}/1/2/{number}"} for number in (1, "00", "x"))
    assert [one.place for one in await streams(parts, job)] == [PLACE]


async def test_stream_that_is_open_has_sent_nothing_that_is_known(
    parts: MaskParts, database: Database, job: str
) -> None:
    await parts.begin(job, PLACE)
    collection = database.database.get_collection("mask_parts")
    await collection.update_one({"_id": f"{job}/1/2/0"}, {"$set": {"rows": 900, "values": [900]}})
    [found] = await streams(parts, job)
    assert (found.state, found.rows, found.values) == ("open", 0, ())


async def test_sums_so_far_fit_a_message_whatever_is_in_the_database(
    parts: MaskParts, database: Database, job: str
) -> None:
    for number in range(3):
        await parts.begin(job, Place(number, 0))
    most = {"$set": {"rows": (1 << 63) - 1, "state": "broken"}}
    await database.database.get_collection("mask_parts").update_many({"job": job}, most)
    assert 0 < (await parts.so_far(job)).other_rows < 1 << 64

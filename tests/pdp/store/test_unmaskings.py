"""How far an unmasking is: one stream of it goes on, and a chunk is counted once unless it is the last that left."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from pdp.errors import Conflict
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from pdp.store.indexes import KEPT_UNMASKINGS_SECONDS
from pdp.store.unmaskings import Unmasking, Unmaskings
from pdp.workflow.repeat import CONTINUED_FOR


@pytest.fixture(scope="module")
async def database(mongod: MongodProcess) -> AsyncIterator[Database]:
    opened = await Database.open(mongod.uri, f"t{uuid4().hex[:16]}")
    yield opened
    await opened.close()


@pytest.fixture
def unmaskings(database: Database) -> Unmaskings:
    return Unmaskings(database, CONTINUED_FOR)


def work(request_id: str = "") -> Unmasking:
    return Unmasking(
        claim=f"use_{uuid4().hex}", decision_id="dec_1", caller="agent:bot", request_id=request_id, digest="00ff"
    )


async def taken(unmaskings: Unmaskings, claim: str, stream: str) -> Unmasking:
    found = await unmaskings.of_claim(claim)
    following = found.followed(stream)
    assert await unmaskings.take(found, following)
    return following


async def test_it_is_begun_once_and_found_by_its_request(unmaskings: Unmaskings) -> None:
    begun = work(uuid4().hex)
    await unmaskings.begin(begun)
    await taken(unmaskings, begun.claim, "str_1")
    await unmaskings.begin(replace(begun, decision_id="dec_2"))
    found = await unmaskings.of_request("agent:bot", begun.request_id)
    assert found is not None
    assert found == replace(begun, stream="str_1", sent=0, at=found.at)
    assert found.at is not None
    assert await unmaskings.of_request("agent:other", begun.request_id) is None
    assert await unmaskings.of_request("agent:bot", "") is None
    with pytest.raises(Conflict, match="began just now"):
        await unmaskings.begin(replace(work(), request_id=begun.request_id))
    for _ in range(2):
        await unmaskings.begin(work())


@pytest.mark.parametrize(("sent", "is_done", "following"), [(0, False, 0), (1, False, 0), (5, False, 4), (5, True, 5)])
def test_next_is_the_first_that_is_not_known_to_have_arrived(sent: int, following: int, *, is_done: bool) -> None:
    held = replace(work(), sent=sent, is_done=is_done, stream="str_1")
    assert held.next_chunk == following
    after = held.followed("str_2")
    assert (after.first, after.stream, after.after) == (following, "str_2", "str_1")


async def test_chunks_are_counted_in_order_and_the_last_may_leave_again(unmaskings: Unmaskings) -> None:
    begun = work()
    await unmaskings.begin(begun)
    first = await taken(unmaskings, begun.claim, "str_1")
    for chunk in range(3):
        await unmaskings.advance(first, chunk)
    for chunk in (0, 2, 4):
        with pytest.raises(Conflict):
            await unmaskings.advance(first, chunk)
    second = await taken(unmaskings, begun.claim, "str_2")
    assert (second.first, second.sent) == (2, 3)
    await unmaskings.advance(second, 2)
    await unmaskings.advance(second, 3)
    with pytest.raises(Conflict):
        await unmaskings.advance(second, 2)
    found = await unmaskings.of_claim(begun.claim)
    assert found.sent == 4


async def test_stream_that_another_followed_goes_on_no_more(unmaskings: Unmaskings) -> None:
    begun = work()
    await unmaskings.begin(begun)
    first = await taken(unmaskings, begun.claim, "str_1")
    await unmaskings.advance(first, 0)
    await taken(unmaskings, begun.claim, "str_2")
    with pytest.raises(Conflict, match="another stream"):
        await unmaskings.advance(first, 1)
    with pytest.raises(Conflict, match="another stream"):
        await unmaskings.done(first, 1, "rec_1")


async def test_of_streams_that_begin_at_once_one_goes_on(unmaskings: Unmaskings) -> None:
    begun = work()
    await unmaskings.begin(begun)
    found = await unmaskings.of_claim(begun.claim)
    takes = [unmaskings.take(found, found.followed(f"str_{number}")) for number in range(16)]
    assert sum(await asyncio.gather(*takes)) == 1


async def test_what_has_arrived_in_whole_says_where_the_log_says_so(unmaskings: Unmaskings) -> None:
    begun = work()
    await unmaskings.begin(begun)
    stream = await taken(unmaskings, begun.claim, "str_1")
    await unmaskings.advance(stream, 0)
    with pytest.raises(Conflict):
        await unmaskings.done(stream, 2, "rec_1")
    await unmaskings.done(stream, 1, "rec_1")
    found = await unmaskings.of_claim(begun.claim)
    assert (found.is_done, found.record_id, found.next_chunk) == (True, "rec_1", 1)


async def test_it_is_over_after_a_day_and_kept_for_longer(database: Database, unmaskings: Unmaskings) -> None:
    begun = work()
    await unmaskings.begin(begun)
    assert not (await unmaskings.of_claim(begun.claim)).is_over
    collection = database.database.get_collection("unmaskings")
    stored = await collection.find_one({"_id": begun.claim}) or {}
    await collection.update_one({"_id": begun.claim}, {"$set": {"at": stored["at"] - CONTINUED_FOR}})
    assert (await unmaskings.of_claim(begun.claim)).is_over
    indexes = await collection.index_information()
    assert indexes["over"]["expireAfterSeconds"] == KEPT_UNMASKINGS_SECONDS
    assert timedelta(seconds=KEPT_UNMASKINGS_SECONDS) > CONTINUED_FOR
    with pytest.raises(Conflict):
        await unmaskings.of_claim("use_0")

"""The change stream of the approvals, caught up with."""

import pytest

from pdp.errors import ResumeTokenTooOld
from pdp.store.changes import MAX_MISSED, RESUME_SECONDS, Changes
from pdp.store.database import Database


async def step(database: Database, *names: str) -> None:
    """As far as the feed looks at it, a step of each of these approvals."""
    for name in names:
        await database.database["approvals"].update_one({"_id": name}, {"$inc": {"version": 1}}, upsert=True)


async def test_catching_up_gives_the_last_change_of_each_behind_a_position(database: Database) -> None:
    changes = Changes(database)
    await step(database, "a")
    start = await changes.position()
    assert await changes.since(start) == ([], await changes.position())
    await step(database, "b", "c", "b")
    missed, now = await changes.since(start)
    assert [(change.approval_id, change.version) for change in missed] == [("c", 1), ("b", 2)]
    assert start < missed[0].position < missed[1].position <= now
    assert [change.approval_id for change in (await changes.since(missed[0].position))[0]] == ["b"]
    assert (await changes.since(missed[1].position))[0] == []


async def test_position_that_is_too_old_or_of_the_future_is_refused(database: Database) -> None:
    changes = Changes(database)
    now = await changes.position()
    for position in (0, now - (RESUME_SECONDS + 1 << 32), now + (10 << 32), 2**64 - 1):
        with pytest.raises(ResumeTokenTooOld):
            await changes.since(position)
    documents = [{"_id": f"{number}", "version": 1} for number in range(MAX_MISSED + 1)]
    await database.database["approvals"].insert_many(documents)
    with pytest.raises(ResumeTokenTooOld):
        await changes.since(now)

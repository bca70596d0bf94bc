"""Refused clicks are counted by account and hour, and summed up by one process."""

from datetime import timedelta

from pdp.store.database import Database
from pdp.store.refusal_counts import RefusalCounts

BOB = ("slack", "slack:T1/UBOB", "user:bob")


async def aged(database: Database) -> None:
    """As if two hours had passed."""
    collection = database.database["refused_clicks"]
    await collection.update_many({}, [{"$set": {"hour": {"$subtract": ["$hour", 2 * 3600 * 1000]}}}])


async def test_clicks_are_counted_by_account(database: Database) -> None:
    counts = RefusalCounts(database)
    assert [await counts.count(*BOB) for _ in range(3)] == [1, 2, 3]
    assert await counts.count("slack", "slack:T1/UNEW", "") == 1
    assert await counts.over(10) == []
    await aged(database)
    assert sorted((one.account, one.count) for one in await counts.over(10)) == [
        ("slack:T1/UBOB", 3),
        ("slack:T1/UNEW", 1),
    ]


async def test_hour_is_summed_up_by_one_and_forgotten(database: Database) -> None:
    counts = RefusalCounts(database)
    await counts.count(*BOB)
    await aged(database)
    [one] = await counts.over(10)
    assert [await counts.claim(one), await counts.claim(one)] == [True, False]
    old = await database.now() - timedelta(minutes=5)
    await database.database["refused_clicks"].update_many({}, {"$set": {"claimed": old}})
    assert await counts.claim(one), "the process that claimed it has ended"
    await counts.remove(one)
    assert await counts.over(10) == []


async def test_document_of_another_form_is_not_read(database: Database) -> None:
    hour = await database.now() - timedelta(hours=5)
    await database.database["refused_clicks"].insert_one({"_id": "x", "hour": hour, "count": "many"})
    assert await RefusalCounts(database).over(10) == []

"""Refused clicks in the log: so many of an account in an hour each by itself, the rest in one record."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from bson import DatetimeMS

from pdp.recording.writer import Writer
from pdp.store.database import Database
from pdp.verdict_errors import AccountNotLinked
from pdp.view_errors import ViewAltered
from pdp.workflow.refused_clicks import RECORDED_AN_HOUR, RefusedClicks
from tests.parts import payload
from tests.pdp.chain import chain, writing
from tests.pdp.store.test_refusal_counts import aged

MORE = 7
ACCOUNT = "slack:T1/UNEW"


@pytest.fixture
async def writer(database: Database) -> AsyncIterator[Writer]:
    async with writing(database) as made:
        yield made


async def refusals(database: Database) -> list[tuple[str, dict[str, Any]]]:
    """The errors and payloads of all records."""
    return [
        (payload(record)["error"], payload(held.payload))
        for batch in await chain(database)
        for record, held in zip(batch.records, batch.payloads, strict=True)
    ]


async def click(clicks: RefusedClicks, account: str = ACCOUNT) -> None:
    await clicks.record("slack", account, AccountNotLinked("belongs to nobody here"), "", "apr_1")


async def test_account_that_clicks_without_end_leaves_so_many_records_and_a_sum(
    database: Database, writer: Writer
) -> None:
    clicks, elsewhere = RefusedClicks(database, writer), RefusedClicks(database, writer)
    for number in range(RECORDED_AN_HOUR + MORE):
        await click((clicks, elsewhere)[number % 2])
    await click(clicks, "slack:T1/UOTHER")
    assert [error for error, _ in await refusals(database)] == ["ACCOUNT_NOT_LINKED"] * (RECORDED_AN_HOUR + 1)
    await clicks.sum_up()
    await aged(database)
    for one in (clicks, elsewhere, clicks):
        await one.sum_up()
    *_, (error, held) = found = await refusals(database)
    assert len(found) == RECORDED_AN_HOUR + 2
    assert (error, held["account"], held["channel"], held["further"]) == ("FURTHER_REFUSED", ACCOUNT, "slack", MORE)
    assert held["hour"]


async def test_alarm_is_recorded_however_much_was_clicked(database: Database, writer: Writer) -> None:
    clicks = RefusedClicks(database, writer)
    for _ in range(RECORDED_AN_HOUR + 1):
        await click(clicks)
    await clicks.record("slack", ACCOUNT, ViewAltered("something else", approval="apr_1"), "user:bob", "apr_1")
    assert (await refusals(database))[-1][0] == "VIEW_ALTERED"


@pytest.mark.parametrize(
    "changes",
    [
        {"account": "user:carol"},
        {"account": "teams:T1/UNEW"},
        {"account": "slack:T1/UOTHER"},
        {"identity": "user:" + "x" * 2000},
        {"account": "slack:" + "x" * 2000},
    ],
)
async def test_number_that_no_server_wrote_so_does_not_come_into_the_log(
    database: Database, writer: Writer, changes: dict[str, Any]
) -> None:
    clicks = RefusedClicks(database, writer)
    for _ in range(RECORDED_AN_HOUR + 1):
        await click(clicks)
    await aged(database)
    await database.database["refused_clicks"].update_many({}, {"$set": changes})
    await clicks.sum_up()
    assert [error for error, _ in await refusals(database)] == ["ACCOUNT_NOT_LINKED"] * RECORDED_AN_HOUR
    assert await database.database["refused_clicks"].count_documents({}) == 0


async def test_time_that_python_cannot_hold_stops_nothing(database: Database, writer: Writer) -> None:
    clicks, stored = RefusedClicks(database, writer), database.database["refused_clicks"]
    for _ in range(RECORDED_AN_HOUR + 1):
        await click(clicks)
    await aged(database)
    whole = await stored.find_one({}) or {}
    await stored.insert_one({**whole, "_id": f"{ACCOUNT}@planted", "hour": DatetimeMS(-70_000_000_000_000)})
    await clicks.sum_up()
    assert [error for error, _ in await refusals(database)].count("FURTHER_REFUSED") == 2
    assert await stored.count_documents({}) == 0

"""Who may send events and how many, and what becomes of each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest

from pdp.caller import Caller, Role
from pdp.errors import InvalidRequest, NotAllowed, Overloaded, PdpError
from pdp.lineage.entry import decode
from pdp.lineage.fact import Event
from pdp.lineage_settings import LineageSettings, LineageWriter
from pdp.store.database import Database
from pdp.turns import Turns
from pdp.workflow.lineage import AT_ONCE_BYTES, BURST_SECONDS, MAX_EVENT_BYTES, MAX_EVENTS, Ingesting, Taken
from tests.pdp.lineage_log import event, lineage_writer, whole

ETL, OTHER = (
    Caller(name, "workload", frozenset({Role.LINEAGE_WRITER}), (), b"{}") for name in ("demo:etl", "demo:other")
)
SETTINGS = LineageSettings(writers={"demo:etl": LineageWriter(namespaces=("*",), events_a_second=1000)})


def read(text: bytes, _writer: LineageWriter, identity: str, at: int) -> Event:
    """An event by its number; what has none is refused."""
    found = orjson.loads(text)
    if "n" not in found:
        raise InvalidRequest.field("n", "is required")
    problems = [("x", "is not known")] if "x" in found else [("much", "")] if "much" in found else []
    return replace(event(found["n"], identity), at=at, problems=problems)


def admit(event: Event, _: LineageWriter) -> None:
    if ("much", "") in event.problems:
        raise NotAllowed("LINEAGE_FULL", "there would be more")


@asynccontextmanager
async def ingesting(database: Database, **changes: Any) -> AsyncIterator[Ingesting]:
    writer = SETTINGS.writers["demo:etl"].model_copy(update=changes)
    settings = SETTINGS.model_copy(update={"writers": {"demo:etl": writer}})
    async with lineage_writer(database) as writing:
        yield Ingesting(settings, writing, read, Turns(), admit)


def text(n: int, **members: Any) -> bytes:
    return orjson.dumps({"n": n, **members})


async def test_event_is_in_the_log_of_its_writer_when_it_is_taken(database: Database) -> None:
    async with ingesting(database) as faces:
        taken = await faces.take(text(1, x=1), ETL)
        assert (taken.place.n, taken.is_known, taken.problems) == (1, False, [("x", "is not known")])
        again = await faces.take(text(1), ETL)
        assert (again.place, again.is_known) == (taken.place, True)
    [document] = await whole(database)
    assert document.head == taken.place.head
    assert [decode(entry).by for entry in document.entries] == ["demo:etl"]


async def test_caller_without_an_entry_writes_nothing(database: Database) -> None:
    async with ingesting(database) as faces:
        with pytest.raises(NotAllowed) as refused:
            await faces.take(text(1), OTHER)
        assert refused.value.reason == "NO_LINEAGE_WRITER"
    assert await whole(database) == []


async def test_each_event_of_a_batch_is_taken_or_refused_for_itself(database: Database) -> None:
    async with ingesting(database) as faces:
        found = await faces.take_all([text(1), b"{}", text(2), text(1)], ETL)
    assert [isinstance(one, Taken) for one in found] == [True, False, True, True]
    assert len([entry for document in await whole(database) for entry in document.entries]) == 2


async def test_event_for_which_there_is_no_room_is_refused_and_counted(database: Database) -> None:
    async with ingesting(database) as faces:
        [full, taken] = await faces.take_all([text(1, much=1), text(2)], ETL)
        assert isinstance(full, NotAllowed)
        assert full.reason == "LINEAGE_FULL"
        assert isinstance(taken, Taken)
        assert (faces.taken, faces.refused) == (1, 1)


async def test_batch_has_a_most(database: Database) -> None:
    async with ingesting(database) as faces:
        with pytest.raises(InvalidRequest):
            await faces.take_all([b"{}"] * (MAX_EVENTS + 1), ETL)


async def test_large_event_is_read_beside_the_loop_and_too_large_a_one_not_at_all(database: Database) -> None:
    async with ingesting(database) as faces:
        await faces.take(text(1, long="x" * AT_ONCE_BYTES), ETL)
        with pytest.raises(InvalidRequest):
            await faces.take(text(2, long="x" * MAX_EVENT_BYTES), ETL)


async def test_writer_that_sends_more_than_its_rate_is_told_when_to_go_on(database: Database) -> None:
    async with ingesting(database, events_a_second=2) as faces:
        for _ in range(int(2 * BURST_SECONDS)):
            with pytest.raises(InvalidRequest):
                await faces.take(b"{}", ETL)
        with pytest.raises(Overloaded) as refused:
            await faces.take(b"{}", ETL)
        assert refused.value.retry_seconds is not None
        assert 0 < refused.value.retry_seconds <= 0.5
        await asyncio.sleep(refused.value.retry_seconds)
        await faces.take(text(1), ETL)


async def test_batch_takes_what_is_left_and_the_next_call_waits_for_it(database: Database) -> None:
    async with ingesting(database, events_a_second=1) as faces:
        found = await faces.take_all([b"{}"] * 40, ETL)
        assert all(isinstance(one, PdpError) for one in found)
        with pytest.raises(Overloaded) as refused:
            await faces.take(b"{}", ETL)
        assert refused.value.retry_seconds == pytest.approx(31, abs=1)

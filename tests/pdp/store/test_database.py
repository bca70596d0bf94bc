"""The connection: it confirms with majority and journal, or the server does not start."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from bson import DatetimeMS, encode
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient
from pymongo.errors import DuplicateKeyError, OperationFailure

from pdp import deadline
from pdp.errors import SetupError, StoreUnavailable
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database, Document, unavailable
from tests.faults import failing


async def test_writes_and_reads_are_those_of_a_majority_on_the_journal(database: Database) -> None:
    handle = database.database
    assert handle.write_concern.document == {"w": "majority", "j": True, "wtimeout": 5000}
    assert handle.read_concern.level == "majority"
    assert await database.is_healthy()


async def test_time_is_that_of_mongodb_and_has_a_zone(database: Database) -> None:
    assert abs(await database.now() - datetime.now(UTC)) < timedelta(seconds=5)


async def test_what_python_cannot_hold_is_read_as_something_else(database: Database) -> None:
    """No signature fits it then. Otherwise one planted document would be an error of each read that finds it."""
    planted = database.database["planted"]
    text = encode({"_id": 1, "text": "abXX", "at": DatetimeMS(-(2**60))})
    raw = RawBSONDocument(text.replace(b"abXX", b"ab\xff\xfe"))
    await planted.insert_one(raw)
    found = await planted.find_one({}) or {}
    assert (found["text"], found["at"]) == ("ab\ufffd\ufffd", datetime.min.replace(tzinfo=UTC))


async def test_the_first_realm_keeps_the_database(mongod: MongodProcess) -> None:
    name = f"t{uuid4().hex[:16]}"
    found = [await Database.open(mongod.uri, name) for _ in range(2)]
    try:
        starts = [found[at % 2].require_realm(f"r{at % 2}") for at in range(16)]
        refused = [isinstance(one, SetupError) for one in await asyncio.gather(*starts, return_exceptions=True)]
        assert refused in ([False, True] * 8, [True, False] * 8)  # of those that race one wins, for ever
        with pytest.raises(SetupError, match="a `database` of its own"):
            await found[0].require_realm("r")
    finally:
        for each in found:
            await each.close()


async def test_database_that_is_not_ours_to_use_is_refused(
    mongod: MongodProcess,
) -> None:
    uri = f"{mongod.uri}&serverMonitoringMode=poll"  # see tests/pdp/mongo.py
    name = f"t{uuid4().hex[:16]}"
    async with failing(mongod.uri, f"{name}.approvals", failCommands=["createIndexes"], errorCode=13):
        with pytest.raises(SetupError, match="createIndex"):
            await Database.open(uri, name)
    found = await Database.open(uri, name)
    await found.database["schema"].update_one({"_id": "placet"}, {"$set": {"version": 2}})
    with pytest.raises(SetupError, match="version"):
        await Database.open(uri, name)
    await found.close()


@pytest.mark.parametrize("uri", ["", "http://127.0.0.1", "mongodb://", "mongodb://127.0.0.1:x"])
async def test_text_that_is_no_uri_is_refused(uri: str) -> None:
    with pytest.raises(SetupError):
        await Database.open(uri, "x")


async def test_trouble_of_mongodb_is_one_error_of_ours_and_quotes_nothing() -> None:
    with pytest.raises(StoreUnavailable) as refused:
        async with unavailable():
            raise OperationFailure("canary")
    assert "canary" not in str(refused.value)
    assert refused.value.__suppress_context__


async def test_wait_ends_before_the_callers_does() -> None:
    deadline.begin(0.1)
    began = asyncio.get_running_loop().time()
    with pytest.raises(StoreUnavailable):
        async with unavailable(60):
            await asyncio.Event().wait()
    assert asyncio.get_running_loop().time() - began < 0.1


async def test_duplicate_key_and_errors_of_ours_pass_through() -> None:
    for error in (DuplicateKeyError("x"), ValueError("x")):
        with pytest.raises(type(error)):
            async with unavailable():
                raise error


async def test_where_nothing_answers_it_is_not_healthy_and_tells_no_time() -> None:
    deadline.begin(0.2)
    client: AsyncMongoClient[Document] = AsyncMongoClient(
        "mongodb://127.0.0.1:1", serverSelectionTimeoutMS=50, connectTimeoutMS=50
    )
    away = Database(client, "x")
    assert not await away.is_healthy()
    with pytest.raises(StoreUnavailable):
        await away.now()
    await away.close()

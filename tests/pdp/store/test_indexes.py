"""The indexes are made once, and hold what must be unique."""

from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import DuplicateKeyError

from pdp.errors import StoreUnavailable
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from pdp.store.indexes import make_indexes


async def test_opened_twice_it_is_the_same(database: Database, mongod: MongodProcess) -> None:
    before = await database.database["approvals"].index_information()
    again = await Database.open(mongod.uri, database.database.name)
    assert await again.database["approvals"].index_information() == before
    await again.close()


async def test_a_mongodb_that_is_late_may_answer_later() -> None:
    """So the start waits for it, in place of an end that tells the driver's error."""
    client: AsyncMongoClient[dict[str, Any]]
    async with AsyncMongoClient("mongodb://127.0.0.1:1/", serverSelectionTimeoutMS=50) as client:
        with pytest.raises(StoreUnavailable, match="not in time"):
            await make_indexes(client.get_database("placet"))


async def test_one_pending_approval_of_a_request_and_one_of_a_request_id(database: Database) -> None:
    approvals = database.database["approvals"]
    await approvals.insert_one({"caller": "a", "digest": "d", "state": "PENDING", "request_ids": ["x"]})
    for other in ({"digest": "d", "state": "PENDING"}, {"digest": "e", "state": "DENIED", "request_ids": ["y", "x"]}):
        with pytest.raises(DuplicateKeyError):
            await approvals.insert_one({"caller": "a", **other})
    for fine in ({"digest": "d", "state": "DENIED"}, {"digest": "e", "state": "PENDING", "request_ids": ["z"]}):
        await approvals.insert_one({"caller": "a", **fine})
    await approvals.insert_one({"caller": "b", "digest": "d", "state": "PENDING", "request_ids": ["x"]})

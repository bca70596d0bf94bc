"""MongoDB from behind the server's back: what a clock that ran, or a database administrator, would have done."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from pdp.mongod_process import MongodProcess
from tests.parts import Placet


@asynccontextmanager
async def database(mongod: MongodProcess, server: Placet) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
    async with AsyncMongoClient[dict[str, Any]](mongod.uri, tz_aware=True) as client:
        yield client[server.database]


async def set_back(mongod: MongodProcess, server: Placet, approval_id: str, stamp: str, **ago: float) -> None:
    """Move one of the approval's stamps into the past."""
    async with database(mongod, server) as found:
        condition = {"_id": approval_id}
        document = await found["approvals"].find_one(condition)
        assert document is not None
        moved = document[stamp] - timedelta(**ago)
        await found["approvals"].update_one(condition, {"$set": {stamp: moved}})


async def close_what_waits(mongod: MongodProcess, server: Placet) -> None:
    """As if the time of everything that waits had run out, unseen by the log."""
    async with database(mongod, server) as found:
        closed = {"$set": {"state": "EXPIRED"}, "$currentDate": {"closed_at": True}}
        await found["approvals"].update_many({"state": "PENDING"}, closed)


async def only_first_review(mongod: MongodProcess, server: Placet, approval_id: str) -> None:
    """As if the second reviewer no longer counted."""
    async with database(mongod, server) as found:
        await found["approvals"].update_one({"_id": approval_id}, {"$pop": {"reviews": 1}})

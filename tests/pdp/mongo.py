"""MongoDB from behind the server's back: what a clock that ran, or a database administrator, would have done."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from pdp import keys
from pdp.process.mongod import MongodProcess
from pdp.seal import Sealer
from pdp.store import approval_document
from tests.parts import Placet


@asynccontextmanager
async def database(mongod: MongodProcess, server: Placet) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
    # a client so short-lived would be closed while its second monitor is still connecting, and leave the socket open
    async with AsyncMongoClient[dict[str, Any]](mongod.uri, tz_aware=True, serverMonitoringMode="poll") as client:
        yield client[server.database]


async def set_back(mongod: MongodProcess, server: Placet, approval_id: str, stamp: str, **ago: float) -> None:
    """Move one of the approval's stamps into the past."""
    async with database(mongod, server) as found:
        condition = {"_id": approval_id}
        document = await found["approvals"].find_one(condition)
        assert document is not None
        moved = {stamp: document[stamp] - timedelta(**ago)}
        if stamp == "created_at":  # then it was sealed earlier, too
            moved["sealed_at"] = document["sealed_at"] - timedelta(**ago)
            earlier = approval_document.from_document({**document, **moved})
            moved["seal"] = sealer(server).frozen(earlier)
        await found["approvals"].update_one(condition, {"$set": moved})


async def close_what_waits(mongod: MongodProcess, server: Placet) -> None:
    """As if the time of everything that waits had run out, unseen by the log."""
    async with database(mongod, server) as found:
        closed = {"$set": {"state": "EXPIRED"}, "$currentDate": {"closed_at": True}}
        await found["approvals"].update_many({"state": "PENDING"}, closed)


async def second_reviewer_left(mongod: MongodProcess, server: Placet, approval_id: str) -> None:
    """As if the second review, signed as it was, had been by somebody who no longer fits."""
    async with database(mongod, server) as found:
        held = approval_document.from_document(await found["approvals"].find_one({"_id": approval_id}) or {})
        gone = replace(held.reviews[1], reviewer="user:gone", person="user:gone", groups=())
        signature = sealer(server).review(held.id, held.digest, gone)
        signed = approval_document.of_review(replace(gone, signature=signature))
        await found["approvals"].update_one({"_id": approval_id}, {"$set": {"reviews.1": signed}})


def sealer(server: Placet) -> Sealer:
    """What every process of the deployment can sign."""
    return Sealer(keys.private_key(server.state / "keys" / "seal.jwk"), "dev")

"""Many pending approvals at once, stored as the servers of the deployment store them."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson

from pdp import identifier
from pdp.canonical import digest
from pdp.process.mongod import MongodProcess
from pdp.store import approval_document
from pdp.v1.approval_pb2 import Approval
from tests.parts import Placet
from tests.pdp.mongo import database, sealer

AT_ONCE = 1_000
"""Documents of one insert."""


async def seed(mongod: MongodProcess, server: Placet, like: Approval, count: int, *, first: int = 0) -> None:
    """Store `count` requests of 500 callers; they differ from `like` in `context.number`, from `first` on."""
    async with database(mongod, server) as found:
        document = await found["approvals"].find_one({"_id": like.approval_id}) or {}
        for start in range(first, first + count, AT_ONCE):
            numbers = range(start, min(first + count, start + AT_ONCE))
            copies = [copy(server, document, number, f"agent:{number % 500}") for number in numbers]
            await found["approvals"].insert_many(copies, ordered=False)


def copy(server: Placet, document: dict[str, Any], number: int, caller: str) -> dict[str, Any]:
    """A sealed copy of a stored approval, opened up to a minute earlier."""
    request = orjson.loads(document["request"])
    request["context"]["number"] = number
    earlier = timedelta(milliseconds=random.randrange(60_000))
    opened = approval_document.from_document(document)
    raw = orjson.dumps(request, option=orjson.OPT_SORT_KEYS)
    fresh = replace(
        opened,
        id=identifier.new("apr"),
        caller=caller,
        request=raw,
        digest=digest(raw, "dev"),
        created_at=opened.created_at - earlier,
        sealed_at=(opened.sealed_at or opened.created_at) - earlier,
        outbox=(),
    )
    sealed = replace(fresh, seal=sealer(server).frozen(fresh))
    kept = {**document, "_id": sealed.id, **approval_document.of_opening(sealed), "created_at": sealed.created_at}
    kept.pop("request_ids", None)
    return {**kept, "due_at": document["due_at"] - earlier}

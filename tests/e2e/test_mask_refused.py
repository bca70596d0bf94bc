"""A refused call uses nothing up: whatever refuses it, the approval and the quota stand as they stood."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import orjson
import pyarrow as pa
import pytest
from pymongo import AsyncMongoClient

from masker import keys as key_files
from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_pb2
from pdp.v1.request_pb2 import Effect
from tests.faults import eventually, served, verified_log
from tests.masks import arrow, columns, masking, records, scope, shape, stream
from tests.parts import Placet, log, refusal
from tests.pdp.mongo import database

POLICY = """package policy

needs_approval contains {"rule": "ask", "reason": "ask", "reviewers": {"groups": ["data-stewards"]}} if {
    object.get(input.context, "denied", false) != true
}

mask contains {"rule": "ids", "reason": "ids join", "columns": ["id"], "domain": "person.id"}

mask contains {"rule": "late", "reason": "used late", "columns": ["late"], "domain": "late.id"}

mask contains {"rule": "odd", "reason": "digits", "columns": ["odd"], "domain": "odd.id"}
"""
DIGITS = {"mask": "fpe", "alphabet": "0123456789"}
DATA = {
    "domains": {
        "person.id": {"mask": "token", "values": "open"},
        "late.id": {"mask": "token", "values": "open"},
        "odd.id": DIGITS,
    }
}
ROWS = {"id": ["a", "b"]}
LIMIT = 200_000
Data = mask_pb2.MaskData | pa.RecordBatch


@dataclass
class Stage:
    """A server, the database behind it and the file of its mask keys."""

    server: Placet
    found: Any
    keys: Path

    async def tokens(self) -> mask_pb2.MaskData:
        made = fresh()
        await self.approved("Mask", made, arrow(ROWS))
        return (await call(self.server, "Mask", made, arrow(ROWS))).data

    async def approved(self, rpc: str, made: mask_pb2.MaskScope, data: Data) -> str:
        """The approval's id."""
        asked = decision(await call(self.server, rpc, made, data))
        assert asked.effect == Effect.EFFECT_NEEDS_APPROVAL
        await self.server.review(asked.approval, "bob")
        return asked.approval.approval_id

    async def stands(self, approval_id: str) -> tuple[Any, Any]:
        """The approval as it is stored, its records being in the log, and what is counted."""

        async def delivered() -> Any:
            return await self.found["approvals"].find_one({"_id": approval_id, "outbox": []})

        sums = {one["_id"]: sum(one["counts"].values()) async for one in self.found["quotas"].find({})}
        counters = {key: count for key, count in sums.items() if count}
        return await eventually(delivered), counters


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.rego").write_text(POLICY)
    (folder / "data.json").write_bytes(orjson.dumps(DATA))
    return folder


@pytest.fixture(scope="module")
def limits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the servers' configuration says; `pdp serve` takes no demo keys."""
    path = tmp_path_factory.mktemp("keys") / "mask.json"
    key_files.create(path, "test", now=datetime.now(UTC))
    return {"mask_keys": path, "realm": "test", "mask_values_an_hour": LIMIT, "unmask_values_an_hour": LIMIT}


@pytest.fixture(scope="module")
async def stage(state: Path, mongod: MongodProcess, policy: Path, limits: dict[str, Any]) -> AsyncIterator[Stage]:
    async with masking(state, mongod.uri, policy=[policy], **limits) as server, database(mongod, server) as found:
        yield Stage(server, found, limits["mask_keys"])


def fresh(**members: Any) -> mask_pb2.MaskScope:
    made = scope(request_id=uuid4().hex, **members)
    made.context["run"] = uuid4().hex
    return made


async def call(server: Placet, rpc: str, scope: mask_pb2.MaskScope, data: Data, **options: Any) -> Any:
    if isinstance(data, pa.RecordBatch):
        return await stream(server, [data], mask_pb2.StreamStart(scope=scope, shape=shape(data.schema)), rpc=rpc)
    request = getattr(mask_pb2, f"{rpc}Request")(scope=scope, data=data)
    return await getattr(server.masks, rpc)(request, metadata=server.metadata("report-bot"), **options)


def decision(answer: Any) -> Any:
    return answer.opened.decision if hasattr(answer, "opened") else answer.decision


def rows(answer: Any) -> int:
    return int(answer.end.rows if hasattr(answer, "end") else answer.rows)


# What there is to mask


async def plain(_: Stage) -> Data:
    return arrow(ROWS)


async def tokens(stage: Stage) -> Data:
    return await stage.tokens()


async def forged(stage: Stage) -> Data:
    token = columns(await stage.tokens())["id"][0]
    return arrow({"id": ["x", token[:-3] + ("aaa" if not token.endswith("aaa") else "bbb")]})


async def late(_: Stage) -> Data:
    return arrow({"late": ["a"]})


async def many(_: Stage) -> Data:
    return arrow({"id": [str(number) for number in range(100_000)]})


async def swelling(stage: Stage) -> Data:
    """Tokens of control characters, which JSON writes with six bytes each."""
    data = records(orjson.dumps({"id": "\x01" * 500_000}).decode())
    made = fresh()
    await stage.approved("Mask", made, data)
    masked = await call(stage.server, "Mask", made, data)
    return records(*list(masked.data.records.records) * 2)


async def unfit(_: Stage) -> Data:
    return arrow({"id": ["a"], "odd": ["no number"]})


async def batch(_: Stage) -> Data:
    return pa.record_batch(ROWS)


async def masked_batch(stage: Stage) -> Data:
    return pa.record_batch(columns(await stage.tokens()))


# What stands in the way once it is approved


@asynccontextmanager
async def nothing(_: Stage) -> AsyncIterator[None]:
    yield


def counter(what: str, name: str) -> str:
    """The id of somebody's counter."""
    whose = "caller" if name.startswith("agent:") else "person"
    return f"{what}/{int(time.time() // 3600)}/{whose}/{hashed(name)}"


def hashed(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def full(what: str, name: str) -> Callable[[Stage], AbstractAsyncContextManager[None]]:
    """Somebody's quota of this hour but for one value."""

    @asynccontextmanager
    async def used_up(stage: Stage) -> AsyncIterator[None]:
        key = counter(what, name)
        domain = hashed("person.id" if what == "mask" else "")
        before = await stage.found["quotas"].find_one({"_id": key}) or {"counts": {}}
        await stage.found["quotas"].update_one({"_id": key}, {"$set": {f"counts.{domain}": LIMIT}}, upsert=True)
        yield
        await stage.found["quotas"].update_one({"_id": key}, {"$set": {"counts": before["counts"]}})

    return used_up


def unwritable(collection: str) -> Callable[[Stage], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def refusing(stage: Stage) -> AsyncIterator[None]:
        await stage.found.command({"collMod": collection, "validator": {"never": {"$exists": True}}})
        try:
            yield
        finally:
            await stage.found.command({"collMod": collection, "validator": {}})

    return refusing


@asynccontextmanager
async def key_retired(stage: Stage) -> AsyncIterator[None]:
    before = stage.keys.read_bytes()
    key_files.rotate(stage.keys, now=datetime.now(UTC))
    key_files.retire(stage.keys, 1)
    yield
    stage.keys.write_bytes(before)


@asynccontextmanager
async def declared_otherwise(stage: Stage) -> AsyncIterator[None]:
    declaration = orjson.dumps({"mask": "pseudonym"})
    await stage.found["domains"].insert_one({"_id": {"realm": "test", "name": "late.id"}, "declaration": declaration})
    yield
    await stage.found["domains"].delete_one({"declaration": declaration})


REFUSALS: dict[str, tuple[str, Callable[[Stage], Awaitable[Data]], Any, str]] = {
    "quota of the caller": ("Unmask", tokens, full("unmask", "agent:report-bot"), "QUOTA_EXCEEDED"),
    "quota of a person": ("Unmask", tokens, full("unmask", "user:alice"), "QUOTA_EXCEEDED"),
    "quota of masking": ("Mask", plain, full("mask", "user:alice"), "QUOTA_EXCEEDED"),
    "quota of a stream": ("MaskStream", batch, full("mask", "agent:report-bot"), "QUOTA_EXCEEDED"),
    "quota of a rewrap": ("Rewrap", masked_batch, full("mask", "user:alice"), "QUOTA_EXCEEDED"),
    "forged token": ("Unmask", forged, nothing, "VALUE_REFUSED"),
    "value that does not fit": ("Mask", unfit, nothing, "VALUE_REFUSED"),
    "answer beyond a message": ("Mask", many, nothing, "ANSWER_TOO_LARGE"),
    "unmasked beyond a message": ("Unmask", swelling, nothing, "ANSWER_TOO_LARGE"),
    "domain declared otherwise": ("Mask", late, declared_otherwise, "MASK_PLAN_REFUSED"),
    "key that was retired": ("Unmask", tokens, key_retired, "VALUE_REFUSED"),
    "quota that is not confirmed": ("Unmask", tokens, unwritable("quotas"), "STORE_UNAVAILABLE"),
    "use that is not confirmed": ("Unmask", tokens, unwritable("approvals"), "STORE_UNAVAILABLE"),
    "stream that is not confirmed": ("MaskStream", batch, unwritable("approvals"), "STORE_UNAVAILABLE"),
}
BEYOND = {"answer beyond a message", "unmasked beyond a message"}
FOR_EVER = {"forged token", "value that does not fit", "domain declared otherwise", *BEYOND}


@pytest.mark.parametrize("name", REFUSALS)
async def test_refused_call_leaves_approval_and_quota_as_they_stood(stage: Stage, name: str) -> None:
    rpc, data_of, obstacle, reason = REFUSALS[name]
    made, data = fresh(), await data_of(stage)
    approval_id = await stage.approved(rpc, made, data)
    await stage.stands(approval_id)  # nothing is written to it any more
    async with obstacle(stage):
        before = await stage.stands(approval_id)
        assert before[0]["state"] == "APPROVED"
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(stage.server, rpc, made, data, timeout=5)
        assert refusal(refused.value).reason == reason
        assert await stage.stands(approval_id) == before
    if name not in FOR_EVER:
        again = await call(stage.server, rpc, made, data)
        assert (decision(again).effect, rows(again)) == (Effect.EFFECT_ALLOW, 2)
    if name in BEYOND:
        assert f"use {rpc}Stream" in refusal(refused.value).message
    if reason in {"QUOTA_EXCEEDED", "VALUE_REFUSED", "ANSWER_TOO_LARGE"}:
        assert reason in {record["error"] for record, _ in await log(stage.server, "error")}


async def test_call_that_waits_or_is_denied_reserves_nothing(stage: Stage) -> None:
    data = await stage.tokens()
    approval_id = await stage.approved("Unmask", fresh(), data)
    before = await stage.stands(approval_id)
    assert decision(await call(stage.server, "Unmask", fresh(), data)).effect == Effect.EFFECT_NEEDS_APPROVAL
    denied = fresh()
    denied.context["denied"] = True
    assert decision(await call(stage.server, "Unmask", denied, data)).effect == Effect.EFFECT_DENY
    mismatch = await call(stage.server, "Unmask", fresh(approval_id=approval_id), data)
    assert decision(mismatch).effect == Effect.EFFECT_DENY
    plan = mask_pb2.GetMaskPlanRequest(scope=fresh(), shape=shape(pa.record_batch(ROWS).schema))
    await stage.server.masks.GetMaskPlan(plan, metadata=stage.server.metadata("report-bot"))
    assert await stage.stands(approval_id) == before


async def test_of_racing_uses_those_that_lose_give_their_quota_back(stage: Stage) -> None:
    data, made = await stage.tokens(), fresh()
    approval_id = await stage.approved("Unmask", made, data)
    _, before = await stage.stands(approval_id)
    racers = []
    for _ in range(8):
        racer = mask_pb2.MaskScope()
        racer.CopyFrom(made)
        racer.request_id, racer.attempt_id, racer.approval_id = uuid4().hex, uuid4().hex, approval_id
        racers.append(call(stage.server, "Unmask", racer, data))
    effects = [decision(answer).effect for answer in await asyncio.gather(*racers)]
    assert effects.count(Effect.EFFECT_ALLOW) == 1
    used, after = await stage.stands(approval_id)
    assert used["used_by"]["claim"].startswith("use_")
    grown = {key: count - before.get(key, 0) for key, count in after.items() if key.startswith("unmask/")}
    assert set(grown.values()) == {2}


@asynccontextmanager
async def held_up(mongod: MongodProcess, stage: Stage, key: str) -> AsyncIterator[None]:
    """A counter is in another's transaction, so that whoever reserves has counted for the caller and waits here."""
    async with (
        AsyncMongoClient[dict[str, Any]](mongod.uri, serverMonitoringMode="poll") as client,
        client.start_session() as session,
        await session.start_transaction(),
    ):
        await client[stage.server.database]["quotas"].update_one({"_id": key}, {"$inc": {"n": 1}}, session=session)
        yield
        await session.abort_transaction()


async def test_killed_between_reservation_and_use_the_approval_stands_and_the_quota_is_gone(
    stage: Stage, tmp_path: Path, state: Path, mongod: MongodProcess, policy: Path, limits: dict[str, Any]
) -> None:
    data, made = await stage.tokens(), fresh()
    approval_id = await stage.approved("Unmask", made, data)
    before = await stage.stands(approval_id)
    callers, persons = counter("unmask", "agent:report-bot"), counter("unmask", "user:alice")
    name = stage.server.database

    async def is_reserved() -> bool:
        return bool((await stage.stands(approval_id))[1].get(callers, 0) == before[1].get(callers, 0) + 2)

    async with (
        served(tmp_path, state, mongod.uri, database=name, policy=[policy], **limits) as doomed,
        held_up(mongod, stage, persons),
    ):
        dying = asyncio.ensure_future(call(doomed, "Unmask", made, data, timeout=10))
        await eventually(is_reserved, seconds=30)
        await doomed.kill()
        with pytest.raises(grpc.aio.AioRpcError):
            await dying
    assert (await stage.stands(approval_id))[0] == before[0]
    assert await is_reserved()
    assert rows(await call(stage.server, "Unmask", made, data)) == 2
    await verified_log(stage.server)

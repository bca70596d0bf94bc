"""One approval masks or unmasks once: repeated, raced, under another RPC, and over a process that was killed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pyarrow as pa
import pytest

from masker import keys as key_files
from pdp.audit.record import Kind
from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_pb2
from pdp.v1.request_pb2 import Effect
from tests.faults import served, verified_log
from tests.masks import arrow, columns, masking, scope, shape, stream
from tests.parts import Placet, log, refusal
from tests.pdp.mongo import database

POLICY = """package policy

needs_approval contains {"rule": "ask", "reason": "ask", "reviewers": {"groups": ["data-stewards"]}}

mask contains {"rule": "ids", "reason": "ids join", "columns": ["id"], "domain": "person.id"}
"""
DATA = '{"domains": {"person.id": {"mask": "token"}}, "identities": {"agent:dev": {"owners": []}}}'
ROWS = {"id": ["a", "b"]}
RACERS = 16


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything needs a steward."""
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.rego").write_text(POLICY)
    (folder / "data.json").write_text(DATA)
    return folder


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the servers' configuration says of mask keys; `pdp serve` takes no demo keys."""
    path = tmp_path_factory.mktemp("keys") / "mask.json"
    key_files.create(path, "test", now=datetime.now(UTC))
    return {"mask_keys": path, "realm": "test"}


@pytest.fixture(scope="module")
async def pair(
    state: Path, mongod: MongodProcess, policy: Path, keys: dict[str, Any]
) -> AsyncIterator[tuple[Placet, Placet]]:
    """Two servers on one database, as two processes of a deployment are."""
    async with (
        masking(state, mongod.uri, policy=[policy], **keys) as one,
        masking(state, mongod.uri, policy=[policy], database=one.database, **keys) as other,
    ):
        yield one, other


def fresh() -> mask_pb2.MaskScope:
    made = scope(request_id=uuid4().hex)
    made.context["run"] = uuid4().hex
    return made


async def call(server: Placet, rpc: str, scope: mask_pb2.MaskScope, data: mask_pb2.MaskData) -> Any:
    request = getattr(mask_pb2, f"{rpc}Request")(scope=scope, data=data)
    return await getattr(server.masks, rpc)(request, metadata=server.metadata("report-bot"))


async def approved(server: Placet, rpc: str, scope: mask_pb2.MaskScope, data: mask_pb2.MaskData) -> None:
    asked = await call(server, rpc, scope, data)
    assert asked.decision.effect == Effect.EFFECT_NEEDS_APPROVAL
    await server.review(asked.decision.approval, "bob")


async def tokens(server: Placet) -> mask_pb2.MaskData:
    made = fresh()
    await approved(server, "Mask", made, arrow(ROWS))
    return (await call(server, "Mask", made, arrow(ROWS))).data


async def refused(answer: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await answer
    assert refusal(error.value).code == "FAILED_PRECONDITION"
    assert refusal(error.value).reason == "DECISION_USED"
    assert "take a new request_id" in refusal(error.value).message
    return refusal(error.value).metadata["decision_id"]


async def test_repeated_unmask_returns_plaintext_once(pair: tuple[Placet, Placet]) -> None:
    data, made = await tokens(pair[0]), fresh()
    await approved(pair[0], "Unmask", made, data)
    used = await call(pair[0], "Unmask", made, data)
    assert columns(used.data) == ROWS
    for server in (*pair, pair[0]):
        assert await refused(call(server, "Unmask", made, data)) == used.decision.decision_id
    kept = await verified_log(pair[0])
    under = [kept.payloads[one]["details"]["decision_id"] for one in kept.of(Kind.UNMASK)]
    assert under.count(used.decision.decision_id) == 1
    errors = [record for record, _ in await log(pair[0], Kind.ERROR) if record["error"] == "DECISION_USED"]
    assert len(errors) >= 3


async def test_of_racing_repetitions_in_two_processes_one_gets_data(pair: tuple[Placet, Placet]) -> None:
    data, made = await tokens(pair[0]), fresh()
    await approved(pair[0], "Unmask", made, data)
    racing = [call(pair[at % 2], "Unmask", made, data) for at in range(RACERS)]
    answers = await asyncio.gather(*racing, return_exceptions=True)
    (used,) = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert columns(used.data) == ROWS
    failures = [refusal(answer).reason for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert failures == ["DECISION_USED"] * (RACERS - 1)
    await verified_log(pair[0])


@pytest.mark.parametrize("rpc", ["MaskStream", "Rewrap"])
async def test_an_approval_lets_one_stream_run(pair: tuple[Placet, Placet], rpc: str) -> None:
    batch = pa.record_batch(ROWS if rpc == "MaskStream" else columns(await tokens(pair[0])))
    start = mask_pb2.StreamStart(scope=fresh(), shape=shape(batch.schema))
    await pair[0].review((await stream(pair[0], [batch], start, rpc=rpc)).opened.decision.approval, "bob")
    used = await stream(pair[0], [batch], start, rpc=rpc)
    assert used.end is not None
    decision_id = used.opened.decision.decision_id
    assert await refused(stream(pair[1], [batch], start, rpc=rpc)) == decision_id
    if rpc == "MaskStream":
        assert await refused(call(pair[0], "Mask", start.scope, arrow(ROWS))) == decision_id
    await verified_log(pair[0])


async def test_killed_between_decision_and_claim_the_repetition_finishes_the_use_once(
    tmp_path: Path, state: Path, mongod: MongodProcess, policy: Path, keys: dict[str, Any], pair: tuple[Placet, Placet]
) -> None:
    server, data, made = pair[0], await tokens(pair[0]), fresh()
    await approved(server, "Unmask", made, data)
    async with (
        database(mongod, server) as found,
        served(tmp_path, state, mongod.uri, database=server.database, policy=[policy], **keys) as doomed,
    ):
        await found.command({"collMod": "uses", "validator": {"never": {"$exists": True}}})
        try:
            with pytest.raises(grpc.aio.AioRpcError) as died:
                await call(doomed, "Unmask", made, data)
            await doomed.kill()
        finally:
            await found.command({"collMod": "uses", "validator": {}})
        assert refusal(died.value).reason == "STORE_UNAVAILABLE"
        consumed = await found["approvals"].find_one({"request_ids": made.request_id})
    assert consumed is not None
    assert consumed["state"] == "CONSUMED"
    used = await call(server, "Unmask", made, data)
    assert used.decision.decision_id == consumed["used_by"]["decision_id"]
    assert columns(used.data) == ROWS
    await refused(call(server, "Unmask", made, data))
    await verified_log(server)


async def test_plain_allows_are_decided_anew_each_time(state: Path, mongod: MongodProcess) -> None:
    async with masking(state, mongod.uri) as server:
        made, data = scope(request_id=uuid4().hex), arrow({"soc_sec_id": ["5304218"]})
        answers = [await call(server, "Mask", made, data) for _ in range(3)]
    assert len({answer.decision.decision_id for answer in answers}) == 3
    assert {answer.rows for answer in answers} == {1}

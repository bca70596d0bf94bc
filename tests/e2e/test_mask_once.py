"""One approval masks or unmasks once: repeated, raced, and under another RPC."""

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
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Effect
from tests.faults import verified_log
from tests.masks import arrow, columns, masking, scope, shape, stream
from tests.parts import Placet, log, refusal

POLICY = """package policy

needs_approval contains {"rule": "ask", "reason": "ask", "reviewers": {"groups": ["data-stewards"]}}

mask contains {"rule": "ids", "reason": "ids join", "columns": ["id"], "domain": "person.id"}
"""
DATA = '{"domains": {"person.id": {"mask": "token", "values": "open"}}, "identities": {"agent:dev": {"owners": []}}}'
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


async def test_another_attempt_under_the_same_ids_is_denied_and_gets_no_data(pair: tuple[Placet, Placet]) -> None:
    data, made = await tokens(pair[0]), fresh()
    await approved(pair[0], "Unmask", made, data)
    used = await call(pair[0], "Unmask", made, data)
    for attempt_id in ("", uuid4().hex):
        made.attempt_id = attempt_id
        answer = await call(pair[1], "Unmask", made, data)
        assert [reason.rule for reason in answer.decision.reasons] == ["pdp.approval_consumed"]
        assert used.decision.decision_id in answer.decision.reasons[0].reason
        assert not answer.HasField("data")


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


async def test_use_that_no_job_has_is_finished_by_one(pair: tuple[Placet, Placet]) -> None:
    """Asked by itself, the same action is used up without work; then the job that comes in time gets that use."""
    data, made = await tokens(pair[0]), fresh()
    asked = await call(pair[0], "Unmask", made, data)
    await pair[0].review(asked.decision.approval, "bob")
    request = asked.decision.approval.request
    alone = await pair[0].authorize(
        AuthorizeRequest(
            subject=request.subject,
            on_behalf_of=request.on_behalf_of,
            action=request.action,
            resource=request.resource,
            context=request.context,
            request_id=made.request_id,
            attempt_id=made.attempt_id,
        )
    )
    assert alone.effect == Effect.EFFECT_ALLOW
    racing = [call(pair[at % 2], "Unmask", made, data) for at in range(RACERS)]
    answers = await asyncio.gather(*racing, return_exceptions=True)
    (used,) = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert (used.decision.decision_id, columns(used.data)) == (alone.decision_id, ROWS)
    assert await refused(call(pair[1], "Unmask", made, data)) == alone.decision_id
    await verified_log(pair[0])


async def test_plain_allows_are_decided_anew_each_time(state: Path, mongod: MongodProcess) -> None:
    async with masking(state, mongod.uri) as server:
        made, data = scope(request_id=uuid4().hex), arrow({"soc_sec_id": ["5304218"]})
        answers = [await call(server, "Mask", made, data) for _ in range(3)]
    assert len({answer.decision.decision_id for answer in answers}) == 3
    assert {answer.rows for answer in answers} == {1}

"""Unmask and Rewrap: approvals bound to the very tokens, quotas, key versions."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pyarrow as pa
import pytest

from masker import keys as key_files
from pdp.masking import keys
from pdp.policy.sources import rego
from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_pb2
from pdp.v1.request_pb2 import Effect
from tests.masks import arrow, columns, masking, records, scope, shape, stream
from tests.parts import Placet, log, refusal
from tests.pdp.wire import refused


@pytest.fixture(scope="module")
async def server(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with masking(state, mongod.uri) as running:
        yield running


async def masked(server: Placet, data: mask_pb2.MaskData) -> mask_pb2.MaskData:
    request = mask_pb2.MaskRequest(scope=scope(), data=data)
    return (await server.masks.Mask(request, metadata=server.metadata("report-bot"))).data


async def unmask(
    server: Placet, data: mask_pb2.MaskData, approval_id: str = "", columns: Sequence[str] = ()
) -> mask_pb2.UnmaskResponse:
    request = mask_pb2.UnmaskRequest(scope=scope(approval_id=approval_id), data=data, columns=columns)
    return await server.masks.Unmask(request, metadata=server.metadata("report-bot"))


async def test_unmasking_waits_for_a_steward_and_fits_those_tokens_once(server: Placet) -> None:
    data = await masked(server, arrow({"soc_sec_id": [5304218, None, 42], "postcode": ["2011", "2011", "2011"]}))
    tokens = columns(data)["soc_sec_id"]
    asked = await unmask(server, data)
    assert asked.decision.effect == Effect.EFFECT_NEEDS_APPROVAL
    assert not asked.HasField("data")
    context = asked.decision.approval.request.context
    assert list(context["columns"]) == ["soc_sec_id"]
    assert context["count"] == 2
    assert context["tokens_sha256"] == digest({"soc_sec_id": [tokens[0], tokens[2]]})

    approval_id = asked.decision.approval.approval_id
    await server.review(asked.decision.approval, "bob")
    others = await masked(server, arrow({"soc_sec_id": [5304218, None, 43], "postcode": ["2011", "2011", "2011"]}))
    mismatch = await unmask(server, others, approval_id)
    assert mismatch.decision.effect == Effect.EFFECT_DENY
    assert "context.tokens_sha256" in mismatch.decision.reasons[0].reason
    assert not mismatch.HasField("data")

    used = await unmask(server, data, approval_id)
    assert used.decision.effect == Effect.EFFECT_ALLOW
    assert columns(used.data)["soc_sec_id"] == [5304218, None, 42]
    assert (await unmask(server, data, approval_id)).decision.effect == Effect.EFFECT_DENY
    record, held = (await log(server, "unmask"))[-1]
    assert record["id"] == used.record_id
    assert held["details"]["values"] == 2
    assert held["details"]["tokens_sha256"] == context["tokens_sha256"]


async def test_a_schema_of_contexts_leaves_the_server_its_members(
    state: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    path = tmp_path / "more" / "schema" / "context" / "unmask.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"type": "object", "properties": {"amount": {"type": "number"}}}')
    async with masking(state, mongod.uri, policy=[rego(), tmp_path / "more"]) as server:
        data = await masked(server, arrow({"soc_sec_id": [5304218], "postcode": ["2011"]}))
        asked = await unmask(server, data)
        assert asked.decision.approval.request.context["count"] == 1
        ticket = mask_pb2.UnmaskRequest(scope=scope(context={"ticket": "T-1"}), data=data)
        why = await refused(server.masks.Unmask(ticket, metadata=server.metadata("report-bot")))
        assert list(why.fields) == ["scope.context"]


def digest(named: dict[str, list[str]]) -> str:
    """As the contract describes it."""
    hashed = hashlib.sha256()
    for name, values in named.items():
        hashed.update(len(name).to_bytes(4, "big") + name.encode() + len(values).to_bytes(8, "big"))
        for value in values:
            hashed.update(len(value).to_bytes(4, "big") + value.encode())
    return hashed.hexdigest()


async def test_records_and_single_columns_are_reversed(server: Placet) -> None:
    data = await masked(server, records('{"soc_sec_id":"5304218","surname":"Smith"}'))
    asked = await unmask(server, data, columns=["soc_sec_id"])
    await server.review(asked.decision.approval, "bob")
    used = await unmask(server, data, asked.decision.approval.approval_id, columns=["soc_sec_id"])
    assert used.data.records.records[0].startswith('{"soc_sec_id":"5304218","surname":"name_')


async def test_a_changed_token_is_refused_without_showing_it(server: Placet) -> None:
    data = await masked(server, arrow({"soc_sec_id": ["5304218"]}))
    token = columns(data)["soc_sec_id"][0]
    broken = arrow({"soc_sec_id": [token[:-3] + ("aaa" if not token.endswith("aaa") else "bbb")]})
    asked = await unmask(server, broken)
    await server.review(asked.decision.approval, "bob")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await unmask(server, broken, asked.decision.approval.approval_id)
    assert refusal(refused.value).reason == "VALUE_REFUSED"
    assert refusal(refused.value).metadata == {"column": "soc_sec_id", "row": "0", "rule": "customers.ssn"}
    assert token[:20] not in refusal(refused.value).message
    record, held = (await log(server, "error"))[-1]
    assert record["error"] == "VALUE_REFUSED"
    assert held["request"]["context"]["count"] == 1
    assert token[:20] not in str(held)


async def test_the_server_sets_what_an_approval_is_bound_to(server: Placet) -> None:
    claimed = scope()
    claimed.context["count"] = 1
    request = mask_pb2.UnmaskRequest(scope=claimed, data=arrow({"soc_sec_id": ["x"]}))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.masks.Unmask(request, metadata=server.metadata("report-bot"))
    assert refusal(refused.value).fields == ("scope.context.count",)


async def test_only_some_may_rewrap(server: Placet) -> None:
    batch = pa.record_batch({"soc_sec_id": ["x"]})
    answer = await stream(server, [batch], rpc="Rewrap")
    assert answer.opened.decision.effect == Effect.EFFECT_DENY
    assert answer.end is None
    assert not answer.batches


async def test_rewrap_moves_to_the_active_version_and_old_tokens_stay_readable(
    state: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    path = keys.demo_keys(tmp_path / "keys" / "mask.json")
    assert path is not None
    async with masking(state, mongod.uri, mask_keys=path) as server:
        old = await masked(server, arrow({"soc_sec_id": [5304218, 42], "phone": ["202-555-0143", "202-555-0144"]}))
        before = pa.ipc.open_stream(old.arrow_stream).read_all().combine_chunks().to_batches()[0]
        key_files.rotate(path, now=datetime.now(UTC))
        new = await masked(server, arrow({"soc_sec_id": [5304218, 42], "phone": ["202-555-0143", "202-555-0144"]}))
        assert columns(new)["soc_sec_id"][0] != columns(old)["soc_sec_id"][0]

        start = mask_pb2.StreamStart(scope=scope(on_behalf_of=[]), shape=shape(before.schema))
        start.scope.subject.type, start.scope.subject.id = "user", "bob"
        moved = await stream(server, [before], start, by="bob", rpc="Rewrap")
        assert moved.opened.decision.effect == Effect.EFFECT_ALLOW
        assert moved.table.to_pydict() == columns(new)
        assert moved.table.schema.field("phone").metadata[b"placet.key_version"] == b"2"
        assert "5304218" not in str(moved.table)

        asked = await unmask(server, old)
        await server.review(asked.decision.approval, "bob")
        used = await unmask(server, old, asked.decision.approval.approval_id)
        assert columns(used.data)["soc_sec_id"] == [5304218, 42]
        assert columns(used.data)["phone"][0] == "202-555-0143"

        key_files.retire(path, 1)
        start.scope.context["again"] = True
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stream(server, [before], start, by="bob", rpc="Rewrap")
        assert refusal(refused.value).reason in {"KEY_REFUSED", "VALUE_REFUSED"}


async def test_quotas_count_submitted_values_and_say_when_to_come_back(state: Path, mongod: MongodProcess) -> None:
    async with masking(state, mongod.uri, mask_values_an_hour=5, unmask_values_an_hour=1) as server:
        data = await masked(server, arrow({"rec_id": ["a", "b", "c"]}))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await masked(server, arrow({"rec_id": ["a", "b", "c"]}))
        assert refusal(refused.value).code == "RESOURCE_EXHAUSTED"
        assert refusal(refused.value).reason == "QUOTA_EXCEEDED"
        await masked(server, arrow({"rec_id": ["a", "b"], "postcode": ["2011", "2011"]}))
        await masked(server, arrow({"postcode": ["2011"] * 9}))

        asked = await unmask(server, data)
        await server.review(asked.decision.approval, "bob")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await unmask(server, data, asked.decision.approval.approval_id)
        assert refusal(refused.value).reason == "QUOTA_EXCEEDED"


async def test_a_stream_that_runs_into_its_quota_is_recorded_with_what_it_sent(
    state: Path, mongod: MongodProcess
) -> None:
    async with masking(state, mongod.uri, mask_values_an_hour=5) as server:
        batch = pa.record_batch({"rec_id": ["a", "b"]})
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stream(server, [batch, batch, batch])
        assert refusal(refused.value).reason == "QUOTA_EXCEEDED"
        record, held = (await log(server, "mask"))[-1]
        assert record["error"] == "QUOTA_EXCEEDED"
        assert held["details"]["phase"] == "broken"
        assert held["details"]["rows"] == 4


async def test_plan_to_unmask_names_what_is_reversed_and_its_domains(server: Placet) -> None:
    described = pa.schema([("soc_sec_id", pa.string()), ("surname", pa.string()), ("postcode", pa.string())])

    async def planned(**members: Any) -> mask_pb2.GetMaskPlanResponse:
        request = mask_pb2.GetMaskPlanRequest(scope=scope(), shape=shape(described), **members)
        return await server.masks.GetMaskPlan(request, metadata=server.metadata("report-bot"))

    answer = await planned(unmask=True)
    assert answer.decision.effect == Effect.EFFECT_NEEDS_APPROVAL
    assert {each.column: each.domain for each in answer.plan.columns if each.mask != "keep"} == {
        "soc_sec_id": "customer.ssn",
        "surname": "customer.name",
    }
    one = await planned(unmask=True, columns=["surname"])
    assert [each.column for each in one.plan.columns if each.mask != "keep"] == ["surname"]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await planned(columns=["surname"])
    assert refusal(refused.value).fields == ("columns",)

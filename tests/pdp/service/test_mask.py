from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pyarrow as pa
import pytest

from pdp.arrow import table
from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_pb2
from pdp.v1.request_pb2 import Effect, Subject
from tests.masks import arrow, columns, masking, records, scope, shape, stream
from tests.parts import Placet, log, refusal

PEOPLE = {
    "rec_id": ["r1", "r2", None],
    "surname": ["Smith", "smith ", ""],
    "soc_sec_id": [5304218, 1234567, 5304218],
    "phone": ["+1 202-555-0143", "12", None],
    "postcode": ["4814", "2011", None],
}


@pytest.fixture(scope="module")
async def server(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with masking(state, mongod.uri) as running:
        yield running


async def test_mask_answers_with_the_decision_the_plan_and_the_masked_rows(server: Placet) -> None:
    request = mask_pb2.MaskRequest(scope=scope(), data=arrow(PEOPLE))
    answer = await server.masks.Mask(request, metadata=server.metadata("report-bot"))
    assert answer.decision.effect == Effect.EFFECT_ALLOW
    assert answer.rows == 3
    masked = columns(answer.data)
    assert masked["rec_id"][0].startswith("rec_")
    assert masked["rec_id"][2] is None
    assert masked["surname"][0] == masked["surname"][1] != masked["surname"][2]
    assert masked["soc_sec_id"][0] == masked["soc_sec_id"][2] != masked["soc_sec_id"][1]
    assert masked["phone"][0] != PEOPLE["phone"][0]
    assert masked["phone"][1:] == [None, None]
    assert masked["postcode"][0].startswith("481")
    assert masked["postcode"][0] != "4814"
    assert [column.mask for column in answer.plan.columns] == ["token", "token", "token", "fpe", "generalize"]
    assert answer.plan.policy_revision == answer.decision.policy_revision
    recorded = [(record, held) for record, held in await log(server, "mask") if record["id"] == answer.record_id]
    assert recorded[0][1]["details"]["rows"] == 3
    assert recorded[0][1]["details"]["values"] == 10
    assert recorded[0][1]["details"]["decision_id"] == answer.decision.decision_id


async def test_a_stream_masks_to_the_same_tokens(server: Placet) -> None:
    batch = pa.record_batch(PEOPLE)
    inline = await server.masks.Mask(
        mask_pb2.MaskRequest(scope=scope(), data=arrow(PEOPLE)), metadata=server.metadata("report-bot")
    )
    streamed = await stream(server, [batch.slice(0, 1), batch.slice(1)])
    assert streamed.end is not None
    assert streamed.end.rows == 3
    assert streamed.table.to_pydict() == columns(inline.data)
    phases = [held["details"]["phase"] for _, held in await log(server, "mask")]
    assert phases[-2:] == ["started", "complete"]


async def test_records_are_masked_by_path(server: Placet) -> None:
    request = mask_pb2.MaskRequest(
        scope=scope(), data=records('{"surname":"Smith","rec_id":"r1"}', '{"postcode":"4814"}')
    )
    answer = await server.masks.Mask(request, metadata=server.metadata("report-bot"))
    assert "Smith" not in str(answer.data)
    assert answer.data.records.records[0].startswith('{"surname":"name_')
    assert [column.column for column in answer.plan.columns] == ["postcode", "rec_id", "surname"]


async def test_a_column_without_a_mask_is_refused_by_name(server: Placet) -> None:
    request = mask_pb2.MaskRequest(scope=scope(), data=arrow({"salary": [1], "rec_id": ["r"]}))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.masks.Mask(request, metadata=server.metadata("report-bot"))
    assert refusal(refused.value).code == "FAILED_PRECONDITION"
    assert refusal(refused.value).reason == "MASK_PLAN_REFUSED"
    assert refusal(refused.value).fields == ("salary",)


async def test_the_plan_is_shown_without_running_it(server: Placet) -> None:
    request = mask_pb2.GetMaskPlanRequest(scope=scope(), shape=shape(pa.record_batch(PEOPLE).schema))
    answer = await server.masks.GetMaskPlan(request, metadata=server.metadata("report-bot"))
    assert answer.decision.dry_run
    assert answer.plan.columns[2].domain == "customer.ssn"
    assert '"secret"' not in answer.plan_json


async def test_content_is_read_for_nobody_whom_the_policy_denies(server: Placet) -> None:
    schema = table.schema_bytes(pa.schema([("rec_id", pa.string())]))
    broken = mask_pb2.MaskData(arrow_stream=schema + b"\xff" * 64)
    stranger = scope(on_behalf_of=[Subject(type="user", id="nobody")])
    metadata = server.metadata("report-bot")
    denied = await server.masks.Mask(mask_pb2.MaskRequest(scope=stranger, data=broken), metadata=metadata)
    assert denied.decision.effect == Effect.EFFECT_DENY
    assert not denied.HasField("data")
    before = len(await log(server, "decision"))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await server.masks.Mask(mask_pb2.MaskRequest(scope=scope(), data=broken), metadata=metadata)
    assert refusal(refused.value).code == "INVALID_ARGUMENT"
    assert refusal(refused.value).fields == ("data.arrow_stream",)
    assert len(await log(server, "decision")) == before


async def test_bad_fields_are_named_all_at_once_and_as_they_were_sent(server: Placet) -> None:
    bad = mask_pb2.MaskScope(request_id="\n", on_behalf_of=[Subject(type="user")])
    asked = ["scope.request_id", "scope.subject.type", "scope.subject.id", "scope.on_behalf_of[0].id", "scope.table"]
    for data, fields in ((mask_pb2.MaskData(), ["data", *asked]), (arrow(PEOPLE), asked)):
        request = mask_pb2.MaskRequest(scope=bad, data=data)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await server.masks.Mask(request, metadata=server.metadata("report-bot"))
        assert (refusal(refused.value).code, list(refusal(refused.value).fields)) == ("INVALID_ARGUMENT", fields)

"""What leaves masked is lineage before the call ends, and its tags go along."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pyarrow as pa
import pytest

from pdp.arrow import table
from pdp.lineage.fact import Dataset, Way
from pdp.process.mongod import MongodProcess
from pdp.v1 import mask_job_pb2, mask_pb2
from pdp.v1.approval_pb2 import OutcomeState
from pdp.v1.mask_job_pb2_grpc import MaskJobServiceStub
from pdp.v1.request_pb2 import Effect
from tests.faults import eventually, failing
from tests.mask_jobs import start_of, streamed
from tests.masks import scope, stream
from tests.parts import asking, log, refusal
from tests.pdp.outflow import CRM, LETTER, ROWS, TABLE, Kept, export_of, keeping
from tests.tokens import bearer

OUT = Dataset("s3://lake", "out/newsletter")


@pytest.fixture(scope="module")
async def kept(mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    async with keeping(tmp_path_factory.mktemp("outflow"), mongod) as found:
        yield found


def to(destination: str) -> dict[str, Any]:
    return {"context": {"destination": destination}}


async def test_tag_travels_masked_and_is_explained_through_both_jobs(kept: Kept) -> None:
    answer = await kept.mask()
    [*_, event] = await kept.left()
    run = answer.decision.decision_id.removeprefix("dec_")
    assert (event.run.replace("-", ""), event.job) == (run, ("placet/dev", f"mask.{TABLE}"))
    out = export_of(answer.decision.decision_id)
    assert await kept.tags(out) == {"recipient": ["contact:masked"], "ssn": [], "note": ["internal"], "id": []}
    why = await kept.why(out, "recipient", "contact:masked")
    assert [(one.source_column, one.column, one.job_name) for one in why.steps] == [
        ("email", "recipient", "newsletter"),
        ("recipient", "recipient", f"mask.{TABLE}"),
    ]
    assert [(one.by, one.dataset.name, one.column) for one in why.assertions] == [("user:bob", CRM.name, "email")]


async def test_policy_on_the_destination_sees_the_masked_tag(kept: Kept) -> None:
    question = asking("look", resource={"type": "file", "id": "s3://lake/out/newsletter"})
    assert (await kept.server.authorize(question, by="dev")).effect == Effect.EFFECT_ALLOW
    answer = await kept.mask(**to("s3a://key:secret@lake/out/newsletter/dt=1?token=secret"))
    assert answer.decision.effect == Effect.EFFECT_ALLOW
    question.lineage_at_least = await kept.newest()
    denied = await kept.server.authorize(question, by="dev")
    assert [reason.rule for reason in denied.reasons] == ["contact"]
    assert "unclassified" in (await kept.tags(OUT))["id"], "others may write there, too"


async def test_stream_and_its_retry_are_the_same_to_whoever_decides_later(kept: Kept) -> None:
    destination = to("s3://lake/out/again")
    for _ in range(2):
        found = await stream(kept.server, [ROWS], kept.opening(**destination), by="dev")
        assert found.end is not None
        [*_, event] = await kept.left()
        assert event.run.replace("-", "") == found.opened.decision.decision_id.removeprefix("dec_")
        tags = await kept.tags(Dataset("s3://lake", "out/again"))
        assert tags["recipient"] == ["contact:masked", "unclassified"]
    assert len({one.run for one in await kept.left() if one.outputs[0].dataset.name == "out/again"}) == 2


async def test_rewrap_is_lineage_too(kept: Kept) -> None:
    masked = await stream(kept.server, [ROWS], kept.opening(), by="dev")
    again = mask_pb2.StreamStart()
    again.CopyFrom(kept.opening(**to("s3://lake/out/rewrapped")))
    again.shape.arrow_schema = table.schema_bytes(masked.table.schema)
    found = await stream(kept.server, masked.batches, again, by="dev", rpc="Rewrap")
    assert found.end is not None
    [*_, event] = await kept.left()
    ways = {edge.column: edge.way for edge in event.outputs[0].edges}
    assert (ways["recipient"], ways["note"]) == (Way.MASKED, Way.CARRY)
    assert event.outputs[0].dataset.name == "out/rewrapped"


async def test_unmasking_and_a_plan_are_no_lineage_of_masks(kept: Kept) -> None:
    before = len(await kept.left())
    plan = mask_pb2.GetMaskPlanRequest(scope=kept.opening().scope, shape=kept.opening().shape)
    assert (await kept.server.masks.GetMaskPlan(plan, metadata=kept.server.metadata("dev"))).HasField("plan")
    assert len(await kept.left()) == before


async def test_column_and_table_that_nobody_knows_leave_unclassified(kept: Kept) -> None:
    rows = pa.record_batch({"new": ["x"]})
    start = kept.opening(name="nowhere")
    start.shape.arrow_schema = table.schema_bytes(rows.schema)
    found = await stream(kept.server, [rows], start, by="dev")
    [*_, event] = await kept.left()
    assert event.inputs == (Dataset("placet://dev", "nowhere (table)"),)
    tags = await kept.tags(export_of(found.opened.decision.decision_id))
    assert tags == {"new": ["unclassified"]}


async def test_broken_stream_leaves_what_had_left(kept: Kept) -> None:
    call = kept.server.masks.MaskStream(metadata=kept.server.metadata("dev"))
    await call.write(mask_pb2.MaskStreamRequest(start=kept.opening(**to("s3://lake/out/half"))))
    writer = table.Writer(ROWS.schema)
    for message in writer.messages(ROWS):
        await call.write(mask_pb2.MaskStreamRequest(arrow_message=bytes(message)))
    assert (await call.read()).HasField("opened")
    assert (await call.read()).arrow_message
    call.cancel()

    async def look() -> bool:
        found = {one.outputs[0].dataset.name: one for one in await kept.left()}
        return "out/half" in found

    assert await eventually(look)


async def test_without_its_event_in_the_log_a_stream_has_no_end_and_a_mask_no_answer(
    mongod: MongodProcess, tmp_path: Path
) -> None:
    async with keeping(tmp_path, mongod) as kept:
        async with failing(mongod.uri, f"{kept.server.database}.lineage_log", errorCode=6):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await kept.mask()
            assert refusal(refused.value).code == "UNAVAILABLE"
            ended: list[Any] = []
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                ended.append(await stream(kept.server, [ROWS], kept.opening(), by="dev"))
            assert refusal(refused.value).code == "UNAVAILABLE"
        assert not ended
        phases = [held["details"]["phase"] for _, held in await log(kept.server, "mask")]
        assert phases == ["started", "broken"]


async def test_event_is_there_where_the_end_was_lost(mongod: MongodProcess, tmp_path: Path) -> None:
    async with keeping(tmp_path, mongod) as kept:
        call = kept.server.masks.MaskStream(metadata=kept.server.metadata("dev"))
        await call.write(mask_pb2.MaskStreamRequest(start=kept.opening(**to("s3://lake/out/newsletter"))))
        assert (await call.read()).HasField("opened")
        async with failing(mongod.uri, f"{kept.server.database}.batches", errorCode=6):
            for message in table.Writer(ROWS.schema).messages(ROWS):
                await call.write(mask_pb2.MaskStreamRequest(arrow_message=bytes(message)))
            await call.done_writing()
            assert (await call.read()).arrow_message
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call.read()
            assert refusal(refused.value).code == "UNAVAILABLE"
        assert (await kept.left())[0].outputs[0].dataset == OUT
        again = await stream(kept.server, [ROWS], kept.opening(**to("s3://lake/out/newsletter")), by="dev")
        assert again.end is not None
        assert (await kept.tags(OUT))["recipient"] == ["contact:masked", "unclassified"]


async def test_server_without_lineage_writes_none(mongod: MongodProcess, tmp_path: Path) -> None:
    async with keeping(tmp_path, mongod, keeps_lineage=False) as kept:
        rows = pa.record_batch({"id": ["1"]})
        start = kept.opening()
        start.shape.arrow_schema = table.schema_bytes(rows.schema)
        assert (await stream(kept.server, [rows], start, by="dev")).end is not None
        assert not await kept.left()


@pytest.mark.parametrize(
    "members",
    [
        {"job": {"namespace": "placet/dev", "name": "mask.t"}},
        {"job": {"namespace": "Placet//Dev/", "name": "mask.t"}},
        {"outputs": [{"namespace": "placet://dev", "name": "export/dec_1"}]},
        {"outputs": [{"namespace": "PLACET://x@dev/", "name": "t (table)"}]},
        {"outputs": [{"namespace": "placet://dev/export", "name": "dec_1"}]},
    ],
)
async def test_nobody_else_writes_what_is_placets(kept: Kept, members: Any) -> None:
    [answer] = await kept.sent({"run": {"runId": "1"}, "job": {"namespace": "etl", "name": "x"}, **members})
    assert answer.reason == "DATASET_FOREIGN"


async def test_name_of_placets_is_joined_with_no_other(kept: Kept) -> None:
    links = {"identifiers": [{"namespace": "placet://dev", "name": "export/dec_1", "type": "TABLE"}]}
    output = {"namespace": LETTER.namespace, "name": "dwh.public.x", "facets": {"symlinks": links}}
    [answer] = await kept.sent({"run": {"runId": "2"}, "job": {"namespace": "etl", "name": "x"}, "outputs": [output]})
    assert (answer.reason, len(answer.problems)) == ("", 1)


async def test_job_is_one_event_when_it_is_finished_and_it_says_whether_all_left(kept: Kept) -> None:
    stub = MaskJobServiceStub(kept.server.channel)
    by = kept.server.metadata("dev")

    async def finished(outcome: OutcomeState, destination: str) -> list[Any]:
        made = scope(name=TABLE, request_id=uuid4().hex, **to(destination))
        asked = mask_job_pb2.StartMaskJobRequest(scope=made, arrow_schema=table.schema_bytes(ROWS.schema))
        begun = await stub.StartMaskJob(asked, metadata=by)
        for part in range(2):
            await streamed(kept.server, bearer(begun.ticket), [ROWS], start_of(part, schema=ROWS.schema))
        assert not [one for one in await kept.left() if one.outputs[0].dataset.name == destination.rpartition("/")[2]]
        ended = [mask_job_pb2.EndedPart(part=part, rows=1) for part in range(2)]
        end = mask_job_pb2.FinishMaskJobRequest(job_id=begun.job_id, outcome=outcome, parts=ended)
        for _ in range(2):
            await stub.FinishMaskJob(end, metadata=by)
        run = begun.decision.decision_id.removeprefix("dec_")
        return [one for one in await kept.left() if one.run.replace("-", "") == run]

    [whole] = await finished(OutcomeState.OUTCOME_STATE_SUCCEEDED, "s3://lake/jobwhole")
    assert (whole.job, whole.outputs[0].dataset) == (("placet/dev", f"mask.{TABLE}"), Dataset("s3://lake", "jobwhole"))
    assert (await kept.tags(Dataset("s3://lake", "jobwhole")))["recipient"] == ["contact:masked", "unclassified"]
    [broken] = await finished(OutcomeState.OUTCOME_STATE_FAILED, "s3://lake/jobbroken")
    assert broken.outputs[0].dataset == Dataset("s3://lake", "jobbroken")

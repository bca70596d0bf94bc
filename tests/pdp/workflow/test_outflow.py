"""An approved use that is reported is lineage, once, before its report is answered."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import grpc
import pytest

from pdp.lineage.fact import Dataset, Way
from pdp.lineage.limits import COLUMNS
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, ApprovalState, GetApprovalRequest, OutcomeState
from tests.faults import failing
from tests.parts import asking, refusal
from tests.pdp.outflow import LETTER, TABLE, Kept, classified_wide, export_of, keeping
from tests.pdp.steps import report

SUCCEEDED, FAILED, UNKNOWN = (
    getattr(OutcomeState, f"OUTCOME_STATE_{name}") for name in ("SUCCEEDED", "FAILED", "UNKNOWN")
)


@pytest.fixture(scope="module")
async def kept(mongod: MongodProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    async with keeping(tmp_path_factory.mktemp("outflow"), mongod) as found:
        yield found


async def used(kept: Kept, action: str = "export", table: str = TABLE, kind: str = "table", **context: Any) -> Approval:
    """A use that bob has approved."""
    request = asking(
        action,
        resource={"type": kind, "id": table},
        context={"run": uuid4().hex, **context},
        attemptId=uuid4().hex,
        requestId=uuid4().hex,
    )
    asked = await kept.server.authorize(request, by="dev")
    reviewed = await kept.server.review(asked.approval, "bob")
    assert reviewed.state == ApprovalState.APPROVAL_STATE_APPROVED
    return (await kept.server.authorize(request, by="dev")).approval


async def told(kept: Kept, approval: Approval, *states: int) -> int:
    """How many events of Placet's own the log has more once this was reported."""
    before = len(await kept.left())
    for state in states:
        await report(kept.server, approval, state, by="dev")
    return len(await kept.left()) - before


async def test_export_carries_every_column_as_it_is(kept: Kept) -> None:
    approval = await used(kept)
    assert await told(kept, approval, SUCCEEDED) == 1
    [*_, event] = await kept.left()
    assert event.run.replace("-", "") == approval.used_by_decision_id.removeprefix("dec_")
    assert (event.inputs, event.job) == ((LETTER,), ("placet/dev", f"mask.{TABLE}"))
    assert event.event_time == approval.closed_at.ToMilliseconds()
    assert {(edge.column, edge.source_column, edge.way) for edge in event.outputs[0].edges} == {
        (name, name, Way.CARRY) for name in ("recipient", "ssn", "note", "id")
    }
    assert await kept.tags(export_of(approval.used_by_decision_id)) == {
        "recipient": ["contact", "unclassified"],
        "ssn": ["pii", "unclassified"],
        "note": ["internal", "unclassified"],
        "id": ["unclassified"],
    }, "Placet did not see what was exported"


async def test_export_to_a_destination_is_seen_there(kept: Kept) -> None:
    approval = await used(kept, "share", destination="s3://partner/letters")
    assert await told(kept, approval, UNKNOWN) == 1
    assert (await kept.tags(Dataset("s3://partner", "letters")))["ssn"] == ["pii", "unclassified"]


async def test_same_use_is_one_event_however_often_it_is_reported(kept: Kept) -> None:
    assert await told(kept, await used(kept), UNKNOWN, UNKNOWN, SUCCEEDED, SUCCEEDED) == 1


async def test_failed_use_and_other_actions_and_what_is_no_data_are_no_lineage(kept: Kept) -> None:
    assert await told(kept, await used(kept), FAILED) == 0
    assert await told(kept, await used(kept, "publish"), SUCCEEDED) == 0
    assert await told(kept, await used(kept, kind="repository"), SUCCEEDED) == 0


async def test_table_that_nobody_knows_leaves_unclassified(kept: Kept) -> None:
    approval = await used(kept, table="nowhere", destination="s3://partner/nowhere")
    assert await told(kept, approval, SUCCEEDED) == 1
    [*_, event] = await kept.left()
    assert (event.inputs, event.outputs[0].named) == ((Dataset("placet://dev", "nowhere (table)"),), None)
    await kept.classify(event.outputs[0].dataset, x=[])
    assert await kept.tags(event.outputs[0].dataset) == {"x": ["unclassified"]}


async def test_wide_table_leaves_column_by_column(kept: Kept) -> None:
    wide = await classified_wide(kept)
    approval = await used(kept, table=wide.name)
    assert await told(kept, approval, SUCCEEDED) == 1
    [*_, event] = await kept.left()
    assert len(event.outputs[0].edges) == len(event.outputs[0].columns) == 200


async def test_report_is_not_taken_without_its_event_in_the_log(mongod: MongodProcess, kept: Kept) -> None:
    approval = await used(kept)
    async with failing(mongod.uri, f"{kept.server.database}.lineage_log", errorCode=6):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await report(kept.server, approval, SUCCEEDED, by="dev")
    assert refusal(refused.value).code == "UNAVAILABLE"
    request = GetApprovalRequest(approval_id=approval.approval_id)
    now = await kept.server.approvals.GetApproval(request, metadata=kept.server.metadata("dev"))
    assert not now.approval.HasField("outcome")
    answer = await report(kept.server, approval, SUCCEEDED, by="dev")
    assert answer.approval.HasField("outcome")
    runs = [one.run.replace("-", "") for one in await kept.left()]
    assert runs.count(approval.used_by_decision_id.removeprefix("dec_")) == 1


async def test_columns_for_which_there_is_no_room_are_not_named(kept: Kept) -> None:
    full = Dataset("s3://partner", "full")
    await kept.classify(full, **{f"c{number}": [] for number in range(COLUMNS // 2)})
    await kept.tags(full)
    approval = await used(kept, destination="s3://partner/full")
    assert await told(kept, approval, SUCCEEDED) == 1
    [*_, event] = await kept.left()
    assert (event.outputs[0].named, event.inputs) == (None, (LETTER,))
    tags = await kept.tags(full)
    assert (len(tags), tags["c0"]) == (COLUMNS // 2, ["contact", "internal", "pii"])

"""The pages of records, single ones, and the export."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.audit_pb2 import ExportRecordsRequest, GetRecordRequest, ListRecordsRequest
from pdp.v1.decision_pb2 import GetDecisionRequest
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, asking, exporting, placet
from tests.pdp.mongo import database
from tests.pdp.reads import pages
from tests.pdp.wire import refused

KINDS = ("policy.loaded", "server.started", "decision", "approval.created")


@pytest.fixture(scope="module")
async def quiet(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server on which only these tests ask."""
    async with placet(state, mongod.uri) as running:
        yield running


@pytest.fixture(scope="module")
async def listed(quiet: Placet) -> list[str]:
    """The decisions of a few calls."""
    await quiet.authorize(exporting())
    answers = [await quiet.authorize(asking(action)) for action in ["read"] * 30 + ["drop", "read"]]
    return ["rec_" + answer.decision_id[4:] for answer in answers]


async def records(server: Placet, **filters: Any) -> list[Any]:
    request = ListRecordsRequest(**filters)
    found = pages(server.audit.ListRecords, request, server.metadata("dana"))
    return [record async for page in found for record in page.records]


async def test_records_are_paged_newest_first(quiet: Placet, listed: list[str]) -> None:
    small = [record.record_id for record in await records(quiet, page_size=7)]
    large = [record.record_id for record in await records(quiet, page_size=100)]
    assert small == large == sorted(large, reverse=True)
    assert set(listed) <= set(large)
    assert len(set(large)) == len(large)


async def test_records_take_kind_effect_and_approval(quiet: Placet, listed: list[str]) -> None:
    assert listed
    for kind in KINDS:
        found = await records(quiet, kind=kind)
        assert found
        assert {record.kind for record in found} == {kind}
    denied = await records(quiet, effect=Effect.EFFECT_DENY)
    assert {record.effect for record in denied} == {Effect.EFFECT_DENY}
    assert listed[-2] in {record.record_id for record in denied}
    opened = next(record for record in await records(quiet, kind="approval.created"))
    of_one = await records(quiet, approval_id=opened.approval_id)
    assert {record.approval_id for record in of_one} == {opened.approval_id}
    assert {"decision", "approval.created"} <= {record.kind for record in of_one}
    both = await records(quiet, approval_id=opened.approval_id, kind="approval.created")
    assert [record.record_id for record in both] == [opened.record_id]


async def test_list_equals_the_log(quiet: Placet, listed: list[str]) -> None:
    assert listed
    in_list = {record.record_id for record in await records(quiet, page_size=100)}
    export = quiet.audit.ExportRecords(ExportRecordsRequest(), metadata=quiet.metadata("dana"))
    in_log = [record async for answer in export for batch in answer.batches for record in batch.records]
    assert len(in_list) > 30
    assert in_list <= (logged := {record.split(b'"id":"')[1][:36].decode() for record in in_log})
    assert len(logged - in_list) <= 2  # the export itself, and what came since


async def test_no_decision_is_read_from_a_record_of_another_kind(quiet: Placet, listed: list[str]) -> None:
    assert listed
    (opened, *_) = await records(quiet, kind="approval.created", page_size=100)
    by = quiet.metadata("report-bot")
    why = await refused(
        quiet.decisions.GetDecision(GetDecisionRequest(decision_id="dec_" + opened.record_id[4:]), metadata=by)
    )
    assert why.reason == "DECISION_NOT_FOUND"


async def test_erased_payload_leaves_the_record_and_no_decision(quiet: Placet, mongod: MongodProcess) -> None:
    answer = await quiet.authorize(asking("read"))
    async with database(mongod, quiet) as found:
        condition = {"ids": bytes.fromhex(answer.decision_id[4:])}
        document = await found["batches"].find_one(condition)
        assert document is not None
        erased = [{"salt": None, "payload": None} for _ in document["payloads"]]
        await found["batches"].update_one(condition, {"$set": {"payloads": erased}})
    request = GetRecordRequest(record_id=answer.decision_id)
    record = await quiet.audit.GetRecord(request, metadata=quiet.metadata("dana"))
    assert record.summary.effect == Effect.EFFECT_ALLOW
    assert not record.payload
    assert not record.salt
    asked = GetDecisionRequest(decision_id=answer.decision_id)
    why = await refused(quiet.decisions.GetDecision(asked, metadata=quiet.metadata("report-bot")))
    assert why.reason == "DECISION_NOT_FOUND"


async def test_export_is_itself_in_the_log_first(quiet: Placet) -> None:
    for _ in range(2):
        export = quiet.audit.ExportRecords(ExportRecordsRequest(), metadata=quiet.metadata("dana"))
        in_log = {record async for answer in export for batch in answer.batches for record in batch.records}
    assert sum(b'"kind":"export"' in record for record in in_log) >= 2

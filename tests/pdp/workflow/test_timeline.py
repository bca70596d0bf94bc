"""What happened to an approval, for each step and each reader."""

from pathlib import Path

import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import ReviewChannel, TimelineEntry, TimelineKind
from pdp.v1.audit_pb2 import GetRecordRequest
from pdp.v1.review_pb2 import TakeBackDenialRequest
from tests.faults import eventually
from tests.notify import receiver
from tests.parts import Placet, exporting, placet
from tests.pdp.reads import seen
from tests.pdp.steps import brought_to, changes, report
from tests.tokens import Metadata, metadata


def auditing(server: Placet) -> Metadata:
    return metadata(server.state, "user:erin", "reviewer", "auditor", groups=["data-stewards"])


def told(entries: object) -> list[tuple[str, str]]:
    return [(name(one), one.who) for one in entries]  # type: ignore[attr-defined]


def name(one: TimelineEntry) -> str:
    return TimelineKind.Name(one.kind).removeprefix("TIMELINE_KIND_")


@pytest.mark.parametrize(
    ("after", "ends"),
    [
        ("PENDING", []),
        ("DENIED", [("REVIEWED", "user:carol"), ("ENDED", "user:carol")]),
        ("EXPIRED", [("ENDED", "")]),
        ("CANCELLED", [("ENDED", "agent:report-bot")]),
        ("APPROVED", [("REVIEWED", "user:carol")]),
        ("REVOKED", [("REVIEWED", "user:carol"), ("ENDED", "user:bob")]),
        ("CONSUMED", [("REVIEWED", "user:carol"), ("USED", "agent:report-bot")]),
    ],
)
async def test_each_step_is_there_in_the_order_of_time(
    server: Placet, mongod: MongodProcess, after: str, ends: list[tuple[str, str]]
) -> None:
    _, held = await brought_to(server, mongod, after)
    found = (await seen(server, held, server.metadata("bob"))).timeline
    begin = [("ASKED", "agent:report-bot"), ("REVIEWED", "user:bob")]
    assert sorted(told(found)) == sorted([*begin, *ends])
    times = [one.at.ToDatetime() for one in found]
    assert times == sorted(times)
    assert {one.channel for one in found if name(one) == "REVIEWED"} == {ReviewChannel.REVIEW_CHANNEL_API}


async def test_outcome_and_what_was_sent_back_and_taken_back_are_there(server: Placet, mongod: MongodProcess) -> None:
    _, used = await brought_to(server, mongod, "CONSUMED")
    await report(server, used)
    last = (await seen(server, used, server.metadata("bob"))).timeline[-1]
    assert (name(last), last.outcome, last.who) == ("OUTCOME", 1, "agent:report-bot")
    sent = (await server.authorize(exporting())).approval
    await server.reviews.Review(changes(sent), metadata=server.metadata("bob"))
    found = (await seen(server, sent, server.metadata("bob"))).timeline
    assert ("SENT_BACK", "user:bob") in told(found)
    _, denied = await brought_to(server, mongod, "DENIED")
    back = TakeBackDenialRequest(approval_id=denied.approval_id)
    await server.reviews.TakeBackDenial(back, metadata=server.metadata("carol"))
    found = (await seen(server, denied, server.metadata("bob"))).timeline
    assert told(found)[-1] == ("DENIAL_TAKEN_BACK", "user:carol")


async def test_auditor_gets_the_record_of_each_step_and_it_is_that_of_the_step(
    server: Placet, mongod: MongodProcess
) -> None:
    _, held = await brought_to(server, mongod, "CONSUMED")
    await report(server, held)

    async def all_listed() -> bool:
        found = (await seen(server, held, auditing(server))).timeline
        return all(one.record_id for one in found)

    await eventually(all_listed)
    kinds = {
        "ASKED": "approval.created",
        "REVIEWED": "approval.reviewed",
        "USED": "approval.consumed",
        "OUTCOME": "outcome",
    }
    others = (await seen(server, held, server.metadata("bob"))).timeline
    assert not [one.record_id for one in others if one.record_id], "records are for who may audit"
    for one in (await seen(server, held, auditing(server))).timeline:
        asked = GetRecordRequest(record_id=one.record_id)
        record = await server.audit.GetRecord(asked, metadata=server.metadata("dana"))
        assert record.summary.kind == kinds[name(one)]
        if name(one) == "REVIEWED":
            assert f'"reviewer":"{one.who}"'.encode() in record.payload


async def test_who_was_told_is_there(tmp_path: Path, state: Path, mongod: MongodProcess) -> None:
    async with (
        receiver(tmp_path) as hook,
        placet(state, mongod.uri, webhooks=(hook.config("ops"),)) as server,
    ):
        held = (await server.authorize(exporting())).approval

        async def was_told() -> bool:
            found = (await seen(server, held, server.metadata("bob"))).timeline
            return ("TOLD", "ops") in told(found)

        await eventually(was_told)
        found = (await seen(server, held, auditing(server))).timeline
        (one,) = [entry for entry in found if name(entry) == "TOLD"]
        assert one.event == "approval.created"
        assert one.record_id.startswith("rec_")

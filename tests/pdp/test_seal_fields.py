"""Each field of a stored approval is signed, compared, or harmless for a reason; a field without a class fails."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, exporting
from tests.pdp.mongo import database, set_back
from tests.pdp.steps import report, use, verdict

Document = dict[str, Any]
SEALED, SIGNED, STAMP, ENDS, HARMLESS = (
    "sealed",
    "signed for itself",
    "MongoDB's time, bounded",
    "can only end",
    "harmless",
)
FIELDS: Mapping[str, tuple[str, str]] = {
    "_id": (SEALED, "test_copy_of_an_approval_under_another_id_is_not_used"),
    "caller": (SEALED, ""),
    "request": (SEALED, "as its digest"),
    "digest": (SEALED, ""),
    "justification": (SEALED, ""),
    "requirements": (SEALED, ""),
    "principals": (SEALED, ""),
    "decision_id": (SEALED, ""),
    "policy_revision": (SEALED, ""),
    "supersedes": (SEALED, ""),
    "lineage": (SEALED, "what was known of the data when it was opened"),
    "seal": (SEALED, ""),
    "sealed_at": (SEALED, ""),
    "created_at": (STAMP, "at most a minute from sealed_at"),
    "approved_at": (STAMP, "at most a minute after the last review"),
    "closed_at": (STAMP, "at most a minute from the signed time of the use"),
    "reviews": (SIGNED, "each; too few do not lead to the state"),
    "used_by": (SIGNED, "with the hash of its decision's record"),
    "outbox": (SIGNED, "each entry; tests/pdp/recording/test_planted.py"),
    "state": (ENDS, "APPROVED and CONSUMED are checked against the reviews and the use; the rest gives nothing"),
    "pending_for_ms": (ENDS, "the deadline of the sealed requirements is asked, too"),
    "valid_for_ms": (ENDS, "the deadline of the sealed requirements is asked, too"),
    "version": (ENDS, "a step or a view of another version is refused"),
    "addressees": (HARMLESS, "finds it for a queue; the policy says who may review it"),
    "due_at": (HARMLESS, "orders the queue; deadlines are counted from the sealed durations"),
    "named": (HARMLESS, "counts what waits for a person; too small a count lets a caller ask people more often"),
    "kind": (HARMLESS, "finds the last approved request, which is shown if its seal and its own kind fit"),
    "request_ids": (HARMLESS, "finds the approval, whose caller and digest must be those of the request"),
    "updated_at": (HARMLESS, "says when a sweep looks at the outbox"),
    "untold": (HARMLESS, "makes webhooks look; a message decides nothing"),
    "closed_by": (HARMLESS, "is shown; the log has who closed it"),
    "close_reason": (HARMLESS, "is shown; the log has the reason"),
    "outcome": (HARMLESS, "is shown; the log has what was reported"),
}
REVIEW = {
    "reviewer", "person", "groups", "verdict", "reason", "at", "fits", "policy_revision", "suggestion", "claims",
    "signature", "suggestion_digest", "lineage", "channel",
}  # fmt: skip
REQUIREMENT: Mapping[str, Any] = {
    "rule": "another",
    "reason": "another",
    "groups": ["anybody"],
    "identities": ["user:mallory"],
    "count": 1,
    "pending_for_ms": 10**9,
    "valid_for_ms": 10**9,
    "claims": b'{"a":1}',
    "individual": True,
    "individual_every_ms": 1,
    "summary": ["context.run"],
    "unmask_values": 9,
    "channels": ["api", "web", "slack"],
    "passkey": True,
    "remind_ms": [60_000],
}
"""Every member of a stored requirement, with another value; all are sealed."""
USE = {"decision_id", "request_id", "record_sha256", "at", "signature", "claim", "attempt_id"}
ENTRY = {"id", "record", "salt", "payload", "signature"}


async def stored(mongod: MongodProcess, server: Placet, approval: Approval) -> Document:
    async with database(mongod, server) as found:
        return await found["approvals"].find_one({"_id": approval.approval_id}) or {}


async def changed(mongod: MongodProcess, server: Placet, approval: Approval, update: Document) -> None:
    async with database(mongod, server) as found:
        assert (await found["approvals"].update_one({"_id": approval.approval_id}, update)).modified_count == 1


async def test_every_field_that_a_step_writes_has_its_class(server: Placet, mongod: MongodProcess) -> None:
    request = exporting(requestId=uuid4().hex)
    approval = await server.approved(request)
    outbox = await _opened_with_its_outbox(server, mongod)
    await server.authorize(request)
    await report(server, approval)
    used = await stored(mongod, server, approval)
    denied = (await server.authorize(exporting())).approval
    await verdict(server, denied, "DENY", server.metadata("bob"))
    assert {*used, *await stored(mongod, server, denied), "outbox"} == FIELDS.keys()
    assert {*used["reviews"][0], "suggestion_digest"} == REVIEW
    assert used["used_by"].keys() == USE
    assert used["requirements"][0].keys() == REQUIREMENT.keys()
    assert outbox.keys() == ENTRY


async def test_each_member_of_a_requirement_is_sealed(server: Placet, mongod: MongodProcess) -> None:
    request = exporting()
    approval = await server.approved(request)
    [requirement] = (await stored(mongod, server, approval))["requirements"]
    assert requirement.keys() == REQUIREMENT.keys()
    for name, value in REQUIREMENT.items():
        assert requirement[name] != value
        await changed(mongod, server, approval, {"$set": {"requirements": [{**requirement, name: value}]}})
        assert not await is_allowed(server, request, approval), name
    await changed(mongod, server, approval, {"$set": {"requirements": [requirement]}})
    assert await is_allowed(server, request, approval)


async def _opened_with_its_outbox(server: Placet, mongod: MongodProcess) -> Document:
    """An entry as the insert stored it; the outbox is emptied soon, so the change stream is asked."""
    async with database(mongod, server) as found, await found["approvals"].watch() as stream:
        await server.authorize(exporting())
        change = await stream.next()
        entry: Document = change["fullDocument"]["outbox"][0]
        return entry


def another(value: Any) -> Any:
    """A value of the same type."""
    match value:
        case str():
            return value + "x"
        case bytes():
            return value.replace(b"export", b"expert")
        case list():
            return value[:-1]
        case _:
            return value + timedelta(hours=1)


async def is_allowed(server: Placet, request: AuthorizeRequest, approval: Approval) -> bool:
    try:
        return (await use(server, request, approval)).effect == Effect.EFFECT_ALLOW
    except grpc.aio.AioRpcError:
        return False


BOUND = [name for name, (how, _) in FIELDS.items() if how in (SEALED, SIGNED, STAMP) and name != "_id"]


@pytest.mark.parametrize("field", sorted({*BOUND} - {"closed_at", "used_by", "outbox"}))
async def test_approval_with_a_changed_or_removed_field_is_not_used(
    server: Placet, mongod: MongodProcess, field: str
) -> None:
    request = exporting(justification="to see")
    approval = await server.approved(request)
    document = await stored(mongod, server, approval)
    removed = [{"$unset": {field: True}}] if document[field] else []  # without a value it is as if it were not there
    for forged in ({"$set": {field: another(document[field])}}, *removed):
        await changed(mongod, server, approval, forged)
        assert not await is_allowed(server, request, approval)
        await changed(mongod, server, approval, {"$set": {field: document[field]}})
    assert await is_allowed(server, request, approval)


@pytest.mark.parametrize("member", sorted(REQUIREMENT))
async def test_approval_with_a_changed_requirement_is_not_used(
    server: Placet, mongod: MongodProcess, member: str
) -> None:
    request = exporting()
    approval = await server.approved(request)
    before = (await stored(mongod, server, approval))["requirements"][0][member]
    await changed(mongod, server, approval, {"$set": {f"requirements.0.{member}": REQUIREMENT[member]}})
    assert not await is_allowed(server, request, approval)
    await changed(mongod, server, approval, {"$set": {f"requirements.0.{member}": before}})
    assert await is_allowed(server, request, approval)


@pytest.mark.parametrize("field", ["created_at", "closed_at"])
@pytest.mark.parametrize("minutes", [-2, 2])
async def test_time_that_was_moved_is_found(server: Placet, mongod: MongodProcess, field: str, minutes: int) -> None:
    request = exporting(requestId=uuid4().hex)
    approval = await server.approved(request)
    if field == "closed_at":
        assert (await server.authorize(request)).effect == Effect.EFFECT_ALLOW
    document = await stored(mongod, server, approval)
    moved = document[field] + timedelta(minutes=minutes)
    await changed(mongod, server, approval, {"$set": {field: moved}})
    assert not await is_allowed(server, request, approval)


OLD = ("decision_id", "request_id")
USES: Mapping[str, Callable[[Document], Document]] = {
    "another decision": lambda use: use | {"decision_id": "dec_" + "0" * 32},
    "another request id": lambda use: use | {"request_id": "another"},
    "another record": lambda use: use | {"record_sha256": "0" * 64},
    "another time": lambda use: use | {"at": use["at"] + timedelta(seconds=30)},
    "no signature": lambda use: use | {"signature": ""},
    "a claim that no job has": lambda use: use | {"claim": "use_" + "0" * 32},
    "another attempt": lambda use: use | {"attempt_id": "planted"},
    "as an older version wrote it": lambda use: {"attempt_id": "", **{name: use[name] for name in OLD}},
}


@pytest.mark.parametrize("name", USES)
async def test_use_that_was_changed_is_not_answered_again(server: Placet, mongod: MongodProcess, name: str) -> None:
    request = exporting(requestId=uuid4().hex)
    approval = await server.approved(request)
    assert (await server.authorize(request)).effect == Effect.EFFECT_ALLOW
    forged = USES[name]((await stored(mongod, server, approval))["used_by"])
    update: Document = {"used_by": forged, "request_ids": [request.request_id, forged["request_id"]]}
    await changed(mongod, server, approval, {"$set": update})
    again = exporting()
    again.CopyFrom(request)
    again.request_id, again.attempt_id = forged["request_id"], forged["attempt_id"]
    assert not await is_allowed(server, again, approval)


async def test_deadline_that_was_moved_gives_no_more_time(server: Placet, mongod: MongodProcess) -> None:
    request = exporting()
    approval = await server.approved(request)
    await set_back(mongod, server, approval.approval_id, "approved_at", minutes=16)
    await changed(mongod, server, approval, {"$set": {"valid_for_ms": 10**12, "pending_for_ms": 10**12}})
    assert not await is_allowed(server, request, approval)


@pytest.mark.parametrize("field", [name for name, (how, _) in FIELDS.items() if how is HARMLESS and name != "outcome"])
async def test_harmless_field_gives_nothing(server: Placet, mongod: MongodProcess, field: str) -> None:
    request = exporting()
    approval = (await server.authorize(request)).approval
    await changed(mongod, server, approval, {"$set": {field: ["x"] if field in ("request_ids", "untold") else "x"}})
    assert not await is_allowed(server, request, approval)

"""An approval fits the one request that was reviewed: each member of it is changed once, and nothing is granted."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format

from pdp.canonical import canonical
from pdp.errors import SetupError
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval, ApprovalState, GetApprovalRequest
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, placet
from tests.pdp.wire import refused

Change = Callable[[AuthorizeRequest], Any]


def wide() -> AuthorizeRequest:
    """A request with something in every member. `dev` may ask it as anybody."""
    members = {
        "subject": {"type": "agent", "id": "report-bot", "properties": {"model": "m-1", "tools": ["sql", "mail"]}},
        "onBehalfOf": [
            {"type": "agent", "id": "planner", "properties": {"step": 3}},
            {"type": "user", "id": "alice", "properties": {"team": "sales"}},
        ],
        "action": {"name": "export", "properties": {"mode": "full", "overwrite": False}},
        "resource": {
            "type": "table",
            "id": "customers",
            "properties": {"tags": ["pii"], "columns": ["a", "b"], "rows": 10, "format": "csv", "destination": "s3"},
        },
        "context": {"ticket": "T-1", "amount": 10, "ratio": 0.5, "none": None, "deep": {"list": [1, {"x": True}]}},
    }
    return json_format.ParseDict(members, AuthorizeRequest())


def number(path: str, value: float) -> Change:
    return lambda request: setattr(request.context.fields[path], "number_value", value)


def text(path: str, value: str) -> Change:
    return lambda request: setattr(request.context.fields[path], "string_value", value)


def properties(request: AuthorizeRequest) -> Any:
    return request.resource.properties.fields


CHANGES: dict[str, Change] = {
    "subject.type": lambda r: setattr(r.subject, "type", "user"),
    "subject.id": lambda r: setattr(r.subject, "id", "report-bot2"),
    "subject.id in another case": lambda r: setattr(r.subject, "id", "Report-bot"),
    "subject property": lambda r: setattr(r.subject.properties.fields["model"], "string_value", "m-2"),
    "subject property gone": lambda r: r.subject.properties.fields.pop("model"),
    "subject property added": lambda r: r.subject.properties.update({"new": 1}),
    "subject list in another order": lambda r: r.subject.properties.update({"tools": ["mail", "sql"]}),
    "chain shorter": lambda r: r.on_behalf_of.pop(),
    "chain longer": lambda r: r.on_behalf_of.add(type="user", id="bob"),
    "chain in another order": lambda r: r.on_behalf_of.reverse(),
    "chain empty": lambda r: r.ClearField("on_behalf_of"),
    "chain type": lambda r: setattr(r.on_behalf_of[0], "type", "user"),
    "chain id": lambda r: setattr(r.on_behalf_of[1], "id", "bob"),
    "chain property": lambda r: setattr(r.on_behalf_of[0].properties.fields["step"], "number_value", 4),
    "action property": lambda r: setattr(r.action.properties.fields["mode"], "string_value", "delta"),
    "action flag": lambda r: setattr(r.action.properties.fields["overwrite"], "bool_value", True),
    "action property gone": lambda r: r.action.ClearField("properties"),
    "resource.id": lambda r: setattr(r.resource, "id", "customers2"),
    "resource.id with a space": lambda r: setattr(r.resource, "id", "customers "),
    "resource.id with a zero width character": lambda r: setattr(r.resource, "id", "cust\u200bomers"),
    "resource column added": lambda r: properties(r)["columns"].list_value.append("ssn"),
    "resource column gone": lambda r: properties(r)["columns"].list_value.values.pop(),
    "resource tag added": lambda r: properties(r)["tags"].list_value.append("public"),
    "resource rows": lambda r: setattr(properties(r)["rows"], "number_value", 11),
    "resource format": lambda r: setattr(properties(r)["format"], "string_value", "CSV"),
    "resource destination": lambda r: setattr(properties(r)["destination"], "string_value", "s3://public"),
    "resource filter added": lambda r: setattr(properties(r)["filter"], "string_value", "1 = 1"),
    "context text": text("ticket", "T-2"),
    "context number": number("amount", 11),
    "context fraction": number("ratio", 0.5000000000000001),
    "context number as text": text("amount", "10"),
    "context null as false": lambda r: setattr(r.context.fields["none"], "bool_value", False),
    "context null gone": lambda r: r.context.fields.pop("none"),
    "context deep number": lambda r: setattr(
        r.context.fields["deep"].struct_value.fields["list"].list_value.values[0], "number_value", 2
    ),
    "context deep one as true": lambda r: setattr(
        r.context.fields["deep"].struct_value.fields["list"].list_value.values[0], "bool_value", True
    ),
    "context key in another case": lambda r: r.context.fields["Ticket"].MergeFrom(r.context.fields.pop("ticket")),
    "context key added": text("extra", ""),
    "context empty": lambda r: r.ClearField("context"),
}
UNBOUND: dict[str, Change] = {
    "justification": lambda r: setattr(r, "justification", "other words"),
    "request_id": lambda r: setattr(r, "request_id", "another"),
    "explain": lambda r: setattr(r, "explain", True),
}


@pytest.fixture(scope="module")
async def server(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """One of its own, since a log to which another realm has written as well does not verify."""
    async with placet(state, mongod.uri) as running:
        yield running


@pytest.fixture(scope="module")
async def approved(server: Placet) -> tuple[AuthorizeRequest, Approval]:
    request = wide()
    asked = await server.authorize(request, by="dev")
    for reviewer in ("bob", "carol"):
        await server.review(asked.approval, reviewer)
    request.approval_id = asked.approval.approval_id
    return request, asked.approval


async def state_of(server: Placet, approval: Approval) -> int:
    request = GetApprovalRequest(approval_id=approval.approval_id)
    return (await server.approvals.GetApproval(request, metadata=server.metadata("dev"))).approval.state


def copied(request: AuthorizeRequest) -> AuthorizeRequest:
    copy = AuthorizeRequest()
    copy.CopyFrom(request)
    return copy


def test_there_are_at_least_25_changes_and_each_changes_the_digest() -> None:
    digests = set()
    for change in CHANGES.values():
        request = wide()
        change(request)
        digests.add(canonical(request, "dev").digest)
    assert len(digests) == len(CHANGES) >= 25


@pytest.mark.parametrize("name", CHANGES)
async def test_changed_request_is_not_granted_and_uses_nothing(
    server: Placet, approved: tuple[AuthorizeRequest, Approval], name: str
) -> None:
    request = copied(approved[0])
    CHANGES[name](request)
    assert request != approved[0]
    answer = await server.authorize(request, by="dev")
    assert answer.effect == Effect.EFFECT_DENY
    assert not answer.grant
    batch = BatchAuthorizeRequest(items=[request])
    batched = (await server.decisions.BatchAuthorize(batch, metadata=server.metadata("dev"))).results[0].decision
    assert batched.effect == Effect.EFFECT_DENY
    assert not batched.grant
    assert await state_of(server, approved[1]) == ApprovalState.APPROVAL_STATE_APPROVED


async def test_another_caller_cannot_use_it(server: Placet, approved: tuple[AuthorizeRequest, Approval]) -> None:
    request = copied(approved[0])
    request.on_behalf_of[0].type = "user"
    for changed in (request, approved[0]):
        why = await refused(server.authorize(changed, by="report-bot"))
        assert why.reason in {"APPROVAL_NOT_FOUND", "SUBJECT_NOT_ALLOWED"}
    assert await state_of(server, approved[1]) == ApprovalState.APPROVAL_STATE_APPROVED


async def test_another_realm_cannot_use_it(
    server: Placet, state: Path, mongod: MongodProcess, approved: tuple[AuthorizeRequest, Approval]
) -> None:
    """A database is of one realm, and the realm is in each digest, too."""
    with pytest.raises(SetupError, match="this database is of realm dev, and this server of realm prod"):
        async with placet(state, mongod.uri, database=server.database, realm="prod"):
            pass
    assert await state_of(server, approved[1]) == ApprovalState.APPROVAL_STATE_APPROVED


async def test_unchanged_request_is_granted_once(server: Placet, approved: tuple[AuthorizeRequest, Approval]) -> None:
    """Last on purpose: none of the others used it up."""
    request = copied(approved[0])
    for change in UNBOUND.values():
        change(request)
    assert (await server.authorize(request, by="dev")).effect == Effect.EFFECT_ALLOW
    assert await state_of(server, approved[1]) == ApprovalState.APPROVAL_STATE_CONSUMED

"""Every event in every state of an approval, and who may cause it."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import product
from typing import Any

import grpc
import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import (
    Approval,
    ApprovalState,
)
from pdp.v1.decision_pb2 import AuthorizeRequest, AuthorizeResponse
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, exporting, log, refusal
from tests.pdp.steps import brought_to, cancel, erin, now, report, revoke, state_of, use, verdict
from tests.pdp.wire import refused

STATES = tuple(name.removeprefix("APPROVAL_STATE_") for name in list(ApprovalState.keys())[1:])
STEPS = {
    ("PENDING", "approve"): "APPROVED",
    ("PENDING", "deny"): "DENIED",
    ("PENDING", "send back"): "DENIED",
    ("PENDING", "cancel"): "CANCELLED",
    ("APPROVED", "deny"): "REVOKED",
    ("APPROVED", "revoke"): "REVOKED",
    ("APPROVED", "cancel"): "REVOKED",
    ("APPROVED", "use"): "CONSUMED",
    ("CONSUMED", "report"): "CONSUMED",
}
REFUSALS = {
    "approve": "APPROVAL_NOT_PENDING",
    "deny": "APPROVAL_NOT_PENDING",
    "send back": "APPROVAL_NOT_PENDING",
    "revoke": "APPROVAL_NOT_APPROVED",
    "cancel": "APPROVAL_NOT_PENDING",
    "report": "APPROVAL_NOT_CONSUMED",
    "use": "",
}
CLOSERS = {"deny": "user:erin", "send back": "user:erin", "revoke": "user:erin", "cancel": "agent:report-bot"}


def caused(server: Placet, event: str, request: AuthorizeRequest, approval: Approval) -> Awaitable[Any]:
    events: dict[str, Callable[[], Awaitable[Any]]] = {
        "approve": lambda: verdict(server, approval, "APPROVE", erin(server)),
        "deny": lambda: verdict(server, approval, "DENY", erin(server)),
        "send back": lambda: verdict(server, approval, "CHANGES_REQUESTED", erin(server)),
        "revoke": lambda: revoke(server, approval, erin(server)),
        "cancel": lambda: cancel(server, approval),
        "report": lambda: report(server, approval),
        "use": lambda: use(server, request, approval),
    }
    return events[event]()


@pytest.mark.parametrize(("before", "event"), list(product(STATES, REFUSALS)))
async def test_event_leads_where_the_table_says(server: Placet, mongod: MongodProcess, before: str, event: str) -> None:
    request, approval = await brought_to(server, mongod, before)
    after = STEPS.get((before, event), before)
    if (before, event) in STEPS or event == "use":
        answer = await caused(server, event, request, approval)
        assert state_of(answer.approval) == after
        if event == "use" and before not in ("PENDING", "APPROVED"):
            assert answer.effect == Effect.EFFECT_DENY
            assert [reason.rule for reason in answer.reasons] == [f"pdp.approval_{before.lower()}"]
    else:
        why = await refused(caused(server, event, request, approval))
        assert (why.code, why.reason) == ("FAILED_PRECONDITION", REFUSALS[event])
        assert why.metadata == {"state": before}
    then = await now(server, approval)
    assert state_of(then) == after
    if after != before and event in CLOSERS:
        assert (then.closed_by, then.close_reason) == (CLOSERS[event], "because")
        assert then.HasField("closed_at")
        assert not then.HasField("expires_at")


@pytest.mark.parametrize(("before", "event"), [pair for pair in STEPS if pair[1] in CLOSERS])
async def test_end_is_recorded_with_who_and_why(server: Placet, mongod: MongodProcess, before: str, event: str) -> None:
    request, approval = await brought_to(server, mongod, before)
    await caused(server, event, request, approval)
    of = [pair for pair in await log(server) if pair[0].get("approval_id") == approval.approval_id]
    (closed,) = [held for record, held in of if record["kind"] == "approval.closed"]
    assert (closed["state"], closed["closed_by"]) == (STEPS[before, event], CLOSERS[event])
    assert closed["reason"] == "because"
    verdicts = [held["verdict"] for record, held in of if record["kind"] == "approval.reviewed"]
    assert ("DENY" in verdicts) == (event == "deny")
    assert ("CHANGES_REQUESTED" in verdicts) == (event == "send back")


async def test_only_its_caller_reports(server: Placet, mongod: MongodProcess) -> None:
    _, approval = await brought_to(server, mongod, "CONSUMED")
    for by in ("dev", "alice"):
        assert (await refused(report(server, approval, by=by))).reason == "APPROVAL_NOT_FOUND"


async def test_strangers_withdraw_nothing(server: Placet) -> None:
    approval = (await server.authorize(exporting())).approval
    for by in ("dev", "bob", "carol"):
        assert (await refused(cancel(server, approval, by))).reason == "APPROVAL_NOT_FOUND"
    assert state_of(await now(server, approval)) == "PENDING"


@pytest.mark.parametrize(("before", "after"), [("PENDING", "CANCELLED"), ("APPROVED", "REVOKED")])
async def test_person_withdraws_what_was_asked_in_its_name(
    server: Placet, mongod: MongodProcess, before: str, after: str
) -> None:
    _, approval = await brought_to(server, mongod, before)
    closed = (await cancel(server, approval, "alice")).approval
    assert (state_of(closed), closed.closed_by) == (after, "user:alice")
    of = [held for record, held in await log(server) if record.get("approval_id") == approval.approval_id]
    assert [held["closed_by"] for held in of if "closed_by" in held] == ["user:alice"]


async def test_program_among_the_principals_withdraws_nothing(server: Placet) -> None:
    request = exporting(subject={"type": "agent", "id": "report-bot"}, onBehalfOf=[{"type": "agent", "id": "dev"}])
    approval = (await server.authorize(request, by="dev")).approval
    assert "agent:report-bot" in approval.requester_principals
    assert (await refused(cancel(server, approval))).reason == "APPROVAL_NOT_FOUND"


async def test_cancelled_request_can_be_asked_again(server: Placet) -> None:
    request = exporting()
    first = (await server.authorize(request)).approval
    await cancel(server, first)
    second = (await server.authorize(request)).approval
    assert second.approval_id != first.approval_id
    assert state_of(second) == "PENDING"


@pytest.mark.parametrize("ender", ["deny", "revoke", "cancel"])
async def test_of_a_use_and_an_end_at_once_exactly_one_wins(server: Placet, rounds: int, ender: str) -> None:
    for _ in range(rounds * 4):
        request = exporting()
        approval = await server.approved(request)
        used, ended = await asyncio.gather(
            use(server, request, approval), caused(server, ender, request, approval), return_exceptions=True
        )
        assert isinstance(used, AuthorizeResponse)
        state = state_of(await now(server, approval))
        assert state == ("CONSUMED" if used.effect == Effect.EFFECT_ALLOW else "REVOKED")
        assert isinstance(ended, grpc.aio.AioRpcError) == (state == "CONSUMED")
        if isinstance(ended, grpc.aio.AioRpcError):
            assert refusal(ended).metadata["state"] == "CONSUMED"

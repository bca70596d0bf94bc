from typing import Any
from uuid import uuid4

import pytest
from google.protobuf import json_format

from pdp.canonical import canonical
from pdp.v1.approval_pb2 import ApprovalState, ListApprovalsRequest
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest, BatchAuthorizeResponse, GetDecisionRequest
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, asking, exporting
from tests.pdp.wire import nested, refused

ALLOW, DENY, NEEDS, NONE = "ALLOW", "DENY", "NEEDS_APPROVAL", "UNSPECIFIED"
EXECUTE_ALL, FIRST_DENY, FIRST_PERMIT = "EXECUTE_ALL", "DENY_ON_FIRST_DENY", "PERMIT_ON_FIRST_PERMIT"


def read() -> AuthorizeRequest:
    return asking("read")


def drop() -> AuthorizeRequest:
    return asking("drop")


def bad() -> AuthorizeRequest:
    request = asking("read")
    request.subject.id = ""
    return request


async def asked(server: Placet, by: str = "report-bot", **members: Any) -> BatchAuthorizeResponse:
    request = BatchAuthorizeRequest(**members)
    return await server.decisions.BatchAuthorize(request, metadata=server.metadata(by), timeout=10)


def effects(answer: BatchAuthorizeResponse) -> list[str]:
    return [
        f"error {result.error.reason}"
        if result.HasField("error")
        else Effect.Name(result.decision.effect).removeprefix("EFFECT_")
        for result in answer.results
    ]


def item(members: dict[str, Any]) -> AuthorizeRequest:
    return json_format.ParseDict(members, AuthorizeRequest())


ERROR = "error INVALID_REQUEST"


@pytest.mark.parametrize(
    ("semantics", "items", "expected"),
    [
        ("UNSPECIFIED", [drop, read, drop], [DENY, ALLOW, DENY]),
        (EXECUTE_ALL, [drop, exporting, bad, read], [DENY, NEEDS, ERROR, ALLOW]),
        (FIRST_DENY, [read, read], [ALLOW, ALLOW]),
        (FIRST_DENY, [read, drop, read, drop], [ALLOW, DENY, NONE, NONE]),
        (FIRST_DENY, [read, exporting, read], [ALLOW, NEEDS, NONE]),
        (FIRST_DENY, [read, bad, read], [ALLOW, ERROR, NONE]),
        (FIRST_DENY, [drop, bad], [DENY, NONE]),
        (FIRST_PERMIT, [drop, drop], [DENY, DENY]),
        (FIRST_PERMIT, [drop, exporting, bad, read, drop], [DENY, NEEDS, ERROR, ALLOW, NONE]),
        (FIRST_PERMIT, [read, read], [ALLOW, NONE]),
    ],
)
async def test_semantics_say_where_it_stops(
    server: Placet, semantics: str, items: list[Any], expected: list[str]
) -> None:
    answer = await asked(server, items=[make() for make in items], semantics=f"BATCH_SEMANTICS_{semantics}")
    assert effects(answer) == expected


async def opened(server: Placet) -> str:
    page = await server.approvals.ListApprovals(
        ListApprovalsRequest(page_size=1), metadata=server.metadata("report-bot")
    )
    return page.approvals[0].approval_id if page.approvals else ""


async def test_behind_the_stop_nothing_is_opened_used_or_recorded(server: Placet) -> None:
    approved, before = exporting(), await opened(server)
    approval = await server.approved(approved)
    approved.approval_id = approval.approval_id
    answer = await asked(server, items=[drop(), approved, exporting()], semantics="BATCH_SEMANTICS_DENY_ON_FIRST_DENY")
    for result in answer.results[1:]:
        assert result.decision == type(result.decision)()
    assert await opened(server) == approval.approval_id != before
    assert (await server.authorize(approved)).effect == Effect.EFFECT_ALLOW


async def test_every_decision_before_the_stop_is_recorded(server: Placet) -> None:
    answer = await asked(server, items=[drop(), read(), read()], semantics="BATCH_SEMANTICS_PERMIT_ON_FIRST_PERMIT")
    for result in answer.results[:2]:
        request = GetDecisionRequest(decision_id=result.decision.decision_id)
        found = await server.decisions.GetDecision(request, metadata=server.metadata("report-bot"))
        assert found.decision.effect == result.decision.effect


SUBJECT = {"type": "agent", "id": "report-bot"}
TABLE = {"type": "table", "id": "customers", "properties": {"rows": 5}}
DEFAULTS = {
    "subject": {**SUBJECT, "properties": {"model": "m"}},
    "onBehalfOf": [{"type": "user", "id": "alice"}],
    "action": {"name": "read"},
    "resource": TABLE,
    "context": {"a": 1, "b": 2},
}


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"subject": SUBJECT},
        {"onBehalfOf": [{"type": "user", "id": "bob"}]},
        {"action": {"name": "drop"}},
        {"resource": {"type": "table", "id": "orders"}},
        {"context": {"b": 3}},
        {"context": {}},
        {**DEFAULTS, "context": {"own": True}},
    ],
)
async def test_member_is_filled_in_whole_or_not_at_all(server: Placet, own: dict[str, Any]) -> None:
    answer = await asked(server, defaults=item(DEFAULTS), items=[item(own)])
    expected = item({**DEFAULTS, **own})
    assert answer.results[0].decision.request_digest == canonical(expected, "dev").digest


async def test_default_may_miss_what_each_item_brings(server: Placet) -> None:
    defaults = item({"subject": SUBJECT, "onBehalfOf": DEFAULTS["onBehalfOf"]})
    items = [item({"action": {"name": name}, "resource": TABLE}) for name in ("read", "drop")]
    assert effects(await asked(server, defaults=defaults, items=items)) == [ALLOW, DENY]


async def test_default_of_dry_run_explain_and_justification_holds_for_all(server: Placet) -> None:
    before = await opened(server)
    defaults = AuthorizeRequest(dry_run=True, explain=True, justification="all of them")
    answer = await asked(server, defaults=defaults, items=[exporting(), read()])
    assert all(result.decision.dry_run and result.decision.HasField("fired") for result in answer.results)
    assert await opened(server) == before
    mixed = await asked(server, items=[exporting(dryRun=True), exporting(justification="mine")])
    assert not mixed.results[0].decision.HasField("approval")
    assert mixed.results[1].decision.approval.justification == "mine"


@pytest.mark.parametrize("name", ["request_id", "approval_id"])
async def test_default_cannot_name_one_items_execution(server: Placet, name: str) -> None:
    why = await refused(asked(server, defaults=AuthorizeRequest(**{name: f"apr_{1:032x}"}), items=[read()]))
    assert (why.code, why.fields) == ("INVALID_ARGUMENT", (f"defaults.{name}",))


async def test_bad_item_fails_alone_with_its_paths_and_the_error_it_had_got_alone(server: Placet) -> None:
    foreign, deep, unknown_approval = asking(subject={"type": "user", "id": "bob"}), asking("read"), exporting()
    deep.context.fields["n"].number_value = float("nan")
    unknown_approval.approval_id = f"apr_{1:032x}"
    answer = await asked(server, items=[bad(), foreign, read(), deep, unknown_approval, read()])
    assert effects(answer) == [
        "error INVALID_REQUEST",
        "error SUBJECT_NOT_ALLOWED",
        ALLOW,
        "error INVALID_REQUEST",
        "error APPROVAL_NOT_FOUND",
        ALLOW,
    ]
    errors = [result.error for result in answer.results]
    assert [violation.field for violation in errors[0].field_violations] == ["subject.id"]
    assert [violation.field for violation in errors[3].field_violations] == ["context.n"]
    assert [errors[at].code for at in (0, 1, 4)] == ["INVALID_ARGUMENT", "PERMISSION_DENIED", "NOT_FOUND"]
    assert all(errors[at].message for at in (0, 1, 3, 4))


async def test_batch_of_bad_items_only_is_answered_at_once(server: Placet) -> None:
    request = BatchAuthorizeRequest(items=[bad()] * 3)
    answer = await server.decisions.BatchAuthorize(request, metadata=server.metadata("report-bot"), timeout=0.5)
    assert effects(answer) == [ERROR] * 3


async def test_item_too_large_fails_alone(server: Placet) -> None:
    large = asking("read", context={"text": "x" * 33_000})
    answer = await asked(server, items=[large, read()])
    assert effects(answer) == [ERROR, ALLOW]
    assert answer.results[0].error.field_violations[0].field == "request"


async def test_item_nested_too_deep_fails_alone(server: Placet) -> None:
    deep = asking("read")
    deep.context.CopyFrom(nested(33))
    assert effects(await asked(server, items=[deep, read()])) == [ERROR, ALLOW]


async def test_identical_items_meet_one_approval_in_order(server: Placet) -> None:
    request = exporting()
    answer = await asked(server, items=[request, request])
    first, second = (result.decision for result in answer.results)
    assert first.approval.approval_id == second.approval.approval_id
    assert first.approval.decision_id == first.decision_id != second.decision_id


async def test_one_approval_is_used_by_the_first_item_only(server: Placet) -> None:
    request = exporting()
    request.approval_id = (await server.approved(request)).approval_id
    another = AuthorizeRequest()
    another.CopyFrom(request)
    another.attempt_id = uuid4().hex
    answer = await asked(server, items=[request, another])
    assert effects(answer) == [ALLOW, DENY]
    assert answer.results[0].decision.grant
    assert answer.results[1].decision.reasons[0].rule == "pdp.approval_consumed"


async def test_each_item_has_its_own_request_id_and_approval_id(server: Placet) -> None:
    requests = [exporting(requestId=uuid4().hex) for _ in range(3)]
    approvals = [await server.approved(request) for request in requests]
    for request, approval in zip(requests[1:], approvals[1:], strict=True):
        request.approval_id = approval.approval_id
    answer = await asked(server, items=requests)
    assert effects(answer) == [ALLOW] * 3
    decisions = [result.decision for result in answer.results]
    assert [decision.approval.approval_id for decision in decisions] == [one.approval_id for one in approvals]
    assert {decision.approval.state for decision in decisions} == {ApprovalState.APPROVAL_STATE_CONSUMED}
    again = await asked(server, items=requests)
    assert [result.decision.grant for result in again.results] == [decision.grant for decision in decisions]


async def test_request_id_given_to_two_different_items_fails_the_second(server: Placet) -> None:
    request_id = uuid4().hex
    answer = await asked(server, items=[exporting(requestId=request_id), exporting(requestId=request_id)])
    assert effects(answer) == [NEEDS, "error REQUEST_ID_REUSED"]
    assert answer.results[1].error.field_violations[0].field == "context.run"


async def test_answers_are_those_of_the_same_questions_alone(server: Placet) -> None:
    requests = [read(), drop(), asking("write"), asking("read", ["restricted"])]
    together = await asked(server, items=requests)
    for result, request in zip(together.results, requests, strict=True):
        alone = await server.authorize(request)
        assert result.decision.effect == alone.effect
        assert result.decision.reasons == alone.reasons
        assert result.decision.request_digest == alone.request_digest


async def test_approval_in_a_batch_comes_without_its_request(server: Placet) -> None:
    request = exporting()
    answer = await asked(server, items=[request])
    assert not answer.results[0].decision.approval.HasField("request")
    assert (await server.authorize(request)).approval.HasField("request")

"""AuthZEN's evaluations over HTTP, on a real server."""

import asyncio
import itertools
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest
from pymongo import AsyncMongoClient

from pdp.dev import identity
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from pdp.v1.audit_pb2 import ListRecordsRequest, RecordSummary
from pdp.v1.decision_pb2 import GetDecisionRequest
from pdp.v1.request_pb2 import Effect
from tests.faults import eventually
from tests.parts import Placet, payload, placet
from tests.web import ALICE, BOT, evaluate, evaluate_all, question

DUTY = """package policy

allow contains {"rule": "all", "reason": "x"} if input.action.name == "read"

needs_approval contains {"rule": "ask", "reason": "x", "reviewers": {"groups": ["stewards"]}} if {
	input.action.name == "export"
}

obligation contains {"rule": "duty", "reason": "x", "type": input.resource.id, "properties": {"acr_value": "high"}} if {
	input.action.name in {"read", "export"}
}
"""
STEWARDS = {"groups": {"stewards": ["user:bob"]}, "identities": {"agent:report-bot": {"owners": ["user:alice"]}}}
ONE_LINE = (
    '{"subject":{"type":"agent","id":"report-bot"},"action":{"name":"read"},'
    '"resource":{"type":"table","id":"customers"}}'
)


async def test_curl_asks_with_one_line(server: Placet) -> None:
    curl = shutil.which("curl")
    assert curl is not None
    process = await asyncio.create_subprocess_exec(
        curl, "-s", f"{server.http}/access/v1/evaluation",
        "-H", f"Authorization: Bearer {identity.token(server.state, 'report-bot')}",
        "-H", "Content-Type: application/json",
        "-d", ONE_LINE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    answer = orjson.loads(output)
    assert answer["decision"] is True
    assert answer["context"]["reason"] == "allowed"


async def test_answer_names_its_decision_and_why(server: Placet) -> None:
    response = await evaluate(server, question())
    assert (response.status, response.headers["Content-Type"]) == (200, "application/json")
    context = response.json["context"]
    recorded = await server.decisions.GetDecision(
        GetDecisionRequest(decision_id=context["decision_id"]), metadata=server.metadata("report-bot")
    )
    assert context["evaluation_id"] == context["decision_id"]
    assert context["request_digest"] == recorded.decision.request_digest
    assert context["policy_revision"] == recorded.decision.policy_revision
    assert context["reasons"] == [{"rule": one.rule, "reason": one.reason} for one in recorded.decision.reasons]
    assert "ignored" not in context


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (question("drop"), "denied"),
        (question("export", ["pii"]), "approval_required"),
        (question("drop", context={"supported_obligations": ["custom"]}), "denied"),
    ],
)
async def test_what_is_no_allow_is_false_with_a_reason(server: Placet, body: Any, reason: str) -> None:
    answer = (await evaluate(server, body)).json
    assert answer["decision"] is False
    assert answer["context"]["reason"] == reason


async def test_evaluation_opens_no_approval_unless_it_is_told_to(server: Placet) -> None:
    closed = (await evaluate(server, question("export", ["pii"], context={"run": "a"}))).json
    assert "approval" not in closed["context"]
    body = question("export", ["pii"], context={"run": "a"})
    body["options"]["open_approval"] = True
    opened = (await evaluate(server, body)).json
    assert opened["context"]["reason"] == "approval_required"
    assert opened["context"]["approval"]["state"] == "pending"
    assert opened["context"]["request_digest"] == closed["context"]["request_digest"]


async def test_approval_in_the_context_is_used_and_is_no_part_of_the_request(server: Placet) -> None:
    body = question("export", ["pii"], context={"run": "b", "supported_obligations": ["custom"]})
    body["options"] |= {"open_approval": True, "want_grant": True}
    opened = (await evaluate(server, body)).json["context"]
    for person in ("bob", "carol"):
        await approve(server, opened, person)
    body["context"]["approval"] = {"id": opened["approval"]["id"], "approved_at": "2026-01-01T00:00:00Z"}
    used = (await evaluate(server, body)).json
    assert used["decision"] is True
    assert used["context"]["request_digest"] == opened["request_digest"]
    assert used["context"]["grant"]
    again = (await evaluate(server, body)).json
    assert again["decision"] is False
    assert again["context"]["reasons"][0]["rule"] == "pdp.approval_consumed"


async def approve(server: Placet, opened: dict[str, Any], person: str) -> None:
    await server.review(Approval(approval_id=opened["approval"]["id"], request_digest=opened["request_digest"]), person)


async def listing(server: Placet, record_id: str) -> RecordSummary | None:
    """The record as the list of the log shows it, which may lag a second."""
    page = await server.audit.ListRecords(ListRecordsRequest(), metadata=server.metadata("dana"))
    return next((record for record in page.records if record.record_id == record_id), None)


@pytest.mark.parametrize("kind", ["mask", "step-up"])
async def test_allow_with_an_obligation_that_is_not_supported_is_false_and_recorded_so(
    state: Path, mongod: MongodProcess, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "p.rego").write_text(DUTY)
    (tmp_path / "data.json").write_bytes(orjson.dumps(STEWARDS))
    outside = "custom" if kind == "mask" else kind
    async with placet(state, mongod.uri, policy=[tmp_path]) as server:
        resource = {"type": "table", "id": kind}
        for supported in ([], ["notification"], ["mask"]):
            body = {"subject": BOT, "action": {"name": "read"}, "resource": resource}
            body |= {"context": {"supported_obligations": supported}, "options": {"want_grant": True}}
            answer = (await evaluate(server, body)).json
            assert answer["decision"] is False
            context = answer["context"]
            assert (context["reason"], context["withheld"]) == ("obligation_unsupported", True)
            assert [duty["type"] for duty in context["obligations"]] == [outside]
            assert "grant" not in context
        recorded = await server.decisions.GetDecision(
            GetDecisionRequest(decision_id=context["decision_id"]), metadata=server.metadata("report-bot")
        )
        assert (recorded.decision.effect, recorded.decision.withheld) == (Effect.EFFECT_ALLOW, True)
        listed = await eventually(lambda: listing(server, recorded.record_id))
        assert (listed.effect, listed.withheld) == (Effect.EFFECT_ALLOW, True)
        body["context"] = {"supported_obligations": [outside]}
        answer = (await evaluate(server, body)).json
        assert answer["decision"] is True
        assert answer["context"]["grant"]


async def test_withheld_allow_uses_no_approval(state: Path, mongod: MongodProcess, tmp_path: Path) -> None:
    (tmp_path / "p.rego").write_text(DUTY)
    (tmp_path / "data.json").write_bytes(orjson.dumps(STEWARDS))
    body: dict[str, Any] = {"subject": BOT, "action": {"name": "export"}, "resource": {"type": "table", "id": "mask"}}
    async with placet(state, mongod.uri, policy=[tmp_path]) as server:
        opened = (await evaluate(server, {**body, "options": {"open_approval": True}})).json["context"]
        await approve(server, opened, "bob")
        body["options"] = {"attempt_id": "one"}
        body["context"] = {"approval": {"id": opened["approval"]["id"]}}
        withheld = (await evaluate(server, body)).json
        assert withheld["decision"] is False
        assert withheld["context"]["reason"] == "obligation_unsupported"
        supporting = {**body, "context": {**body["context"], "supported_obligations": ["custom"]}}
        used = (await evaluate(server, supporting)).json
        assert (used["decision"], "grant" in used["context"]) == (True, True)
        repeated = (await evaluate(server, body)).json
        assert (repeated["decision"], "grant" in repeated["context"]) == (False, False)


async def test_members_that_nobody_knows_are_ignored_and_named(server: Placet) -> None:
    body = question(contxt={"a": 1}, subject={**BOT, "emai": "x"})
    answer = (await evaluate(server, body)).json
    assert answer["decision"] is True
    assert answer["context"]["ignored"] == ["contxt", "subject.emai"]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"dry_rnu": True}, "options.dry_rnu"),
        ({"dry_run": "yes"}, "options.dry_run"),
        ({"request_id": 1}, "options.request_id"),
        ({"request_id": "a\nb"}, "options.request_id"),
        ({"attempt_id": "x" * 65}, "options.attempt_id"),
        ({"expected_digest": "x"}, "options.expected_digest"),
        ({"on_behalf_of": [{"type": "user"}]}, "options.on_behalf_of[0].id"),
        ({"candidates": []}, "options.candidates"),
        ({"evaluations_semantic": "all"}, "options.evaluations_semantic"),
    ],
)
async def test_bad_option_is_refused_with_its_path(server: Placet, options: dict[str, Any], field: str) -> None:
    response = await evaluate(server, question(options=options))
    assert response.status == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert [one["field"] for one in response.json["violations"]] == [field]
    assert field in response.json["detail"]


async def test_many_are_answered_in_their_order_and_a_bad_one_fails_alone(server: Placet) -> None:
    body = question(evaluations=[{}, {"resource": {"type": "table"}}, {"action": {"name": "drop"}}, 7, {"unknwon": 1}])
    response = await evaluate_all(server, body)
    assert response.status == 200
    answers = response.json["evaluations"]
    assert [answer["decision"] for answer in answers] == [True, False, False, False, True]
    assert answers[1]["context"]["error"]["status"] == 400
    assert "resource.id" in answers[1]["context"]["error"]["message"]
    assert answers[2]["context"]["reason"] == "denied"
    assert answers[3]["context"]["error"]["status"] == 400
    assert answers[4]["context"]["ignored"] == ["unknwon"]


async def test_default_is_replaced_as_a_whole(server: Placet) -> None:
    body = question("export", ["pii"])
    body["evaluations"] = [{}, {"resource": {"type": "table", "id": "customers"}}]
    first, second = (await evaluate_all(server, body)).json["evaluations"]
    alone = (await evaluate(server, {**body, "resource": {"type": "table", "id": "customers"}})).json
    assert first["context"]["request_digest"] != second["context"]["request_digest"]
    assert second["context"]["request_digest"] == alone["context"]["request_digest"]


@pytest.mark.parametrize(
    ("semantic", "wanted"),
    [
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
async def test_list_ends_with_the_item_that_decides(server: Placet, semantic: str, wanted: list[bool]) -> None:
    body = question(evaluations=[{}, {"action": {"name": "drop"}}, {}])
    body["options"]["evaluations_semantic"] = semantic
    answers = (await evaluate_all(server, body)).json["evaluations"]
    assert [answer["decision"] for answer in answers] == wanted


@pytest.mark.parametrize("more", [{}, {"evaluations": []}])
async def test_body_without_evaluations_is_one(server: Placet, more: dict[str, Any]) -> None:
    assert (await evaluate_all(server, question(**more))).json["decision"] is True


@pytest.mark.parametrize("more", [{"evaluations": {}}, {"evaluations": None}, {"evaluations": [{}] * 1001}])
async def test_evaluations_that_are_no_short_list_are_refused(server: Placet, more: dict[str, Any]) -> None:
    response = await evaluate_all(server, question(**more))
    assert response.status == 400
    assert [one["field"] for one in response.json["violations"]] == ["evaluations"]


async def test_what_belongs_to_one_is_no_default(server: Placet) -> None:
    body = question(evaluations=[{}])
    body["options"]["request_id"] = "r"
    response = await evaluate_all(server, body)
    assert [one["field"] for one in response.json["violations"]] == ["options.request_id"]


async def test_short_default_does_not_become_gigabytes(server: Placet) -> None:
    body = question(context={"text": "x" * 30_000}, evaluations=[{}] * 1000)
    response = await evaluate_all(server, body)
    assert response.status == 400
    assert response.json["violations"][0]["field"] == "evaluations"


async def test_subject_that_the_caller_may_not_name_is_403(server: Placet) -> None:
    response = await evaluate(server, question(subject=ALICE))
    assert (response.status, response.json["reason"]) == (403, "SUBJECT_NOT_ALLOWED")
    assert "decision" not in response.json


async def test_batch_that_takes_too_long_ends_in_time_and_what_was_settled_is_recorded(
    state: Path, mongod: MongodProcess
) -> None:
    """Each item opens an approval or is refused as one too many: no single wait is long."""
    async with placet(state, mongod.uri) as server, AsyncMongoClient(mongod.uri) as client:
        body = question("export", ["pii"]) | {"evaluations": [{"context": {"run": str(at)}} for at in range(1000)]}
        body["options"]["open_approval"] = True
        found, times = client[server.database], itertools.count(0.7)

        async def opened() -> int:
            """By a call with more time than the one before: on a busy machine the first one gets nowhere."""
            seconds, began = next(times), asyncio.get_running_loop().time()
            refused = await evaluate_all(server, body, X_Request_Timeout=str(seconds))
            assert (refused.status, refused.json["reason"]) == (504, "OUT_OF_TIME")
            assert asyncio.get_running_loop().time() - began < seconds + 1.2
            return await found["approvals"].count_documents({})

        async def recorded() -> bool:
            kept = [batch async for batch in found["batches"].find({"marks": "approval.created"})]
            kinds = [payload(record)["kind"] for batch in kept for record in batch["records"]]
            return kinds.count("approval.created") == approvals

        approvals = await eventually(opened, seconds=30)
        await eventually(recorded)

"""Policies that fail open elsewhere, and the Todo scenario of AuthZEN, asked like any client does."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format

from pdp.errors import SetupError
from pdp.process.mongod import MongodProcess
from pdp.v1.audit_pb2 import GetRecordRequest, ListRecordsRequest
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest, GetDecisionRequest
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, insisted, payload, placet
from tests.pdp.wire import refused

POLICIES = Path("tests/cases/policies")
SCENARIO = Path("tests/cases/authzen-todo")
CASES = {path.parent.name: json.loads(path.read_text()) for path in sorted(POLICIES.glob("*/expected.json"))}


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SCENARIO / name).read_text().splitlines()]


def having(key: str) -> list[str]:
    return [name for name, case in CASES.items() if key in case]


SINGLES, BATCHES = lines("decisions.jsonl"), lines("batches.jsonl")


def asked(name: str) -> AuthorizeRequest:
    return json_format.ParseDict(CASES[name]["request"], AuthorizeRequest())


@pytest.mark.parametrize("name", having("check"))
async def test_server_does_not_start_on_it(state: Path, mongod: MongodProcess, name: str) -> None:
    with pytest.raises(SetupError) as refusal:
        async with placet(state, mongod.uri, policy=[POLICIES / name / "policy"]):
            pass
    assert any(rule in refusal.value.sentence for rule in CASES[name]["check"])


@pytest.mark.parametrize("name", having("problem"))
async def test_request_meets_exactly_its_problem_alone_and_in_a_batch(
    state: Path, mongod: MongodProcess, name: str
) -> None:
    problem = CASES[name]["problem"]
    async with placet(state, mongod.uri, policy=[POLICIES / name / "policy"]) as server:
        why = await refused(insisted(lambda: server.authorize(asked(name), by="dev")))
        assert (why.code, why.reason, why.metadata["problem"]) == ("FAILED_PRECONDITION", "POLICY_INVALID", problem)
        batch = BatchAuthorizeRequest(items=[asked(name)] * 2)
        answer = await server.decisions.BatchAuthorize(batch, metadata=server.metadata("dev"))
        for result in answer.results:
            assert (result.error.code, result.error.reason) == ("FAILED_PRECONDITION", "POLICY_INVALID")
            assert result.error.metadata["problem"] == problem
        await problem_is_recorded_and_is_no_decision(server, problem)


async def problem_is_recorded_and_is_no_decision(server: Placet, problem: str) -> None:
    auditor = server.metadata("dana")
    page = await server.audit.ListRecords(ListRecordsRequest(kind="error"), metadata=auditor)
    record = await server.audit.GetRecord(GetRecordRequest(record_id=page.records[0].record_id), metadata=auditor)
    assert payload(record.record)["error"] == f"POLICY_INVALID/{problem}"
    assert payload(record.payload)["caller"]["identity"] == "agent:dev"
    decision_id = "dec_" + page.records[0].record_id[4:]
    call = server.decisions.GetDecision(GetDecisionRequest(decision_id=decision_id), metadata=server.metadata("dev"))
    assert (await refused(call)).reason == "DECISION_NOT_FOUND"


@pytest.mark.parametrize("name", having("violations"))
async def test_request_that_the_schema_does_not_take_is_refused(state: Path, mongod: MongodProcess, name: str) -> None:
    async with placet(state, mongod.uri, policy=[POLICIES / name / "policy"]) as server:
        why = await refused(insisted(lambda: server.authorize(asked(name), by="dev")))
        assert (why.code, why.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
        assert list(why.fields) == CASES[name]["violations"]


def test_every_case_is_asked_one_way_or_the_other() -> None:
    assert set(having("check")) | set(having("problem")) | set(having("violations")) == set(CASES)


@pytest.fixture(scope="module")
async def todo(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with placet(state, mongod.uri, policy=[SCENARIO / "policy"]) as running:
        yield running


@pytest.mark.parametrize("case", SINGLES, ids=[case["name"] for case in SINGLES])
async def test_todo_is_decided_as_published(todo: Placet, case: dict[str, Any]) -> None:
    request = json_format.ParseDict(case["request"], AuthorizeRequest())
    answer = await insisted(lambda: todo.authorize(request, by="dev"))
    assert Effect.Name(answer.effect) == case["effect"]
    assert answer.reasons


@pytest.mark.parametrize("case", BATCHES, ids=[case["name"] for case in BATCHES])
async def test_todo_batch_is_decided_as_published(todo: Placet, case: dict[str, Any]) -> None:
    request = json_format.ParseDict(case["request"], BatchAuthorizeRequest())
    answer = await todo.decisions.BatchAuthorize(request, metadata=todo.metadata("dev"))
    assert [Effect.Name(result.decision.effect) for result in answer.results] == case["effects"]


def test_all_published_cases_are_there() -> None:
    assert (len(SINGLES), len(BATCHES)) == (40, 3)

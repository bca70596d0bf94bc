"""The same request over gRPC and over HTTP: equal digest, effect, reasons and record."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.v1.audit_pb2 import GetRecordRequest
from pdp.v1.decision_pb2 import GetDecisionRequest
from pdp.v1.request_pb2 import Effect
from tests.parts import Placet, payload
from tests.pdp.test_authzen import as_message, spoken
from tests.pdp.test_i_json import objects
from tests.searching import search
from tests.web import ALICE, BOT, evaluate, evaluate_all

EFFECTS = {
    "allowed": Effect.EFFECT_ALLOW,
    "denied": Effect.EFFECT_DENY,
    "approval_required": Effect.EFFECT_NEEDS_APPROVAL,
}
OWN = {"id", "time", "payload_sha256", "approval_id"}
"""Members of a record that differ between two records of one decision: a payload is hashed with a salt of its own,
and over gRPC an approval is opened."""
questions = st.fixed_dictionaries(
    {
        "action": st.fixed_dictionaries(
            {"name": st.sampled_from(["read", "export", "drop", "write"])}, optional={"properties": objects}
        ),
        "resource": st.fixed_dictionaries(
            {
                "type": st.just("table"),
                "id": st.sampled_from(["customers", "orders", "x"]),
                "properties": st.fixed_dictionaries({"tags": st.lists(st.sampled_from(["pii", "x"]), max_size=2)}),
            }
        ),
        "context": objects.map(spoken),
        "dry_run": st.booleans(),
        "explain": st.booleans(),
    }
)
chains = st.sampled_from([[], [ALICE], [ALICE, {"type": "user", "id": "bob"}]])


async def record(server: Placet, decision_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The signed part and the payload of a decision's record."""
    asked = GetDecisionRequest(decision_id=decision_id)
    found = await server.decisions.GetDecision(asked, metadata=server.metadata("report-bot"))
    request = GetRecordRequest(record_id=found.record_id)
    whole = await server.audit.GetRecord(request, metadata=server.metadata("dana"))
    members, hidden = payload(whole.record), orjson.loads(whole.payload)
    del hidden["now"]
    return {name: value for name, value in members.items() if name not in OWN}, hidden


@pytest.fixture(scope="module")
def cases() -> list[tuple[dict[str, Any], list[Any]]]:
    """Random questions: hypothesis cannot draw inside of a test that awaits."""
    found: list[tuple[dict[str, Any], list[Any]]] = []

    @settings(max_examples=60, database=None)
    @given(question=questions, chain=chains)
    def gather(question: dict[str, Any], chain: list[Any]) -> None:
        found.append((question, chain))

    gather()
    return found


async def test_both_faces_decide_alike(server: Placet, cases: list[tuple[dict[str, Any], list[Any]]]) -> None:
    seen = set[str]()
    for question, chain in cases:
        flags = {name: question[name] for name in ("dry_run", "explain")}
        parts = {"subject": BOT, **{name: question[name] for name in ("action", "resource", "context")}}
        message = as_message(parts, chain)
        message.dry_run, message.explain = flags["dry_run"], flags["explain"]
        over_grpc = await server.authorize(message)
        response = await evaluate(server, {**parts, "options": {"on_behalf_of": chain, **flags}})
        context = response.json["context"]
        seen.add(context["reason"])
        assert context["request_digest"] == over_grpc.request_digest
        assert EFFECTS[context["reason"]] == over_grpc.effect
        assert context["reasons"] == [{"rule": one.rule, "reason": one.reason} for one in over_grpc.reasons]
        assert await record(server, context["decision_id"]) == await record(server, over_grpc.decision_id)
    assert seen == set(EFFECTS)


async def test_many_are_decided_as_one_by_one(server: Placet, cases: list[tuple[dict[str, Any], list[Any]]]) -> None:
    bodies = [
        {"subject": BOT, **{name: question[name] for name in ("action", "resource", "context")},
         "options": {"on_behalf_of": chain}}
        for question, chain in cases
    ]  # fmt: skip
    many = (await evaluate_all(server, {"evaluations": bodies})).json["evaluations"]
    for body, among in zip(bodies, many, strict=True):
        alone = (await evaluate(server, body)).json
        own = {"decision_id", "evaluation_id", "access_request"}
        assert among["decision"] == alone["decision"]
        assert {k: v for k, v in among["context"].items() if k not in own} == {
            k: v for k, v in alone["context"].items() if k not in own
        }


async def test_search_finds_exactly_what_an_evaluation_allows(
    server: Placet, cases: list[tuple[dict[str, Any], list[Any]]]
) -> None:
    found = set[bool]()
    for question, chain in cases:
        body = {"subject": BOT, "action": question["action"], "context": question["context"]}
        options = {"on_behalf_of": chain}
        for kind, sought in (("resource", question["resource"]), ("action", question["action"])):
            one = {**body, "resource": question["resource"], "options": options}
            decision = (await evaluate(server, one)).json["decision"]
            asked = {**one, kind: {"type": "table"} if kind == "resource" else {}}
            asked["options"] = {**options, "candidates": [sought]}
            answer = (await search(server, kind, asked, by="report-bot")).json
            assert (len(answer["results"]) == 1) is decision
            assert answer["context"]["unanswered"] == 0
            found.add(decision)
    assert found == {True, False}

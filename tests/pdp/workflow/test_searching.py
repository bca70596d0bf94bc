"""What a search leaves out, what it refuses as a whole, and that nothing is answered that is not in the log."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from pdp.process.mongod import MongodProcess
from tests.faults import eventually, stopped
from tests.parts import log, placet
from tests.pdp.http.test_lineage import event, post
from tests.searching import RECORDS, may_search, search, searchable
from tests.web import evaluate, send

POLICY = """package policy

allow contains {"rule": "all", "reason": "x"} if input.action.name == "read"

deny contains {"rule": "not this", "reason": "x"} if input.resource.id == "denied"

needs_approval contains {"rule": "ask", "reason": "x", "reviewers": {"groups": ["stewards"]}} if {
	input.resource.id == "asked"
}

deny contains {"rule": "broken", "reason": "x"} if {
	input.resource.id == "broken"
	time.parse_rfc3339_ns(input.action.name) > 0
}

obligation contains {"rule": "duty", "reason": "x", "type": "mask", "properties": {}} if input.resource.id == "duty"
"""
TABLES = ["plain", "denied", "asked", "duty", "broken", "last"]
BODY: dict[str, Any] = {
    "subject": {"type": "agent", "id": "dev"},
    "action": {"name": "read"},
    "resource": {"type": "table"},
}


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.rego").write_text(POLICY)
    people = {"groups": {"stewards": ["user:bob"]}, "identities": {"agent:dev": {"owners": ["user:dev"]}}}
    (folder / "data.json").write_text(json.dumps({"search": {"resources": {"table": TABLES}}, **people}))
    return folder


async def test_allow_alone_is_a_result_and_what_has_no_answer_is_counted(
    state: Path, mongod: MongodProcess, policy: Path
) -> None:
    async with searchable(state, mongod.uri, [policy]) as server:
        for supported, results, withheld in (([], ["plain", "last"], 1), (["custom"], ["plain", "duty", "last"], 0)):
            body = {**BODY, "context": {"supported_obligations": supported}}
            answer = (await search(server, "resource", body)).json
            assert [one["id"] for one in answer["results"]] == results
            context = answer["context"]
            assert (context["searched"], context["unanswered"], context["withheld"]) == (6, 1, withheld)
            assert context["complete"] is False
            for name in TABLES:
                one = {**body, "resource": {"type": "table", "id": name}}
                decision = (await evaluate(server, one, by="dev")).json.get("decision", False)
                assert decision is (name in results)
        [*_, (_, held)] = await log(server, "search")
        assert held["details"]["unanswered"] == [{"candidate": 4, "error": "POLICY_INVALID"}]


async def test_record_names_the_revision_of_lineage_by_which_it_was_decided(
    state: Path, mongod: MongodProcess, policy: Path
) -> None:
    async with searchable(state, mongod.uri, [policy]) as server:
        known = (await post(server, event())).json["revision"]

        async def is_known() -> bool:
            await search(server, "resource", BODY)
            [*_, (_, held)] = await log(server, "search")
            [lineage] = held["details"]["lineage"]
            return bool(lineage["n"] == known and len(lineage["head"]) == 64)

        await eventually(is_known)


async def test_policy_that_answers_nothing_is_an_error_and_no_empty_list(
    state: Path, mongod: MongodProcess, policy: Path
) -> None:
    async with searchable(state, mongod.uri, [policy]) as server:
        body = {**BODY, "options": {"candidates": ["broken"]}}
        response = await search(server, "resource", body)
        assert (response.status, response.json["reason"]) == (500, "POLICY_INVALID")
        assert "results" not in response.json


async def test_nothing_is_answered_that_could_not_be_recorded(state: Path, mongod: MongodProcess) -> None:
    body = {"subject": {"type": "user", "id": "alice"}, "action": {"name": "view"}, "resource": {"type": "record"}}
    async with searchable(state, mongod.uri, [RECORDS / "policy"]) as server:
        before = len((await search(server, "resource", body)).json["results"])
        async with stopped(mongod.pid):
            response = await search(server, "resource", body)
        assert response.status in {503, 504}
        assert "results" not in response.json
        assert before == 20


async def test_caller_whose_requests_must_say_their_digest_cannot_search(state: Path, mongod: MongodProcess) -> None:
    strict = may_search(state, require_digest=True)
    async with placet(state, mongod.uri, policy=[RECORDS / "policy"], issuers=strict) as server:
        response = await search(server, "resource", BODY)
        assert (response.status, response.json["reason"]) == (400, "DIGEST_REQUIRED")


async def test_searches_of_metadata_follow_the_policy(state: Path, mongod: MongodProcess, tmp_path: Path) -> None:
    for file in (RECORDS / "policy").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    async with searchable(state, mongod.uri, [tmp_path]) as server:
        assert "search_action_endpoint" in (await send(server, "GET", "/.well-known/authzen-configuration")).json
        data = json.loads((tmp_path / "data.json").read_text())
        del data["search"]["actions"]
        (tmp_path / "data.json").write_text(json.dumps(data))
        async with asyncio.timeout(30):
            while "search_action_endpoint" in (await send(server, "GET", "/.well-known/authzen-configuration")).json:
                await asyncio.sleep(0.1)
        assert "search_resource_endpoint" in (await send(server, "GET", "/.well-known/authzen-configuration")).json

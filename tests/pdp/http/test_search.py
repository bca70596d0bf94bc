"""AuthZEN's searches over HTTP, on a real server with the records of the identity provider scenario."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pdp.process.mongod import MongodProcess
from pdp.v1.audit_pb2 import GetRecordRequest
from tests.parts import Placet, log, payload, placet
from tests.searching import RECORDS, search, searchable
from tests.web import evaluate, send

CONFIGURATION = "/.well-known/authzen-configuration"
PUBLISHED = json.loads((RECORDS / "results.json").read_text())["search"]
OWN = json.loads((RECORDS / "own.json").read_text())
ALICE = {"type": "user", "id": "alice"}
MINE: dict[str, Any] = {"subject": ALICE, "action": {"name": "delete"}, "resource": {"type": "record"}}
ALICES = ["101", "107", "113", "119"]


@pytest.fixture(scope="module")
async def records(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with searchable(state, mongod.uri, [RECORDS / "policy"]) as server:
        yield server


def ids(answer: dict[str, Any]) -> list[str]:
    return [one["id"] for one in answer["results"]]


@pytest.mark.parametrize("case", PUBLISHED, ids=[case["request"]["subject"]["id"] for case in PUBLISHED])
async def test_records_are_found_as_published(records: Placet, case: Any) -> None:
    answer = (await search(records, "resource", case["request"])).json
    assert sorted(answer["results"], key=str) == sorted(case["expected"]["results"], key=str)
    assert answer["page"]["next_token"] == ""
    context = answer["context"]
    assert (context["searched"], context["known"], context["source"], context["complete"]) == (20, 20, "policy", True)


@pytest.mark.parametrize("case", OWN, ids=[case["name"] for case in OWN])
async def test_each_kind_is_found_as_the_policy_decides(records: Placet, case: Any) -> None:
    response = await search(records, case["kind"], case["request"])
    assert response.status == 200
    assert response.json["results"] == case["results"]


@pytest.mark.parametrize("case", OWN, ids=[case["name"] for case in OWN])
async def test_each_result_is_a_decision_that_is_true(records: Placet, case: Any) -> None:
    for one in (await search(records, case["kind"], case["request"])).json["results"]:
        assert (await evaluate(records, {**case["request"], case["kind"]: one}, by="dev")).json["decision"] is True


async def test_record_of_a_search_has_the_query_and_every_result_and_no_decision_is_recorded(records: Placet) -> None:
    before = len(await log(records, "decision"))
    answer = (await search(records, "resource", {**MINE, "context": {"why": "audit"}})).json
    name = answer["context"]["search_id"]
    request = GetRecordRequest(record_id=name)
    full = await records.audit.GetRecord(request, metadata=records.metadata("dana"))
    held = payload(full.payload)
    assert full.summary.kind == "search"
    assert full.summary.policy_revision == answer["context"]["policy_revision"]
    assert held["caller"]["identity"] == "agent:dev"
    assert held["query"]["subject"] == {**ALICE, "properties": {}}
    assert held["query"]["context"] == {"why": "audit"}
    assert held["details"]["results"] == answer["results"]
    assert held["details"]["searched"] == 20
    assert len(await log(records, "decision")) == before


async def test_pages_are_read_with_tokens_until_the_last(records: Placet) -> None:
    found, pages, token = list[str](), 0, ""
    while pages == 0 or token:
        page = {"limit": 1, "token": token} if token else {"limit": 1}
        answer = (await search(records, "resource", {**MINE, "page": page})).json
        assert len(answer["results"]) <= 1
        assert answer["context"]["complete"] is (answer["page"]["next_token"] == "")
        found, pages, token = found + ids(answer), pages + 1, answer["page"]["next_token"]
    assert (found, pages) == (ALICES, 5)


async def test_page_of_no_results_is_refused(records: Placet) -> None:
    answer = await search(records, "resource", {**MINE, "page": {"limit": 0}})
    assert answer.status == 400
    assert answer.json["violations"] == [
        {"field": "page.limit", "description": "is not a whole number from 1 on; leave it out for a full page"}
    ]


@pytest.mark.parametrize("name", ["token", "next_token"])
async def test_token_is_of_one_query_and_one_caller(records: Placet, name: str) -> None:
    token = (await search(records, "resource", {**MINE, "page": {"limit": 1}})).json["page"]["next_token"]
    page = {"page": {name: token}}
    assert ids((await search(records, "resource", {**MINE, **page})).json) == ALICES[1:]
    other = {**MINE, "subject": {"type": "user", "id": "bob"}, **page}
    bad = [
        await search(records, "resource", other),
        await search(records, "action", {**MINE, "resource": {"type": "record", "id": "101"}, **page}),
        await search(records, "resource", {**MINE, **page}, by="alice"),
        await search(records, "resource", {**MINE, "context": {"a": 1}, **page}),
        await search(records, "resource", {**MINE, "page": {name: token[:-4] + "AAAA"}}),
        await search(records, "resource", {**MINE, "page": {name: "x"}}),
        await search(records, "resource", {**MINE, "page": {name: 7}}),
        await search(records, "resource", {**MINE, "options": {"candidates": ["101"]}, **page}),
    ]
    assert [response.status for response in bad] == [400] * len(bad)
    assert {response.json["violations"][0]["field"] for response in bad} == {"page.token"}


async def test_other_revision_ends_a_search_with_the_advice_to_begin_again(
    state: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    for file in (RECORDS / "policy").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    async with searchable(state, mongod.uri, [RECORDS / "policy"], database="revisions") as server:
        token = (await search(server, "resource", {**MINE, "page": {"limit": 1}})).json["page"]["next_token"]
    (tmp_path / "records.rego").write_text((tmp_path / "records.rego").read_text().replace('own"', 'own one"'))
    async with searchable(state, mongod.uri, [tmp_path], database="revisions") as server:
        response = await search(server, "resource", {**MINE, "page": {"token": token}})
        assert (response.status, "begin again" in response.json["detail"]) == (400, True)
        assert ids((await search(server, "resource", MINE)).json) == ALICES


async def test_candidates_that_the_caller_sends_are_the_only_ones(records: Placet) -> None:
    candidates: list[Any] = ["113", "102", {"id": "107"}, {"type": "record", "id": "101", "properties": {"a": 1}}]
    answer = (await search(records, "resource", {**MINE, "options": {"candidates": candidates}})).json
    assert ids(answer) == ["113", "107", "101"]
    assert answer["results"][2] == {"type": "record", "id": "101", "properties": {"a": 1}}
    assert (answer["context"]["source"], answer["context"]["searched"]) == ("request", 4)
    [(_, held)] = [one for one in await log(records, "search") if one[0]["id"] == answer["context"]["search_id"]]
    assert [one["id"] for one in held["details"]["candidates"]] == ["113", "102", "107", "101"]


async def test_thousand_candidates_are_one_page(records: Placet) -> None:
    candidates = [f"{number}" for number in range(1000)]
    answer = (await search(records, "resource", {**MINE, "options": {"candidates": candidates}})).json
    assert (ids(answer), answer["context"]["searched"]) == (ALICES, 1000)


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        ("resource", {"options": {"candidates": ["x"] * 1001}}, "options.candidates"),
        ("resource", {"options": {"candidates": "x"}}, "options.candidates"),
        ("resource", {"options": {"candidates": [7]}}, "options.candidates[0].id"),
        ("resource", {"options": {"candidates": ["a", ""]}}, "options.candidates[1].id"),
        ("resource", {"options": {"candidates": [{"type": "user", "id": "x"}]}}, "options.candidates[0].type"),
        ("resource", {"options": {"request_id": "x"}}, "options.request_id"),
        ("resource", {"options": {"want_grant": True}}, "options.want_grant"),
        ("resource", {"options": {"open_approval": True}}, "options.open_approval"),
        ("resource", {"options": {"candidate": []}}, "options.candidate"),
        ("resource", {"resource": {}}, "resource.type"),
        ("resource", {"subject": {"type": "user"}}, "subject.id"),
        ("subject", {"resource": {"type": "record"}}, "resource.id"),
        ("subject", {"subject": {"type": "a:b"}, "resource": {"type": "record", "id": "1"}}, "subject.type"),
        ("resource", {"page": 7}, "page"),
        ("resource", {"page": {"limit": -1}}, "page.limit"),
        ("resource", {"page": {"limit": True}}, "page.limit"),
        ("resource", {"page": {"limit": 1.5}}, "page.limit"),
    ],
)
async def test_bad_search_is_refused_with_its_path(
    records: Placet, kind: str, changes: dict[str, Any], field: str
) -> None:
    response = await search(records, kind, {**MINE, **changes})
    assert response.status == 400
    assert field in [one["field"] for one in response.json["violations"]]


async def test_members_that_nobody_knows_are_named(records: Placet) -> None:
    body = {**MINE, "resource": {"type": "record", "id": "7"}, "pag": {}, "page": {"size": 3}}
    assert (await search(records, "resource", body)).json["context"]["ignored"] == ["pag", "resource.id", "page.size"]


async def test_dry_run_may_be_said(records: Placet) -> None:
    assert ids((await search(records, "resource", {**MINE, "options": {"dry_run": True}})).json) == ALICES


async def test_subject_that_the_caller_may_not_name_is_refused_or_left_out(records: Placet) -> None:
    response = await search(records, "resource", MINE, by="report-bot")
    assert (response.status, response.json["reason"]) == (403, "SUBJECT_NOT_ALLOWED")
    body = {"subject": {"type": "user"}, "action": {"name": "view"}, "resource": {"type": "record", "id": "101"}}
    answer = (await search(records, "subject", body, by="alice")).json
    assert answer["results"] == [ALICE]
    assert (answer["context"]["unanswered"], answer["context"]["complete"]) == (6, False)


async def test_searching_is_a_privilege_of_its_own(state: Path, mongod: MongodProcess) -> None:
    async with placet(state, mongod.uri, policy=[RECORDS / "policy"]) as server:
        response = await search(server, "resource", b"no JSON", by="alice")
        assert (response.status, response.json["reason"]) == (403, "SEARCH_NOT_ALLOWED")


async def test_metadata_name_the_searches_that_have_candidates(records: Placet, server: Placet) -> None:
    names = {f"search_{kind}_endpoint" for kind in ("subject", "resource", "action")}
    found = (await send(records, "GET", CONFIGURATION)).json
    assert {name: found[name] for name in names} == {
        f"search_{kind}_endpoint": f"{records.http}/access/v1/search/{kind}"
        for kind in ("subject", "resource", "action")
    }
    assert not names & (await send(server, "GET", CONFIGURATION)).json.keys()

"""A submission is decided by the policy of its day, opens what any request opens, and has one task."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import orjson
from pymongo import AsyncMongoClient

from pdp.process.mongod import MongodProcess
from pdp.store.tasks import MAX_KEYS
from pdp.v1.approval_pb2 import ApprovalState
from tests.arap import approve, cancel, denied, export, newest, opened, problem, submit, task
from tests.parts import Placet, exporting, log, placet
from tests.web import evaluate, question

ASKS = """package policy

needs_approval contains {"rule": "ask", "reason": "people decide", "reviewers": {"groups": ["stewards"]}}
"""
DENIES = 'package policy\n\ndeny contains {"rule": "no", "reason": "not any more"}\n'
ALLOWS = 'package policy\n\nallow contains {"rule": "yes", "reason": "now it may"}\n'
PEOPLE = {"groups": {"stewards": ["user:bob"]}, "identities": {"agent:report-bot": {"owners": ["user:alice"]}}}


async def test_same_request_is_one_task_also_without_a_key(server: Placet) -> None:
    body = export()
    first, second = [await opened(server, body) for _ in range(2)]
    assert first["id"] == second["id"]


async def test_task_keeps_so_many_keys_and_no_more(server: Placet) -> None:
    body = export()
    denial = await denied(server, body)
    ids = {(await submit(server, body, denial, key=f"key-{n}")).json["task"]["id"] for n in range(MAX_KEYS)}
    assert len(ids) == 1
    refused = await submit(server, body, denial, key="one-more")
    assert refused.status == 400
    assert "send one of them, or none" in refused.json["detail"]
    for key in ("key-0", f"key-{MAX_KEYS - 1}", ""):
        assert (await submit(server, body, denial, key=key)).json["task"]["id"] in ids


async def test_submission_is_decided_by_the_policy_of_today(state: Path, mongod: MongodProcess, tmp_path: Path) -> None:
    body, database = question(options={}), f"t{uuid4().hex[:16]}"
    policies = {name: policy(tmp_path / name, text) for name, text in (("a", ASKS), ("d", DENIES), ("y", ALLOWS))}
    async with placet(state, mongod.uri, policy=[policies["a"]], database=database) as server:
        denial = await denied(server, body)
    async with placet(state, mongod.uri, policy=[policies["d"]], database=database) as server:
        response = await submit(server, body, denial)
        assert problem(response) == (400, "not_requestable")
        assert response.json["evaluation_id"].startswith("dec_")
    async with placet(state, mongod.uri, policy=[policies["y"]], database=database) as server:
        first, second = [await submit(server, body, denial, key="k") for _ in range(2)]
        assert (first.status, first.json["task"]["status"]) == (201, "approved")
        assert first.json["result"]["approval"]["id"] == first.json["task"]["id"] == second.json["task"]["id"]
        assert (await task(server, first.json["task"]["id"])).json == first.json
        assert problem(await cancel(server, first.json["task"]["id"])) == (409, "invalid_task_state")
        body["context"] = {"approval": first.json["result"]["approval"]}
        assert (await evaluate(server, body)).json["decision"] is True
    async with placet(state, mongod.uri, policy=[policies["a"]], database=database) as server:
        assert (await evaluate(server, body)).json["context"]["reason"] == "approval_required"


async def test_submission_is_recorded_as_the_same_over_grpc(server: Placet) -> None:
    body = export()
    await submit(server, body, key=uuid4().hex)
    await server.authorize(exporting(requestId=uuid4().hex, attemptId=""))
    created = (await log(server, "approval.created"))[-2:]
    decisions = [pair for pair in await log(server, "decision") if pair[0].get("approval_id")][-2:]
    for over_http, over_grpc in (created, decisions):
        assert [sorted(one) for one in over_http] == [sorted(one) for one in over_grpc]
        assert over_http[0].get("effect") == over_grpc[0].get("effect")


async def test_of_many_submissions_at_once_there_is_one_task(server: Placet) -> None:
    body, key = export(), uuid4().hex
    denial = await denied(server, body)
    made = await asyncio.gather(*(submit(server, body, denial, key=key if at % 2 else "") for at in range(12)))
    assert {one.status for one in made} == {202}
    assert len({one.json["task"]["id"] for one in made}) == 1


async def test_task_of_an_approval_that_was_made_up_is_refused(server: Placet, mongod: MongodProcess) -> None:
    made = await opened(server, export())
    held = await newest(server)
    async with AsyncMongoClient(mongod.uri) as client:
        approvals = client[server.database].get_collection("approvals")
        stamps = {"approved_at": datetime.now(UTC)}
        await approvals.update_one({"_id": held.approval_id}, {"$set": {"state": "APPROVED", **stamps}})
    response = await task(server, made["id"])
    assert (response.status, response.json["reason"]) == (500, "APPROVAL_TAMPERED")


async def test_submission_uses_no_approval_that_its_key_opened_elsewhere(server: Placet) -> None:
    key, body = uuid4().hex, export()
    denial = await denied(server, body)
    body["options"] |= {"request_id": key}
    await evaluate(server, {**body, "options": {**body["options"], "open_approval": True}})
    for person in ("bob", "carol"):
        await approve(server, person)
    response = await submit(server, body, denial, key=key)
    assert (response.status, response.json["task"]["status"]) == (201, "approved")
    assert (await newest(server)).state == ApprovalState.APPROVAL_STATE_APPROVED


def policy(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "p.rego").write_text(text)
    (folder / "data.json").write_bytes(orjson.dumps(PEOPLE))
    return folder

"""Access requests over HTTP: a task says how people stand to what was submitted."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from pdp.http.access_request import FURTHER
from pdp.process.mongod import MongodProcess
from tests.arap import approve, cancel, denied, export, newest, opened, problem, submit, task
from tests.parts import Placet, placet
from tests.web import evaluate, send


async def test_client_finds_where_to_submit_and_that_an_approval_is_used_once(server: Placet) -> None:
    found = (await send(server, "GET", "/.well-known/authzen-configuration")).json
    assert found["access_request_endpoint"] == f"{server.http}/access/v1/requests"
    assert found["capabilities"] == ["urn:openid:authzen:capability:access-request"]
    assert found["approval_use"] == FURTHER["approval_use"] == "single"


async def test_submission_is_answered_with_a_task_and_its_place(server: Placet) -> None:
    response = await submit(server, export(), requested_access={"justification": "the audit", "requested_until": "x"})
    made = response.json["task"]
    assert (response.status, response.headers["Location"]) == (202, made["status_endpoint"])
    assert made["links"] == {"cancel": f"{made['status_endpoint']}/cancel"}
    assert made["expires_at"].endswith("Z")
    assert "result" not in response.json
    assert (await newest(server)).justification == "the audit"


async def test_same_key_is_the_same_task_and_another_request_is_a_duplicate(server: Placet) -> None:
    body, key = export(), uuid4().hex
    first, quoted = (await submit(server, body, key=key)).json, (await submit(server, body, key=f'"{key}"')).json
    assert first["task"]["id"] == quoted["task"]["id"]
    assert problem(await submit(server, export(), key=key)) == (409, "duplicate_request")
    for person in ("bob", "carol"):
        await approve(server, person)
    again = await submit(server, body, key=key)
    assert (again.status, again.json["task"]["status"]) == (201, "approved")
    body["context"]["approval"] = again.json["result"]["approval"]
    assert (await evaluate(server, body)).json["decision"] is True, "a submission uses nothing"


async def test_next_run_needs_a_key_of_its_own(server: Placet) -> None:
    body, key = export(), uuid4().hex
    before = await denied(server, body)
    await submit(server, body, before, key=key)
    for person in ("bob", "carol"):
        await approve(server, person)
    done = await submit(server, body, before, key=key)
    used = {**body, "context": {**body["context"], "approval": done.json["result"]["approval"]}}
    assert (await evaluate(server, used)).json["decision"] is True
    next_run = await evaluate(server, used)
    assert next_run.json["context"]["next_action"] == "request"
    again = await submit(server, body, key=key)
    assert problem(again) == (409, "duplicate_request")
    assert "take a new key" in again.json["detail"]
    assert (await submit(server, body, key=uuid4().hex)).json["task"]["status"] == "pending"


async def test_key_that_named_an_evaluation_is_a_duplicate_for_another_request(server: Placet) -> None:
    key, first = uuid4().hex, export()
    first["options"] |= {"request_id": key, "open_approval": True}
    await evaluate(server, first)
    response = await submit(server, export(), key=key)
    assert problem(response) == (409, "duplicate_request")
    assert [one["field"] for one in response.json["violations"]] == ["context.run"]


async def test_task_is_there_for_its_caller_alone(server: Placet) -> None:
    made = await opened(server, export())
    for task_id, by in ((made["id"], "alice"), (made["id"], "bob"), ("arq_0", "report-bot")):
        assert problem(await task(server, task_id, by)) == (404, "unknown_task")
        assert problem(await cancel(server, task_id, by)) == (404, "unknown_task")
    assert (await task(server, made["id"])).json["task"]["status"] == "pending"


@pytest.mark.parametrize("place", ["é", "arq_%00", "$ne", "a" * 4000, "arq_" + "A" * 32])
async def test_what_is_no_id_of_a_task_is_unknown(server: Placet, place: str) -> None:
    assert problem(await task(server, place)) == (404, "unknown_task")
    assert problem(await cancel(server, place)) == (404, "unknown_task")


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"reason": 7}', b'{"comment": "x", "comment": "y"}', b"\xff"])
async def test_bad_body_of_a_cancellation_cancels_nothing(server: Placet, body: bytes) -> None:
    made = await opened(server, export())
    assert (await cancel(server, made["id"], body=body)).status == 400
    assert (await task(server, made["id"])).json["task"]["status"] == "pending"


async def test_pending_task_is_cancelled_and_stays_so(server: Placet) -> None:
    made = await opened(server, export())
    response = await cancel(server, made["id"], body={"reason": "done", "comment": "not needed"})
    assert (response.status, response.json["task"]["status"]) == (200, "cancelled")
    assert "result" not in response.json
    assert problem(await cancel(server, made["id"])) == (409, "invalid_task_state")


async def test_approved_task_is_not_cancelled_and_its_approval_stays(server: Placet) -> None:
    body = export()
    made = await opened(server, body)
    for person in ("bob", "carol"):
        await approve(server, person)
    assert problem(await cancel(server, made["id"])) == (409, "invalid_task_state")
    body["context"]["approval"] = (await task(server, made["id"])).json["result"]["approval"]
    assert (await evaluate(server, body)).json["decision"] is True


async def test_denied_task_is_denied(server: Placet) -> None:
    made = await opened(server, export())
    await approve(server, "bob", "DENY")
    found = (await task(server, made["id"])).json
    assert (found["task"]["status"], "result" in found) == ("denied", False)


async def test_wait_ends_with_the_last_review(server: Placet) -> None:
    made = await opened(server, export())
    at_once = await task(server, made["id"], Prefer="wait=0")
    assert (at_once.json["task"]["status"], at_once.headers["Preference-Applied"]) == ("pending", "wait=0")
    assert "Preference-Applied" not in (await task(server, made["id"], Prefer="respond-async")).headers
    waiting = asyncio.create_task(task(server, made["id"], Prefer="respond-async, wait=600"))
    for person in ("bob", "carol"):
        await approve(server, person)
    answer = await asyncio.wait_for(waiting, 10)
    assert (answer.json["task"]["status"], answer.headers["Preference-Applied"]) == ("approved", "wait=60")


async def test_wait_is_answered_at_drain(state: Path, mongod: MongodProcess) -> None:
    async with placet(state, mongod.uri) as server:
        made = await opened(server, export())
        waiting = asyncio.create_task(task(server, made["id"], Prefer="wait=60"))
        done, _ = await asyncio.wait({waiting}, timeout=0.5)
        assert not done
    answer = await asyncio.wait_for(waiting, 2)
    assert (answer.status, answer.json["task"]["status"]) == (200, "pending")
    assert answer.headers["Connection"] == "close"

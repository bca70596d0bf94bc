"""What is submitted is what was denied to this caller, and in time."""

from typing import Any
from uuid import uuid4

import pytest

from pdp.binding_token import Denial
from tests.arap import REQUESTS, binder, denied, export, problem, submit
from tests.parts import Placet
from tests.web import evaluate, question, send


async def test_members_that_the_denial_does_not_bind_are_no_part_of_the_request(server: Placet) -> None:
    body = export()
    denial = await denied(server, body)
    body["context"] |= {"business_justification": "the audit", "supported_obligations": ["custom"]}
    assert (await submit(server, body, denial)).status == 202
    del body["context"]["run"]
    assert problem(await submit(server, body, denial)) == (400, "invalid_denial_binding")


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (
            {"resource": {"type": "table", "id": "others", "properties": {"tags": ["pii"]}}},
            (400, "invalid_denial_binding"),
        ),
        ({"action": {"name": "read"}}, (400, "invalid_denial_binding")),
        ({"options": {}}, (400, "invalid_denial_binding")),
        ({"context": {"run": "another"}}, (400, "invalid_denial_binding")),
    ],
)
async def test_altered_request_is_refused(server: Placet, change: dict[str, Any], wanted: tuple[int, str]) -> None:
    body = export()
    denial = await denied(server, body)
    assert problem(await submit(server, {**body, **change}, denial)) == wanted


async def test_token_of_another_denial_or_caller_or_of_nobody_is_refused(server: Placet) -> None:
    body, other = export(), export()
    denial, swapped = await denied(server, body), await denied(server, other)
    for wrong in (
        {**denial, "binding_token": swapped["binding_token"]},
        {**denial, "binding_token": denial["binding_token"][:-4] + "AAAA"},
        {**denial, "binding_token": None},
        {**denial, "evaluation_id": swapped["evaluation_id"]},
        {**denial, "expires_at": "2030-01-01T00:00:00Z"},
    ):
        assert problem(await submit(server, body, wrong)) == (400, "invalid_denial_binding")
    assert problem(await submit(server, body, denial, by="alice")) == (400, "invalid_denial_binding")


async def test_denial_is_known_by_its_id_alone(server: Placet) -> None:
    body, other = export(), export()
    denial, another = await denied(server, body), await denied(server, other)
    by_id = {name: denial[name] for name in ("evaluation_id", "expires_at")}
    assert (await submit(server, body, by_id)).status == 202
    for wrong in (another["evaluation_id"], "dec_0", f"dec_{uuid4().hex}"):
        response = await submit(server, body, {**by_id, "evaluation_id": wrong})
        assert problem(response) == (400, "invalid_denial_binding")
    assert problem(await submit(server, body, by_id, by="alice")) == (400, "invalid_denial_binding")
    assert problem(await submit(server, body, {**by_id, "expires_at": "2026-01-01T00:00:00Z"})) == (
        410,
        "expired_denial",
    )
    assert (await submit(server, body, {**by_id, "expires_at": "soon"})).status == 400


async def test_evaluation_that_nobody_could_lift_is_not_requestable(server: Placet) -> None:
    for body in (question("drop"), question()):
        evaluation_id = (await evaluate(server, body)).json["context"]["evaluation_id"]
        denial = {"evaluation_id": evaluation_id, "expires_at": "2099-01-01T00:00:00Z"}
        assert problem(await submit(server, body, denial)) == (400, "not_requestable")


async def test_expired_denial_is_gone_and_a_retry_still_finds_its_task(server: Placet) -> None:
    body, key = export(), uuid4().hex
    context = (await evaluate(server, body)).json["context"]
    named = (context["evaluation_id"], context["request_digest"], ("run",), context["policy_revision"])
    old = Denial(*named, 1_700_000_000)
    token = binder(server).token(old, "agent:report-bot")
    denial = {"expires_at": old.expires_at, "binding_token": token}
    assert problem(await submit(server, body, denial, key=key)) == (410, "expired_denial")
    made = (await submit(server, body, key=key)).json["task"]
    assert (await submit(server, body, denial, key=key)).json["task"]["id"] == made["id"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"items": []}, "items"),
        ({"callback": {"endpoint": "https://a.example"}}, "callback"),
        ({"denial": 7}, "denial"),
        ({"denial": {"binding_token": "x"}}, "denial.expires_at"),
        ({"client": []}, "client"),
        ({"requested_access": {"justification": 7}}, "requested_access.justification"),
        ({"options": {"dry_run": True}}, "options.dry_run"),
        ({"options": {"attempt_id": "a"}}, "options.attempt_id"),
    ],
)
async def test_what_a_submission_cannot_have_is_refused_with_its_path(
    server: Placet, change: dict[str, Any], field: str
) -> None:
    body = export()
    response = await submit(server, body, **{"denial": await denied(server, body), **change})
    assert response.status == 400
    assert [one["field"] for one in response.json["violations"]] == [field]


@pytest.mark.parametrize("key", ["é", '""', "a" * 1025, "a\tb"])
async def test_key_is_printable_and_short(server: Placet, key: str) -> None:
    response = await submit(server, export(), key=key)
    assert (response.status, response.json["violations"][0]["field"]) == (400, "Idempotency-Key")


@pytest.mark.parametrize("denial", [None, "x", [], {"expires_at": 7}, {"expires_at": "x", "binding_token": {"a": 1}}])
@pytest.mark.parametrize("more", [{}, {"requested_access": None}, {"client": 7}, {"client": {"actor": []}}])
async def test_denial_of_any_shape_is_a_bad_request(server: Placet, denial: Any, more: dict[str, Any]) -> None:
    response = await send(server, "POST", REQUESTS, "report-bot", {**export(), "denial": denial, **more})
    assert response.status in {400, 403}
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "decision" not in response.json


@pytest.mark.parametrize(
    ("actor", "status"),
    [
        ({"id": "report-bot", "type": "ai_agent"}, 202),
        ({"id": "other"}, 403),
        ({"id": "report-bot", "issuer": "https://a.example"}, 403),
        ({"id": "report-bot", "act": {"sub": "x", "iss": "y"}}, 403),
        ("report-bot", 403),
    ],
)
async def test_actor_is_the_caller_itself(server: Placet, actor: Any, status: int) -> None:
    assert (await submit(server, export(), client={"id": "app", "actor": actor})).status == status

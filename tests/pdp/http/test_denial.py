"""A denial says whether people could lift it, and a refused approval what to do next."""

from typing import Any
from uuid import uuid4

import pytest

from pdp.approval import TRANSITIONS, State
from pdp.http.denial import REFUSALS
from tests.arap import approve, export, newest, opened, problem, revoke, submit, task
from tests.parts import Placet
from tests.web import ALICE, evaluate, evaluate_all, question


async def test_denial_says_how_to_lift_it_and_opens_nothing(server: Placet) -> None:
    context = (await evaluate(server, export())).json["context"]
    request = context["access_request"]
    assert request["endpoint"] == f"{server.http}/access/v1/requests"
    assert set(request) == {"endpoint", "expires_at", "template", "display", "binding_token"}
    assert request["template"] == context["reasons"][0]["rule"]
    assert context["reasons"][0]["reason"] in request["display"]["description"]
    assert "approval" not in context
    for body in (question(), question("drop")):
        assert "access_request" not in (await evaluate(server, body)).json["context"]


async def test_refused_approval_says_what_to_do_next(server: Placet) -> None:
    body = export()
    made = await opened(server, body)
    for person in ("bob", "carol"):
        await approve(server, person)
    approval = (await task(server, made["id"])).json["result"]["approval"]
    assert await refused(server, export(), approval) == ("out_of_scope", "request", True)
    assert await refused(server, export(), {"id": f"apr_{uuid4().hex}"}) == ("approval_unverifiable", "none", False)
    alices = question("export", ["pii"], subject=ALICE, options={}, context=body["context"])
    assert await refused(server, alices, approval, "alice") == ("approval_unverifiable", "none", False)
    assert await refused(server, question("drop"), approval) == ("policy_denied", "none", False)
    assert await refused(server, question("drop"), {"id": f"apr_{uuid4().hex}"}) == ("policy_denied", "none", False)
    await revoke(server, "bob")
    assert await refused(server, body, approval) == ("approval_expired", "request", True)
    assert (await task(server, made["id"])).json["task"]["status"] == "approved"
    allowed = question(context={"approval": {"id": f"apr_{uuid4().hex}"}})
    assert (await evaluate(server, allowed)).json["decision"] is True


async def test_used_approval_is_repeated_for_its_attempt_alone(server: Placet) -> None:
    body = export()
    made = await opened(server, body)
    for person in ("bob", "carol"):
        await approve(server, person)
    body["context"]["approval"] = (await task(server, made["id"])).json["result"]["approval"]
    body["options"] |= {"attempt_id": "one"}
    first, again = [(await evaluate(server, body)).json for _ in range(2)]
    assert (first["decision"], again) == (True, first)
    body["options"] |= {"attempt_id": "two"}
    approval = body["context"].pop("approval")
    assert await refused(server, body, approval) == ("approval_expired", "request", True)


@pytest.mark.parametrize("state", [state for state, after in TRANSITIONS.items() if not after])
def test_every_end_of_an_approval_says_what_to_do_next(state: State) -> None:
    reason, action = REFUSALS[f"pdp.approval_{state.lower()}"]
    assert (reason, action) == (("denied", "none") if state is State.DENIED else ("approval_expired", "request"))


async def test_denied_approval_is_not_asked_for_again(server: Placet) -> None:
    body = export()
    await opened(server, body)
    approval_id = (await newest(server)).approval_id
    await approve(server, "bob", "DENY")
    assert await refused(server, body, {"id": approval_id}) == ("denied", "none", False)


async def test_each_of_many_says_how_to_lift_it(server: Placet) -> None:
    bodies = [export(), question("drop"), export()]
    answers = (await evaluate_all(server, {"evaluations": bodies})).json["evaluations"]
    assert ["access_request" in answer["context"] for answer in answers] == [True, False, True]
    request = answers[2]["context"]["access_request"]
    denial = {name: request[name] for name in ("expires_at", "binding_token")}
    assert (await submit(server, bodies[2], denial)).status == 202
    assert problem(await submit(server, bodies[0], denial)) == (400, "invalid_denial_binding")


async def refused(server: Placet, body: dict[str, Any], approval: Any, by: str = "report-bot") -> tuple[str, str, bool]:
    """What a client reads of a refused approval; and whether it can submit what it asked."""
    asked = {**body, "context": {**body.get("context", {}), "approval": approval}}
    answer = (await evaluate(server, asked, by)).json
    assert answer["decision"] is False
    context = answer["context"]
    return context["reason"], context["next_action"], "access_request" in context

"""The working group's scenarios over HTTP: Todo, API gateway, and single decisions of the identity provider."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pdp.process.mongod import MongodProcess
from tests.parts import Placet, placet
from tests.searching import search, searchable
from tests.web import decided, evaluate_all

CASES = Path("tests/cases")
TODOS, GATEWAY = CASES / "authzen-todo", CASES / "authzen-gateway"
ROUTES = json.loads((GATEWAY / "decisions.json").read_text())["evaluation"]


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (TODOS / name).read_text().splitlines()]


@pytest.fixture(scope="module")
async def todo(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with placet(state, mongod.uri, policy=[TODOS / "policy"]) as server:
        yield server


@pytest.fixture(scope="module")
async def gateway(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    async with searchable(state, mongod.uri, [GATEWAY / "policy"]) as server:
        yield server


@pytest.mark.parametrize("case", lines("decisions.jsonl"), ids=lambda case: case["name"])
async def test_todo_is_decided_as_published(todo: Placet, case: Any) -> None:
    answer = await decided(todo, case["request"], by="dev")
    assert answer["decision"] is (case["effect"] == "EFFECT_ALLOW")


@pytest.mark.parametrize("case", lines("batches.jsonl"), ids=lambda case: case["name"])
async def test_todo_is_decided_as_published_many_at_a_time(todo: Placet, case: Any) -> None:
    body = {**case["request"]["defaults"], "evaluations": case["request"]["items"]}
    answers = (await evaluate_all(todo, body, by="dev")).json["evaluations"]
    assert [answer["decision"] for answer in answers] == [effect == "EFFECT_ALLOW" for effect in case["effects"]]


@pytest.mark.parametrize("index", range(len(ROUTES)))
async def test_gateway_is_decided_as_published(gateway: Placet, index: int) -> None:
    case = ROUTES[index]
    assert (await decided(gateway, case["request"], by="dev"))["decision"] is case["expected"]


async def test_routes_and_methods_of_the_gateway_are_found(gateway: Placet) -> None:
    """What a search finds is what the published decisions allow."""
    for subject in {case["request"]["subject"]["id"] for case in ROUTES}:
        allowed = [case["request"] for case in ROUTES if case["expected"]]
        own = [request for request in allowed if request["subject"]["id"] == subject]
        for action in ("GET", "POST", "PUT", "DELETE"):
            body = {"subject": {"type": "identity", "id": subject}, "action": {"name": action}}
            answer = (await search(gateway, "resource", {**body, "resource": {"type": "route"}})).json
            wanted = [request["resource"]["id"] for request in own if request["action"]["name"] == action]
            assert sorted(one["id"] for one in answer["results"]) == sorted(wanted)

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pdp.environment import Environment
from pdp.policy.bundle import build
from pdp.policy.sources import read
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
CASES = Path("tests/cases/authzen-todo")


def lines(name: str) -> list[Any]:
    return [json.loads(line) for line in (CASES / name).read_text().splitlines()]


def opa_input(request: Mapping[str, Any]) -> dict[str, Any]:
    subject, resource = request["subject"], request["resource"]
    return {
        "subject": {"properties": {}, **subject},
        "on_behalf_of": request.get("onBehalfOf", []),
        "action": {"properties": {}, **request["action"]},
        "resource": {"properties": {}, **resource},
        "context": request.get("context", {}),
        "caller": {"identity": f"{subject['type']}:{subject['id']}", "kind": "person", "groups": []},
        "now": 0,
    }


def cases() -> list[tuple[str, Mapping[str, Any], str]]:
    singles = [(case["name"], case["request"], case["effect"]) for case in lines("decisions.jsonl")]
    batched = [
        (f"{case['name']}: {index}", {**case["request"]["defaults"], **item}, effect)
        for case in lines("batches.jsonl")
        for index, (item, effect) in enumerate(zip(case["request"]["items"], case["effects"], strict=True))
    ]
    return singles + batched


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    bundle = tmp_path_factory.mktemp("todo") / "bundle.tar.gz"
    build(OPA, read([CASES / "policy"]), bundle)
    batch = {str(index): opa_input(request) for index, (_, request, _) in enumerate(cases())}
    done = subprocess.run(
        [OPA, "eval", "--strict-builtin-errors", "--bundle", bundle, "--stdin-input", "data.pdp.decisions"],
        input=json.dumps({"batch": batch}).encode(),
        capture_output=True,
        check=True,
    )
    result: Mapping[str, Any] = json.loads(done.stdout)["result"][0]["expressions"][0]["value"]
    return result


@pytest.mark.parametrize(("index", "case"), list(enumerate(cases())), ids=[name for name, _, _ in cases()])
def test_todo_is_decided_as_published(index: int, case: tuple[str, Any, str], answers: Mapping[str, Any]) -> None:
    assert f"EFFECT_{answers[str(index)]['effect']}" == case[2]


def test_every_question_is_answered(answers: Mapping[str, Any]) -> None:
    assert len(answers) == 46

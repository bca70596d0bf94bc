"""Policies that read as strict and decided otherwise: each is refused, warned of, found by an attack, or right."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.policy.check import checked
from pdp.policy.sources import labels, read, staged
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
FOLDER = Path("tests/cases/policies/seems-strict")
CASES = {path.parent.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*/expected.json"))}
REQUEST = json.loads((FOLDER / "request.json").read_text())
CALLER = {"identity": "agent:bot", "kind": "workload", "groups": []}
OUTCOMES = {"refused", "warned", "attacked", "right", "open"}


def having(*outcomes: str) -> list[str]:
    return [name for name, case in CASES.items() if case.keys() & set(outcomes)]


def found(name: str) -> tuple[list[str], list[str]]:
    """The rules that keep the policy from loading, all but its form, and the warnings."""
    try:
        findings, warnings = checked(OPA, [FOLDER / name / "policy"], {})
    except SetupError as error:
        return [error.sentence], []
    return [finding.rule for finding in findings if finding.rule != "unformatted"], warnings


def joined(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    inner = {key: joined(base[key], value) for key, value in change.items() if isinstance(base.get(key), dict)}
    return {**base, **change, **inner}


def answer(name: str, rule: str, question: dict[str, Any]) -> Any:
    sources = [source for source in read([FOLDER / name / "policy"]) if source.is_rego or source.is_data]
    loaded = [source for source in sources if not source.is_test]
    with staged(loaded) as folder:
        folders = [argument for label in labels(loaded) for argument in ("--data", label)]
        command = [OPA, "eval", "--strict-builtin-errors", "--stdin-input", "--format", "raw", *folders, rule]
        asked = json.dumps(question).encode()
        done = subprocess.run(command, input=asked, cwd=folder, capture_output=True, check=True)
    return json.loads(done.stdout)


def decided(name: str, change: dict[str, Any]) -> Any:
    request = joined(REQUEST, {key: value for key, value in change.items() if key != "columns"})
    if "columns" not in change:
        said = answer(name, "data.pdp.decision", {**request, "caller": CALLER, "now": 0})
        first = (said.get("reasons") or said["requirements"])[0]
        return f"{said['effect']} {first['rule']}: {first['reason']}"
    columns = [{"name": column, "type": "string", "leaf": True, "above": []} for column in change["columns"]]
    said = answer(name, "data.pdp.masks", {"request": request, "caller": CALLER, "now": 0, "columns": columns})
    return {column: [entry["rule"] for entry in entries] for column, entries in said["columns"].items()}


def test_thirty_cases_have_one_outcome_each() -> None:
    assert len(CASES) >= 30
    for name, case in CASES.items():
        assert len(case.keys() & OUTCOMES) == 1, name
        assert case.keys() - OUTCOMES <= {"why", "requests", "decided"}, name


@pytest.mark.parametrize("name", having("refused"))
def test_policy_is_refused(name: str) -> None:
    assert found(name)[0] == CASES[name]["refused"]


@pytest.mark.parametrize("name", having("warned", "attacked", "right", "open"))
def test_policy_loads_and_is_warned_of_where_it_says_so(name: str) -> None:
    refused, warnings = found(name)
    assert refused == []
    for wanted in CASES[name].get("warned", []):
        assert any(wanted in warning for warning in warnings), warnings


@pytest.mark.parametrize("name", having("warned", "attacked", "right", "open"))
def test_policy_that_loads_decides_as_its_case_says(name: str) -> None:
    case = CASES[name]
    assert case["decided"].keys() == case["requests"].keys()
    for label, wanted in case["decided"].items():
        said = decided(name, case["requests"][label])
        assert said.startswith(wanted) if isinstance(wanted, str) else said == wanted, label


@pytest.mark.parametrize("name", having("right"))
def test_what_is_right_has_a_reason_that_the_docs_give(name: str) -> None:
    right = CASES[name]["right"]
    assert right["because"].endswith(".")
    assert right["says"] in " ".join(Path(right["page"]).read_text().split())

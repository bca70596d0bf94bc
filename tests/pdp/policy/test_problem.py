import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format

from pdp.canonical import canonical
from pdp.decision import verdict
from pdp.environment import Environment
from pdp.errors import PolicyInvalid
from pdp.policy.attributes import Attributes
from pdp.policy.bundle import build
from pdp.policy.schema import schemas
from pdp.policy.sources import read
from pdp.process.toolcache import opa
from pdp.v1.decision_pb2 import AuthorizeRequest

OPA = opa(Environment.read().tool_cache)
POLICIES = Path("tests/cases/policies")
CASES = {path.parent.name: json.loads(path.read_text()) for path in POLICIES.glob("*/expected.json")}
PROBLEMS = [name for name, case in CASES.items() if "problem" in case]
VIOLATIONS = [name for name, case in CASES.items() if "violations" in case]
OPAS_ERRORS = {"builtin_error": "eval_builtin_error", "conflict": "eval_conflict_error"}


def answered(name: str, scratch: Path) -> dict[str, Any]:
    (scratch / "bundle").mkdir()
    bundle = scratch / "bundle" / "bundle.tar.gz"
    build(OPA, read([POLICIES / name / "policy"]), bundle)
    request = CASES[name]["request"]
    caller = {"identity": "agent:bot", "kind": "workload", "groups": []}
    question = {"batch": {"0": {**request, "on_behalf_of": [], "caller": caller, "now": 0}}}
    done = subprocess.run(
        [OPA, "eval", "--strict-builtin-errors", "--bundle", bundle, "--stdin-input", "data.pdp.decisions"],
        input=json.dumps(question).encode(),
        capture_output=True,
        check=False,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("name", PROBLEMS)
def test_request_meets_the_problem(name: str, tmp_path: Path) -> None:
    problem, answer = CASES[name]["problem"], answered(name, tmp_path)
    if problem in OPAS_ERRORS:
        assert [error["code"] for error in answer["errors"]] == [OPAS_ERRORS[problem]]
        return
    decisions = answer["result"][0]["expressions"][0]["value"]
    with pytest.raises(PolicyInvalid) as refused:
        verdict(decisions["0"], frozenset({"user"}))
    assert refused.value.problem == problem


@pytest.mark.parametrize("name", VIOLATIONS)
def test_request_does_not_fit_the_schema(name: str) -> None:
    asked = json_format.ParseDict(CASES[name]["request"], AuthorizeRequest())
    faults = Attributes(schemas(read([POLICIES / name / "policy"]))).faults(canonical(asked, "test").members)
    assert [path for path, _ in faults] == CASES[name]["violations"]


def test_every_way_to_fail_open_has_its_case() -> None:
    assert CASES.keys() >= {
        "boolean-deny",
        "builtin-error",
        "conflicting-rules",
        "data-that-grants",
        "duplicate-index",
        "missing-attribute",
        "missing-context",
        "misspelt-set",
        "nested-package",
        "null",
        "text-as-number",
        "undefined",
        "unknown-key",
        "wrong-type",
    }

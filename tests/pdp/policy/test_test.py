from pathlib import Path

import pytest

from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.policy.sources import core, rego
from pdp.policy.test import outcome
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
ALLOW = """
package policy

allow contains {"rule": "x", "reason": "x"} if {
    input.context.x
    input.now > 0
}
"""


def policy_with(folder: Path, test: str) -> Path:
    (folder / "p.rego").write_text(ALLOW)
    (folder / "p_test.rego").write_text(f"package p_test\n\nimport data.policy\n\n{test}\n")
    return folder


def test_tests_of_what_we_ship_pass_and_reach_everything() -> None:
    done = outcome(OPA, [rego()], core=True)
    assert done.passed, done.report
    assert done.covers(100), done.coverage
    assert str(core() / "decision.rego") in done.coverage


def test_tests_of_the_todo_policy_pass_and_reach_everything() -> None:
    done = outcome(OPA, [Path("tests/cases/authzen-todo/policy")])
    assert done.passed, done.report
    assert done.covers(100)


def test_failure_is_named(tmp_path: Path) -> None:
    done = outcome(OPA, [policy_with(tmp_path, 'test_x if count(policy.allow) == 1 with input as {"context": {}}')])
    assert not done.passed
    assert done.tests == {"p_test.test_x": False}
    assert "p_test.test_x: FAIL" in done.report


def test_missed_lines_are_named(tmp_path: Path) -> None:
    done = outcome(OPA, [policy_with(tmp_path, 'test_x if count(policy.allow) == 0 with input as {"context": {}}')])
    (file,) = done.coverage.values()
    assert done.passed
    assert not done.covers(100)
    assert 6 in file.missed


def test_no_tests_are_no_success(tmp_path: Path) -> None:
    done = outcome(OPA, [policy_with(tmp_path, "x := 1")])
    assert not done.passed


def test_policy_that_does_not_compile_cannot_be_policy_with(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="opa test"):
        outcome(OPA, [policy_with(tmp_path, "test_x if nothing")])

"""What tests ask about is heard on the real core, by a real `opa test`."""

from dataclasses import replace
from pathlib import Path

import pytest

from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.policy.overheard import overheard
from pdp.policy.sources import read, rego
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)

ALLOW = 'package policy\n\nallow contains {"rule": "a", "reason": "b"} if input.action.name == "read"\n'
ASKS = """package p_test

import data.pdp

request(name) := {"action": {"name": name}, "context": {"text": "a\\nplacet was asked about:  {}"}}

test_twice if {
	pdp.decision.effect == "ALLOW" with input as request("read")
	pdp.decision.effect == "ALLOW" with input as request("read")
}

test_fails if pdp.decision.effect == "ALLOW" with input as request("write")

test_masks if pdp.masks.entries == [] with input as {"request": request("mask"), "caller": {}, "now": 0, "columns": []}

test_without_input if not pdp.decision.effect == "ALLOW"

test_prints if {
	print("of the author")
	pdp.decisions["0"].effect == "DENY" with input as {"batch": {"0": request("drop")}}
}
"""


def test_each_input_is_heard_once_also_of_a_failing_test(tmp_path: Path) -> None:
    (tmp_path / "p.rego").write_text(ALLOW)
    (tmp_path / "p_test.rego").write_text(ASKS)
    found = overheard(OPA, read([tmp_path]))
    asked = {(one.test, one.input.get("request", one.input)["action"]["name"]) for one in found}
    assert asked == {
        ("p_test.test_twice", "read"),
        ("p_test.test_fails", "write"),
        ("p_test.test_masks", "mask"),
        ("p_test.test_prints", "drop"),
    }
    assert len(found) == 4


def test_the_core_and_its_own_tests_ask_nothing(tmp_path: Path) -> None:
    (tmp_path / "p.rego").write_text(ALLOW)
    assert overheard(OPA, read([tmp_path])) == []
    assert not [one for one in overheard(OPA, read([rego()])) if one.test.startswith("decision_test")]


def test_tests_that_do_not_compile_are_an_error_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "p_test.rego").write_text("package p_test\n\ntest_x if nothing.here\n")
    with pytest.raises(SetupError, match=r"p_test\.rego"):
        overheard(OPA, read([tmp_path]))


def test_another_core_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p_test.rego").write_text(ASKS)
    sources = read([tmp_path])
    changed = [replace(one, content=b"package pdp\n") if one.path.name == "masks.rego" else one for one in sources]
    with pytest.raises(SetupError, match="not the core of this release"):
        overheard(OPA, changed)

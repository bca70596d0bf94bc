"""What each rule is undefined for, and which types and actions it is about."""

from pathlib import PurePosixPath
from typing import Any

import pytest

from pdp.policy.inference import Inference
from pdp.policy.module import modules
from pdp.policy.reach import ALLOWS, BOTH, RESTRICTS
from pdp.policy.schema import Schemas
from pdp.policy.sources import Source
from pdp.policy.stock import capabilities
from tests.authored import OPA

LIB = """package lib.h

asked if input.action.name == "a"

negated if input.action.name == "a"

both if input.action.name == "a"

counted if input.action.name == "a"

valued := 1 if input.action.name == "a"

default chosen := 1

chosen := 2 if inner

inner if input.action.name == "a"

either := 1 if second

else := 2

second if input.action.name == "a"

unused if input.action.name == "a"

deep if deeper

deeper if input.action.name == "a"
"""
POLICY = """package policy

import data.lib.h

allow contains {"rule": "x", "reason": "x"} if {
	h.asked
	h.both
	not h.negated
	h.valued > 0
	h.chosen == 2
	h.either == 1
	count([1 | h.counted]) == 0
	h.deep
}

deny contains {"rule": "x", "reason": "x"} if h.both

mask contains {"rule": "x", "reason": "x"} if not h.denied
"""


def inferred(data: Any = None, **texts: str) -> Inference:
    """What is known of a policy of these modules."""
    sources = [Source("p", PurePosixPath(f"{name}.rego"), name, text.encode()) for name, text in texts.items()]
    return Inference(modules(OPA, sources), data or {}, Schemas(), capabilities(OPA)["builtins"])


@pytest.mark.parametrize(
    ("name", "signs"),
    [
        ("asked", {ALLOWS}),
        ("negated", {RESTRICTS}),
        ("both", BOTH),
        ("counted", BOTH),
        ("valued", {ALLOWS}),
        ("inner", BOTH),
        ("second", BOTH),
        ("deeper", {ALLOWS}),
        ("denied", {ALLOWS}),
        ("unused", set()),
    ],
)
def test_helper_has_the_sign_of_what_names_it(name: str, signs: set[str]) -> None:
    inference = inferred(policy=POLICY, lib=LIB + "\ndenied if true\n")
    (branch,) = (branch for branch in inference.branches if branch.name[-1] == name)
    assert inference.reach.signs(branch) == signs
    assert inference.reach.takes_guards(branch) is (signs == {ALLOWS})


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ('input.action.name == "a"', ("a",)),
        ('"a" == input.action.name', ("a",)),
        ('input.action.name = "a"', ("a",)),
        ('name := input.action.name\n\tname == "a"', ("a",)),
        ('name := input.action.name\n\twanted := "a"\n\tname == wanted', ("a",)),
        ('input.action.name in ["a", "b"]', ("a", "b")),
        ("input.action.name in data.actions", ("c", "d")),
        ('input.action.name in ["a", "b"]\n\tinput.action.name == "b"', ("b",)),
        ('not input.action.name == "a"', None),
        ('input.action.name != "a"', None),
        ("input.action.name in data.odd", None),
        ("input.action.name in data.nowhere", None),
        ('input.action.name in ["a", input.context.x]', None),
        ('input.subject.type == "a"', None),
        ('count([1 | input.action.name == "a"]) == 0', None),
    ],
)
def test_actions_that_a_rule_is_about(body: str, names: tuple[str, ...] | None) -> None:
    text = f'package policy\n\nallow contains {{"rule": "x", "reason": "x"}} if {{\n\t{body}\n}}\n'
    inference = inferred({"actions": ["c", "d"], "odd": ["a", 1]}, policy=text)
    (branch,) = inference.branches
    assert inference.reach.named(branch).get("action") == names


def test_rules_that_call_each_other_end() -> None:
    inference = inferred(
        policy='package policy\n\nallow contains {"rule": "x"} if data.lib.h.a',
        lib="package lib.h\n\na if b\n\nb if a\n",
    )
    assert all(not inference.reach.named(branch) for branch in inference.branches)

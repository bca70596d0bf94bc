"""What each builtin does, asked of OPA itself: the table is complete, and none in it was seen without a value."""

import json
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pdp.environment import Environment
from pdp.policy.builtins import ALWAYS, LENGTHS, MAYBE
from pdp.policy.stock import FORBIDDEN
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
VALUES = """null true -1 0 10 2.5 "" "a" "2h" "2006" "1.2.3" "10.0.0.0/30" "2026-01-01T00:00:00Z" [] ["a"]
[1] {} {"a":1} set() {"a"} {{"a"}}"""
FEW = """null -1 0 10 "" "a" [] ["a"] {} {"a":1}"""
"""Values for builtins of three arguments and more."""

Calls = tuple[dict[str, Counter[bool]], Counter[str]]
"""For each builtin: how many calls had a value and how many had none; and how many failed."""


@cache
def declared() -> dict[str, dict[str, Any]]:
    done = subprocess.run([OPA, "capabilities", "--current"], capture_output=True, check=True)
    return {builtin["name"]: builtin for builtin in json.loads(done.stdout)["builtins"]}


def called(name: str, arguments: str) -> str:
    parts = arguments.split(", ")
    if name == "internal.member_3":
        return f"(({parts[0]}, {parts[1]} in {parts[2]}))"
    if infix := declared()[name].get("infix"):
        return f"({parts[0]} {infix} {parts[1]})"
    return f"{name}({arguments})"


def rules(name: str) -> str:
    """Rules that call `name` with values of all types, one by one; `has` says for each call whether it had a value."""
    count = len(declared()[name]["decl"].get("args", []))
    variables = ", ".join(f"x{index}" for index in range(count))
    values = "values" if count < 3 else "few"
    bound = "; ".join(f"some x{index} in {values}" for index in range(count))
    call = _call(name)
    return (
        f"{call}({variables}) := {called(name, variables)}\n"
        f"has_{call}({variables}) if _ = {call}({variables})\n"
        "else := false\n"
        f'has["{name}"] := [found | {bound}; found := has_{call}({variables})]\n'
    )


def _call(name: str) -> str:
    return "call_" + name.replace(".", "_")


def tried(folder: Path) -> Calls:
    """For each builtin: how many calls had a value, how many had none, and how many failed."""
    names = sorted({*ALWAYS, "min", "max", "uuid.parse"})
    text = f"package p\n\nvalues := [{', '.join(VALUES.split())}]\nfew := [{', '.join(FEW.split())}]\n"
    text += "".join(map(rules, names))
    lines = text.split("\n")
    (folder / "p.rego").write_text(text)
    command = [OPA, "eval", "--show-builtin-errors", "--data", folder / "p.rego", "data.p.has"]
    answer = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    has = answer["result"][0]["expressions"][0]["value"]
    failed = Counter(lines[error["location"]["row"] - 1].split("(")[0] for error in answer["errors"])
    return {name: Counter(found) for name, found in has.items()}, Counter({name: failed[_call(name)] for name in names})


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Calls:
    return tried(tmp_path_factory.mktemp("builtins"))


def test_table_has_each_builtin_of_this_opa_once() -> None:
    assert declared().keys() == ALWAYS | MAYBE
    assert not ALWAYS & MAYBE
    assert {"sprintf", "object.union", "object.get"} <= ALWAYS
    assert {"min", "max"} <= MAYBE


def test_whatever_policies_may_not_use_is_not_taken_for_sure() -> None:
    assert {name for name, builtin in declared().items() if builtin.get("nondeterministic")} | FORBIDDEN <= MAYBE


@pytest.mark.parametrize("name", sorted(ALWAYS))
def test_builtin_gives_a_value_or_fails(calls: Calls, name: str) -> None:
    has, failed = calls
    assert has[name][False] == failed[name]
    assert has[name][True], "no value was seen; add arguments to PROPER"


@pytest.mark.parametrize("name", ["max", "min", "uuid.parse"])
def test_builtin_without_a_value_that_does_not_fail_is_seen(calls: Calls, name: str) -> None:
    has, failed = calls
    assert has[name][False] > failed[name]


@pytest.mark.parametrize("name", LENGTHS)
def test_builtin_whose_list_is_always_as_long_is_declared_so(name: str) -> None:
    assert len(declared()[name]["decl"]["result"]["static"]) == LENGTHS[name]

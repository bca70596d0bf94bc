"""One Rego module as OPA parses it: what it says of itself, and the faults that only its syntax shows."""

from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pdp.environment import Environment
from pdp.policy.entry import COMPUTED
from pdp.policy.module import SETS, Module, entry_of, inspect, is_contains, modules, nodes
from pdp.policy.sources import Source
from pdp.process import toolcache


@pytest.fixture(scope="module")
def opa() -> Path:
    return toolcache.opa(Environment.read().tool_cache)


def source(text: str, path: str = "p.rego") -> Source:
    return Source("mine", PurePosixPath(path), f"shown/{path}", text.encode())


def parsed(opa: Path, body: str, package: str = "policy", path: str = "p.rego") -> Module:
    [module] = modules(opa, [source(f"package {package}\n\n{body}\n", path)])
    return module


def found(module: Module) -> list[tuple[str, int]]:
    return [(finding.rule, finding.line) for finding in inspect(module)]


def test_module_says_its_package_its_rules_and_what_it_calls_others(opa: Path) -> None:
    body = "import data.lib.time as clock\nimport data.roles\nimport input.resource\n\ndeny contains 1 if roles.x\n"
    module = parsed(opa, body, "policy.tables")
    assert module.package == ("policy", "tables")
    assert len(module.rules) == 1
    assert module.names == {
        "data": ("data",),
        "input": ("input",),
        "clock": ("data", "lib", "time"),
        "roles": ("data", "roles"),
        "resource": ("input", "resource"),
    }


def test_module_that_does_not_parse_and_data_are_left_to_others(opa: Path) -> None:
    sources = [
        source("package policy\n\ndeny contains {"),
        source("{}", "data.json"),
        source("package lib.x", "x.rego"),
    ]
    assert [module.package for module in modules(opa, sources)] == [("lib", "x")]


@pytest.mark.parametrize("name", SETS)
def test_whatever_else_stands_in_the_place_of_a_set_is_found(opa: Path, name: str) -> None:
    for body in (f"{name} := 1", f"default {name} := false", f"{name} if true", f'{name}["x"] := 1', f"{name}.x := 1"):
        assert found(parsed(opa, body)) == [("not-a-set", 3)]


@pytest.mark.parametrize(
    ("name", "near"),
    [("denny", "deny"), ("needs_approvals", "needs_approval"), ("alow", "allow"), ("masks", "mask"), ("helper", "")],
)
def test_misspelt_set_is_named_with_what_was_meant(opa: Path, name: str, near: str) -> None:
    [finding] = inspect(parsed(opa, f"{name} contains 1 if true"))
    assert finding.rule == "misspelt-set"
    assert finding.file == "shown/p.rego"
    assert f"`{near}`" in finding.sentence if near else "`deny`" not in finding.sentence


@pytest.mark.parametrize(
    ("package", "rules"),
    [
        ("pdp", ["reserved-package"]),
        ("pdp.x", ["reserved-package"]),
        ("system.log", ["reserved-package"]),
        ("policy.tables", ["nested-package"]),
        ("lib.time", []),
        ("policies", []),
    ],
)
def test_package_decides_what_is_read(opa: Path, package: str, rules: list[str]) -> None:
    assert [rule for rule, _ in found(parsed(opa, "helper := 1", package))] == rules


def test_tests_may_call_their_rules_as_they_like(opa: Path) -> None:
    assert found(parsed(opa, "test_it if true", path="p_test.rego")) == []
    assert found(parsed(opa, "test_it if true"))[0][0] == "misspelt-set"


def test_fault_of_an_entry_is_found_at_its_rule(opa: Path) -> None:
    body = 'allow contains {"rule": "a", "reason": "b"} if true\n\ndeny contains {"rule": "a"} if true\n'
    assert found(parsed(opa, body)) == [("missing-key", 5)]


@pytest.mark.parametrize(
    ("rule", "entry"),
    [
        ('deny contains {"rule": "a", "reason": "b"} if true', {"rule": "a", "reason": "b"}),
        ('deny contains {"rule": "a", "reason": input.x} if true', {"rule": "a", "reason": COMPUTED}),
        ('deny contains e if e := {"rule": "a", "reason": "b"}', {"rule": "a", "reason": "b"}),
        ('deny contains e if { input.x; e := {"rule": "a"} }', {"rule": "a"}),
        ("deny contains e if e := data.x", COMPUTED),
        ("deny contains e if some e in data.x", COMPUTED),
        ('deny contains object.union({"rule": "a"}, data.x) if true', COMPUTED),
        ("deny := 1", None),
    ],
)
def test_entry_is_read_as_far_as_it_is_written_out(opa: Path, rule: str, entry: Any) -> None:
    [node] = parsed(opa, rule).rules
    assert entry_of(node) == entry
    assert is_contains(node) == (entry is not None)


def test_nodes_come_outermost_first() -> None:
    tree = {"a": {"b": 1}, "c": [{"d": {}}, [{"e": 2}]], "f": "text"}
    assert list(nodes(tree)) == [tree, {"b": 1}, {"d": {}}, {}, {"e": 2}]

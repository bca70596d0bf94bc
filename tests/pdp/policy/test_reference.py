"""What modules refer to: each name that leads nowhere is found, and nothing else."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pdp.environment import Environment
from pdp.policy.module import Module, modules, nodes
from pdp.policy.reference import (
    OPTIONAL,
    definitions,
    unknown_data,
    written,
)
from pdp.policy.sources import Source
from pdp.process import toolcache


@pytest.fixture(scope="module")
def opa() -> Path:
    return toolcache.opa(Environment.read().tool_cache)


def parsed(opa: Path, **bodies: str) -> list[Module]:
    """A module of each package; `__` in its name is a dot."""
    sources = [
        Source("mine", PurePosixPath(f"{name}.rego"), name, f"package {name.replace('__', '.')}\n\n{body}\n".encode())
        for name, body in bodies.items()
    ]
    return modules(opa, sources)


def unknown(everything: Sequence[Module], data: dict[str, Any]) -> list[str]:
    rules = definitions(everything)
    findings = [finding for module in everything for finding in unknown_data(module, rules, data)]
    assert {finding.rule for finding in findings} <= {"unknown-reference"}
    return [finding.sentence for finding in findings]


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("data.roles.admin", {("data", "roles", "admin")}),
        ("data.roles[input.x]", {("data", "roles"), ("input", "x")}),
        ('data.roles["admin"].x', {("data", "roles", "admin", "x")}),
        ("roles[_].x", {("data", "people", "roles")}),
        ("clock.now", {("data", "lib", "time", "now")}),
        ("input.resource.properties.tags[0]", {("input", "resource", "properties", "tags")}),
    ],
)
def test_reference_is_read_as_far_as_it_is_written_out(opa: Path, expression: str, paths: set[Any]) -> None:
    imports = "import data.lib.time as clock\nimport data.people.roles\n\n"
    [module] = parsed(opa, lib__x=f"{imports}x := {expression}")
    found = {written(module, node) for node in nodes(module.rules) if node.get("type") == "ref"}
    assert {path for path in found if path} == paths


def test_rules_functions_and_data_are_known_by_their_path(opa: Path) -> None:
    everything = parsed(opa, lib__time="now := 1\n\nlate(x) if x > now\n", policy="deny contains 1 if true")
    assert definitions(everything).keys() == {
        ("data", "lib", "time", "now"),
        ("data", "lib", "time", "late"),
        ("data", "policy", "deny"),
    }


@pytest.mark.parametrize(
    ("body", "is_known"),
    [
        ("data.lib.time.now", True),
        ("data.lib.time.late(3)", True),
        ("data.lib.time.nwo", False),
        ("data.lib.tiem.now", False),
        ("data.lib.time", True),
        ("data.lib[input.x]", True),
        ("data.roles.anything.at.all", True),
        ("data.rolse", False),
        ("data[input.x]", True),
        *((f"data.{name}.x", True) for name in sorted(OPTIONAL)),
    ],
)
def test_name_that_leads_nowhere_is_found(opa: Path, body: str, *, is_known: bool) -> None:
    everything = parsed(opa, lib__time="now := 1\n\nlate(x) if x > now\n", policy=f"deny contains 1 if {body}")
    found = unknown(everything, {"roles": {}})
    assert (found == []) == is_known

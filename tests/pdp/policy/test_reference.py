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
    unknown_attributes,
    unknown_data,
    written,
)
from pdp.policy.schema import Schemas
from pdp.policy.sources import Source
from pdp.process import toolcache

SCHEMAS = Schemas({"table": {"properties": {"tags": {"type": "array", "items": {"type": "string"}}}}})


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


@pytest.mark.parametrize(
    ("body", "rules"),
    [
        ('object.get(input.resource.properties, "tags", [])', []),
        ('object.get(input.resource.properties, "tgas", [])', ["unknown-attribute"]),
        ('object.get(input.resource, ["properties", "tgas"], [])', ["unknown-attribute"]),
        ('object.get(input, "subjcet", {})', ["unknown-attribute"]),
        ("object.get(input.resource.properties, input.context.key, [])", []),
        ('object.get(data.roles, "anything", [])', []),
    ],
)
def test_attribute_that_no_request_has_is_found_behind_object_get(opa: Path, body: str, rules: list[str]) -> None:
    [module] = parsed(opa, policy=f'deny contains 1 if {{ input.resource.type == "table"; x := {body}; x }}')
    assert [finding.rule for finding in unknown_attributes(module, SCHEMAS)] == rules


@pytest.mark.parametrize(
    ("condition", "rules"),
    [
        ('input.resource.type == "table"', []),
        ('input.resource.type == "view"', ["missing-schema"]),
        ('"view" == input.resource.type', ["missing-schema"]),
    ],
)
def test_type_whose_properties_are_read_needs_a_schema(opa: Path, condition: str, rules: list[str]) -> None:
    [module] = parsed(opa, policy=f"deny contains 1 if {{ {condition}; input.resource.properties.tags }}")
    assert [finding.rule for finding in unknown_attributes(module, SCHEMAS)] == rules
    assert not list(unknown_attributes(module, Schemas()))
    [silent] = parsed(opa, policy=f"deny contains 1 if {condition}")
    assert not list(unknown_attributes(silent, SCHEMAS))

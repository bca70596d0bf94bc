"""What a rule's body binds and says, under each way to write it."""

from pathlib import PurePosixPath

import pytest

from pdp.policy.branch import KEY, Branch, Known, branches
from pdp.policy.module import modules
from pdp.policy.sources import Source
from tests.authored import OPA


def branch(body: str, head: str = "r") -> Branch:
    """The rule of a module with this body."""
    text = f"package lib.p\n\nimport data.lib.other\n\n{head} if {{\n\t{body}\n}}\n"
    source = Source("p", PurePosixPath("p.rego"), "p.rego", text.encode())
    return branches(modules(OPA, [source]), Known(frozenset({("data", "lib", "p", "own")}), {"walk": 1, "plus": 2}))[0]


@pytest.mark.parametrize(
    ("body", "name", "steps"),
    [
        ("x := input.a", "x", [()]),
        ("x = input.a", "x", [()]),
        ("input.a = x", "x", [()]),
        ("[_, x] := input.a", "x", [(1,)]),
        ('{"a": [x]} := input.a', "x", [("a", 0)]),
        ("some x in input.a", "x", [(None,)]),
        ("some x, _ in input.a", "x", [(KEY,)]),
        ("every x in input.a { x }", "x", [(None,)]),
        ("every x, _ in input.a { x }", "x", [(KEY,)]),
        ("walk(input.a, [_, x])", "x", [(1,)]),
        ("plus(1, 2, x)", "x", [()]),
        ("x := input.a\n\tx := input.b", "x", [(), ()]),
        ("y := input.a", "x", []),
    ],
)
def test_what_binds_a_variable(body: str, name: str, steps: list[tuple[object, ...]]) -> None:
    assert [on for _, on in branch(body).bound.get(name, ())] == steps


def test_variable_that_only_steps_takes_every_key() -> None:
    found = branch("some i\n\tinput.a[i].b[j] == own\n\tother.x[own] == k\n\tk := 1\n\tinput.b[k]")
    assert found.iterated.keys() == {"i", "j"}


def test_parameters_are_found_in_patterns() -> None:
    assert branch("a == b", 'f(a, [b, {"k": c}])').parameters == {"a": (0, ()), "b": (1, (0,)), "c": (1, (1, "k"))}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("x := input.a.b", ("input", "a", "b")),
        ("p := input.a\n\tx := p.b", ("input", "a", "b")),
        ('k := "b"\n\tx := input.a[k]', ("input", "a", "b")),
        ("x := other.b", ("data", "lib", "other", "b")),
        ("x := input.a[_]", ()),
        ("x := 1", ()),
    ],
)
def test_path_of_a_variable(body: str, path: tuple[str, ...]) -> None:
    assert branch(body).path({"type": "var", "value": "x"}) == path


def test_guards_are_what_the_whole_body_says() -> None:
    asked = (
        "is_number(x)",
        "not is_string(input.b)",
        "every y in input.c { is_array(y) }",
        "[1 | is_object(input.d)] == []",
    )
    said = branch("\n\t".join(["x := input.a", *asked]))
    assert sorted(said.guards.values()) == ["array", "number"]
    assert said.same({"type": "var", "value": "x"}) in said.guards
    assert len(branch("input.a != null\n\tnull != input.b\n\tnot input.c != null").not_null) == 2

"""Which statements of a body are its conditions, and which only prepare what the head reads."""

import pytest

from pdp.policy.body import Body, free, is_unconditional
from tests.pdp.policy.test_total import parsed

BODIES = {
    "nothing": ("", set(), 0),
    "condition": ("input.now > 0", set(), 1),
    "assignment": ("x := input.context.x", {"x"}, 0),
    "assignment that nothing reads": ("y := input.context.x", set(), 1),
    "assignment and a condition of it": ("x := input.context.x\n\tx > 0", set(), 2),
    "two assignments": ("y := input.context.y\n\tx := [y]", {"x", "y"}, 0),
    "two assignments, one asked about": ("y := input.context.y\n\tx := [y]\n\ty > 0", {"x"}, 2),
    "unified twice": ("x = input.context.x\n\tx = input.context.y", set(), 2),
    "unified from the right": ("input.context.x = x", {"x"}, 0),
    "unified with an iterated name": ("some y in input.context.x\n\tx := 1\n\ty = x", set(), 3),
    "printed": ("x := input.context.x\n\tprint(x)", {"x"}, 0),
    "declared": ("some x\n\tx = input.context.x", {"x"}, 0),
    "iterated": ("some x in input.context.x", set(), 1),
    "iterated as written": ("some x in [input.context.x]", {"x"}, 0),
    "negated": ("x := input.context.x\n\tnot x == 1", set(), 2),
    "output": ("upper(input.context.x, x)", {"x"}, 0),
    "every": ("x := input.context.x\n\tevery y in x {\n\t\ty > 0\n\t}", set(), 2),
}


def body(text: str) -> Body:
    (module,) = parsed({"p.rego": f"package policy\n\ndeny contains x if {{\n\tinput.now\n\t{text}\n}}\n"})
    rule = module.rules[0]
    return Body({**rule, "body": rule["body"][1:]}, rule["head"]["key"])


@pytest.mark.parametrize("name", BODIES)
def test_body_is_told_apart(name: str) -> None:
    text, parts, conditions = BODIES[name]
    found = body(text)
    assert set(found.parts) == parts
    assert len(found.conditions) == conditions


def test_domain_of_what_is_iterated_is_known() -> None:
    found = body("some _, x in input.on_behalf_of")
    assert found.domains["x"]["type"] == "ref"


def test_rule_without_a_body_has_no_condition() -> None:
    (module,) = parsed({"p.rego": 'package policy\n\ndeny contains "x"\n\ndeny contains "y" if true\n'})
    assert [is_unconditional(rule) for rule in module.rules] == [True, False]


def test_names_inside_a_comprehension_are_its_own() -> None:
    (module,) = parsed({"p.rego": "package policy\n\ndeny contains [y | some x in z; y := [x, w]]\n"})
    assert free(module.rules[0]["head"]["key"]) == {"z", "w"}

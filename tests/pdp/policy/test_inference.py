"""Inference ends: rules that call each other in a circle, and names that lead nowhere, are of unknown kind."""

from pathlib import PurePosixPath

import pytest

from pdp.environment import Environment
from pdp.policy.inference import Inference
from pdp.policy.module import modules
from pdp.policy.schema import Schemas
from pdp.policy.shape import kinds
from pdp.policy.sources import Source
from pdp.policy.stock import capabilities
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
HELPERS = """package lib.h

f(x) := g(x)

g(x) := f(x)

h(x) := 1 if x == "a"
else := 2

either := 1 if input.now > 5

either := "one" if input.now <= 5

deep := {"a": {"b": 3}}.a.b

loop := loop_too

loop_too := loop
"""


def kind(term: str) -> frozenset[str]:
    """What the rule `answer := TERM` stands for."""
    text = f"package lib.p\n\nimport data.lib.h\n\nanswer := {term}\n"
    files = {"lib/p.rego": text, "lib/h.rego": HELPERS}
    sources = [Source("p", PurePosixPath(name), name, content.encode()) for name, content in files.items()]
    read = modules(OPA, sources)
    inference = Inference(read, {"limits": {"a": 1}}, Schemas(), capabilities(OPA)["builtins"])
    (branch,) = (branch for branch in inference.branches if branch.name == ("data", "lib", "p", "answer"))
    return kinds(inference.shape(branch, branch.node["head"]["value"]))


@pytest.mark.parametrize(
    ("term", "wanted"),
    [
        ("3", {"number"}),
        ("[1, 2][0]", {"number"}),
        ("data.limits.a", {"number"}),
        ("data.limits.missing", set()),
        ("data.nowhere", set()),
        ("input.now", {"number"}),
        ("input.nothing", set()),
        ("input.caller.kind", {"string"}),
        ("count([])", {"number"}),
        ("h.h(1)", {"number"}),
        ("h.either", {"number", "string"}),
        ("h.f(1)", set()),
        ("h.loop", set()),
        ("h.nothing", set()),
        ("max([1, 2])", {"number"}),
        ("max([1, input.context.x])", set()),
        ("[x | some x in [1, 2]][0]", {"number"}),
        ('object.get({}, "a", 3)', set()),
        ('object.get({"a": 2}, "a", 3)', {"number"}),
        ("{x: 1 | some x in [1]}[input.context.y]", {"number"}),
        ("{1, 2}", {"array"}),
        ('$"{input.context.x}"', {"string"}),
        ("nowhere", set()),
        ('object.get(input, ["caller", "kind"], "")', {"string"}),
    ],
)
def test_kind_of_a_term(term: str, wanted: set[str]) -> None:
    assert kind(term) == wanted

"""Which paths of data a rule reads, followed through the names that it gives them."""

from pathlib import PurePosixPath

import pytest

from pdp.environment import Environment
from pdp.policy.module import modules
from pdp.policy.reading import reads
from pdp.policy.sources import Source
from pdp.process.toolcache import opa

OPA = opa(Environment.read().tool_cache)
ANY = None


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ("data.a.b == 1", {("a", "b")}),
        ("data.a[input.x].c == 1", {("a", ANY, "c")}),
        ("teams[0] == 1", {("more", "teams", ANY)}),
        ("x := data.a; x.b == 1; x.c == 1", {("a", "b"), ("a", "c")}),
        ("x := data.a; y := x.b; y.c == 1", {("a", "b", "c")}),
        ("some t in data.a; t.b == 1", {("a", ANY, "b")}),
        ("some k, _ in data.a; k == 1", {("a", ANY)}),
        ("every t in data.a { t.b == 1 }", {("a", ANY, "b")}),
        ("1 in data.a", {("a", ANY)}),
        ('object.get(data.a, ["b", "c"], 1) == 1', {("a", "b", "c")}),
        ('x := object.get(data.a, "b", {}); x.c == 1', {("a", "b", "c")}),
        ("object.get(data.a, input.x, 1) == 1", {("a", ANY)}),
        ("data.a[data.b.c].d == 1", {("a", ANY, "d"), ("b", "c")}),
        ("count(data.a) == 1", {("a",)}),
        ("time.clock([1, data.a])[0] == 1", {("a",)}),
        ("input.x == 1 with data.a as data.b", {("b",)}),
        ("walk(data, [_, 1])", {()}),
        ('"x" == $"{data.a.b}"', {("a", "b")}),
    ],
)
def test_path_that_is_read(body: str, paths: set[tuple[str | None, ...]]) -> None:
    text = f"package policy\n\nimport data.more.teams\n\ndeny contains 1 if {{ {body} }}\n"
    [module] = modules(OPA, [Source("p", PurePosixPath("p.rego"), "p.rego", text.encode())])
    assert {read.steps for read in reads(module)} == paths


def test_path_behind_object_get_need_not_be_there() -> None:
    text = 'package policy\n\ndeny contains 1 if { x := object.get(data.a, "b", {}); x.c == data.a.d }\n'
    [module] = modules(OPA, [Source("p", PurePosixPath("p.rego"), "p.rego", text.encode())])
    assert {(read.steps, read.is_open) for read in reads(module)} == {(("a", "b", "c"), True), (("a", "d"), False)}

"""The syntax trees of many modules by a few runs of OPA, as a run for each file gives them."""

from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pdp.environment import Environment
from pdp.policy.check import findings_in
from pdp.policy.module import _tree, modules
from pdp.policy.sources import Source, read, rego
from pdp.policy.trees import FEW, trees
from pdp.process import toolcache


@pytest.fixture(scope="module")
def opa() -> Path:
    return toolcache.opa(Environment.read().tool_cache)


FINE = """package policy

import data.lib.teams

default allowed := false

deny contains {"rule": "a.b", "reason": "no"} if {
	some team, members in data.teams
	every member in members { member != input.subject.id }
	not teams.is_open(team) with input as {"x": [1, 2.5, `raw`]}
	{x | some x in [1, 2]} == {1}
}

label(n) := "many" if {
	n > 1
} else := "one"
"""


def sources(texts: list[str]) -> list[Source]:
    return [Source("mine", PurePosixPath(f"f{n}.rego"), f"f{n}.rego", text.encode()) for n, text in enumerate(texts)]


def same(tree: Any, other: Any) -> bool:
    """Whether two trees are the same, places and all; of what OPA adds to a head only the tree of many has a place."""
    if isinstance(other, dict):
        wanted = other.keys() - {"annotations", "alias_location"}
        return (
            tree.keys() - {"location"} == wanted - {"location"}
            and all(same(tree[key], other[key]) for key in wanted - {"location"})
            and all(tree["location"][part] == value for part, value in other.get("location", {}).items())
        )
    if isinstance(other, list):
        return len(tree) == len(other) and all(map(same, tree, other))
    return bool(tree == other)


def test_trees_of_many_are_those_of_one_by_one_with_their_places(opa: Path) -> None:
    many = [*sources([FINE] * FEW), *(source for source in read([rego() / "policy"]) if source.is_rego)]
    found = trees(opa, many, lambda source: _tree(opa, source))
    for source in many:
        assert same(found[source], _tree(opa, source)), source.shown


def test_what_is_not_rego_is_none_and_hides_nobody(opa: Path) -> None:
    texts = [FINE, "package policy\n\ndeny contains", *[f"package lib.l{n}\n\nx := {n}\n" for n in range(FEW)]]
    found = modules(opa, sources(texts))
    assert [module.source.shown for module in found] == [f"f{n}.rego" for n in range(FEW + 2) if n != 1]


def test_what_is_no_text_is_as_opa_reads_it_by_itself(opa: Path) -> None:
    many = sources([FINE] * FEW)
    for odd in (b'package policy\n\nx := "\xff"\n', b"\xef\xbb\xbfpackage policy\n"):
        source = Source("mine", PurePosixPath("odd.rego"), "odd.rego", odd)
        found = trees(opa, [*many, source], lambda source: _tree(opa, source))
        assert found[source] == _tree(opa, source)


def test_metadata_that_cannot_be_read_is_found_among_many(opa: Path) -> None:
    bad = "# METADATA\n# title: [\npackage lib.bad\n\nx := 1\n"
    found = modules(opa, sources([bad, *[f"package lib.l{n}\n\nx := {n}\n" for n in range(FEW)]]))
    assert [module.source.shown for module in found] == [f"f{n}.rego" for n in range(1, FEW + 1)]


@pytest.mark.parametrize("count", [1, FEW + 1])
def test_findings_name_the_same_lines_however_many_files_there_are(opa: Path, tmp_path: Path, count: int) -> None:
    rule = 'package policy\n\nallow contains {{"rule": "r{0}", "reasn": "x"}} if input.action.name == "a{0}"\n'
    for number in range(count):
        (tmp_path / f"p{number}.rego").write_text(rule.format(number))
    found = [finding for finding in findings_in(opa, [tmp_path]) if finding.file.endswith("p0.rego")]
    assert {(finding.line, finding.rule) for finding in found} >= {(3, "unknown-key")}


def test_many_files_take_a_few_runs_of_opa(opa: Path, tmp_path: Path) -> None:
    rule = 'package policy\n\nallow contains {{"rule": "r{0}", "reason": "x"}} if input.action.name == "a{0}"\n'
    (tmp_path / "policy").mkdir()
    for number in range(40):
        (tmp_path / "policy" / f"p{number}.rego").write_text(rule.format(number))
    counting, runs = tmp_path / "opa", tmp_path / "runs"
    counting.write_text(f'#!/bin/sh\necho "$1" >> {runs}\nexec {opa} "$@"\n')
    counting.chmod(0o700)
    assert findings_in(counting, [tmp_path / "policy"]) == []
    assert len(runs.read_text().split()) < 10

"""An error of the policy names the author's file, its line and the rule, and never the bundle's place on the server."""

import shutil
from pathlib import Path

import pytest

from pdp.environment import Environment
from pdp.policy.bundle import built
from pdp.policy.place import place
from pdp.policy.sources import read
from pdp.process.mongod import MongodProcess
from pdp.process.toolcache import opa
from tests.parts import asking, placet
from tests.pdp.wire import refused

CASE = Path("tests/cases/policies/builtin-error/policy")
RULES = {"rules/p.rego": [(3, "first"), (9, "second")]}


@pytest.mark.parametrize(
    ("file", "line", "wanted"),
    [
        ("/rules/p.rego", 3, "rules/p.rego:3, rule first"),
        ("/rules/p.rego", 8, "rules/p.rego:8, rule first"),
        ("/rules/p.rego", 12, "rules/p.rego:12, rule second"),
        ("/rules/p.rego", 1, "rules/p.rego:1"),
        ("/var/x/bundle/bundle.tar.gz/rules/p.rego", 9, "rules/p.rego:9, rule second"),
        ("bundle.tar.gz:/rules/p.rego", 9, "rules/p.rego:9, rule second"),
        ("/other.rego", 9, "other.rego:9"),
    ],
)
def test_place_is_the_authors(file: str, line: int, wanted: str) -> None:
    assert place(file, line, RULES) == wanted


def test_rules_are_named_by_their_entry_or_their_name(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    shutil.copytree(CASE, folder)
    (folder / "lib").mkdir()
    (folder / "lib" / "h.rego").write_text("package lib.h\n\ndouble(x) := x * 2\n")
    done = built(opa(Environment.read().tool_cache), read([folder]), tmp_path / "b.tar.gz", tmp_path, {})
    assert list(done.rules["rules/p.rego"]) == [(3, "open"), (5, "no")]
    assert list(done.rules["rules/lib/h.rego"]) == [(3, "lib.h.double")]


async def test_caller_and_record_hear_file_line_and_rule(state: Path, mongod: MongodProcess) -> None:
    async with placet(state, mongod.uri, policy=[CASE]) as server:
        why = await refused(server.authorize(asking("export", context={"amount": "much"}), by="report-bot"))
    assert why.metadata["file"] == "policy/p.rego:5, rule no"
    assert why.message == "the policy failed (builtin_error) at policy/p.rego:5, rule no"

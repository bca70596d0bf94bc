"""Finds what reads as if it decided and does not: rules in tests or in other packages, a key that is written twice."""

from collections.abc import Collection, Iterator

from pdp.policy.finding import Finding
from pdp.policy.module import SETS, Module, is_contains
from pdp.policy.reference import Path

TESTS = ("test_", "todo_test_")
"""Beginnings of the names that `opa test` runs."""


def not_loaded(module: Module, rules: Collection[Path]) -> Iterator[Finding]:
    """A finding for each rule in a file of tests that reads as one of the policy. `rules` are those outside tests."""
    if module.package == ("policy",):
        sentence = "files *_test.rego are not loaded, so this decides nothing; name another package, or rename the file"
        yield module.finding(module.tree["package"], "rule-in-tests", sentence)
        return
    for rule in module.rules:
        name = rule["head"]["ref"][0]["value"]
        if not name.startswith(TESTS) and ("data", *module.package, name) in rules:
            sentence = f"`{name}` is also written outside tests, and files *_test.rego are not loaded; move it there"
            yield module.finding(rule, "rule-in-tests", sentence)


def undecided(module: Module) -> Iterator[Finding]:
    """A finding for each of the five sets in a package other than `policy`."""
    for rule in module.rules if module.package[0] != "policy" else ():
        name = rule["head"]["ref"][0]["value"]
        if name in SETS and is_contains(rule):
            own = ".".join(module.package)
            sentence = f"only `package policy` decides, `{own}` does not; write that, or rename `{name}`"
            yield module.finding(rule, "misspelt-package", sentence)


def twice(module: Module) -> Iterator[Finding]:
    """A finding for each object that writes a key twice: OPA takes the last without a word."""
    for node in module.nodes:
        if node.get("type") != "object" or "value" not in node:
            continue
        keys = [key["value"] for key, _ in node.get("value", ()) if key["type"] == "string"]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            sentence = f"`{key}` is written twice in one object, and only the last would count; keep one of them"
            yield module.finding(node, "conflicting-data", sentence)

"""Finds rules that decide nothing: no rule of the five sets reads them, itself or through others. Pure.

What tests are made of is left out: the rules of a package that tests read, if they ask nothing of a request.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pdp.policy.branch import Branch
from pdp.policy.finding import Finding
from pdp.policy.in_force import TESTS
from pdp.policy.module import SETS, Module
from pdp.policy.reference import Path
from pdp.policy.untyped import Typing

_FOR_TESTS = {"test", "tests", "testing"}
"""Steps in the name of a package that is there for tests alone."""


def unread_rules(typing: Typing, everything: Iterable[Module]) -> Iterator[Finding]:
    """A finding for each rule that no rule of the five sets reads."""
    signs = typing.inference.reach.signs
    deciding = {branch.name[:-1] for branch in typing.inference.branches if signs(branch)}
    tested = {path for module in everything if module.source.is_test for path in _named(module)}
    idle: dict[Path, list[Branch]] = {}
    for branch in typing.inference.branches:
        if branch.is_authored and branch.module.package[0] != "policy" and not signs(branch):
            idle.setdefault(branch.name, []).append(branch)
    for name, branches in idle.items():
        is_helper = name[:-1] not in deciding and any(path[: len(name) - 1] == name[:-1] for path in tested)
        if not _is_for_tests(name) and not (is_helper and not any(_asks(branch.tree) for branch in branches)):
            sentence = (
                f"no rule that decides reads `{'.'.join(name)}`; only the sets {', '.join(SETS)} of "
                "`package policy` decide, so read it there, or remove it"
            )
            yield branches[0].module.finding(branches[0].rule, "unread-rule", sentence)


def _is_for_tests(name: Path) -> bool:
    return bool(_FOR_TESTS & {*name}) or name[-1].startswith(TESTS)


def _named(module: Module) -> Iterator[Path]:
    """The paths that the references of a module begin with."""
    for node in module.nodes:
        if node.get("type") == "ref" and node["value"][0]["type"] == "var":
            first, *parts = node["value"]
            own = ("data", *module.package, first["value"])
            yield (*module.names.get(first["value"], own), *(str(part.get("value")) for part in parts))


def _asks(tree: Any) -> bool:
    """Whether a rule reads the request, which it does not where `with` replaces all of it."""
    match tree:
        case {"type": "var", "value": "input"}:
            return True
        case {"with": [{"target": {"value": [{"value": "input"}]}, "value": value}, *rest]}:
            return _asks(value) or _asks([each["value"] for each in rest])
        case dict():
            return any(map(_asks, tree.values()))
        case list():
            return any(map(_asks, tree))
    return False

"""Where in a policy an error happened: OPA's place in the bundle becomes the author's file, line and rule. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from pdp.policy.module import Module, Node, entry_of

Rules: TypeAlias = Mapping[str, Sequence[tuple[int, str]]]
"""The rules of each file of a bundle, each with its first line, in order."""


def rules(modules: Iterable[Module]) -> Rules:
    """The rules of all modules: an entry of a set by its `rule`, any other rule by its name."""
    return {
        module.source.name: sorted((rule["location"]["row"], _name(module, rule)) for rule in module.rules)
        for module in modules
    }


def _name(module: Module, rule: Node) -> str:
    entry = entry_of(rule)
    named = entry.get("rule") if isinstance(entry, dict) else None
    if isinstance(named, str):
        return named
    return ".".join((*module.package, str(rule["head"]["ref"][0]["value"])))


def place(file: str, line: int, known: Rules) -> str:
    """`folder/file.rego:5, rule x` for OPA's file and line; without the rule where `known` lacks the file."""
    name = file.rpartition(".tar.gz")[2].lstrip(":/")
    found = [rule for first, rule in known.get(name, ()) if first <= line]
    return f"{name}:{line}" + (f", rule {found[-1]}" if found else "")

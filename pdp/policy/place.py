"""Where in a policy an error happened: OPA's place in the bundle becomes the author's file, line and rule. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from pdp.policy.module import Module, Node, entry_of

_APART = re.compile(r'#[^\n]*|"(?:\\.|[^"\\\n])*"|`[^`]*`')
"""Comments and texts."""
_BEGIN = re.compile(r"(?!package\b|import\b|else\b)[A-Za-z_]")
"""How the line of a rule begins, as `opa fmt` writes it: what is in a rule is indented."""
Rules: TypeAlias = Mapping[str, Sequence[tuple[int, str]]]
"""The rules of each file of a bundle, each with its first line, in order."""


def rules(modules: Iterable[Module]) -> Rules:
    """The rules of all modules: an entry of a set by its `rule`, any other rule by its name."""
    return {
        module.source.name: sorted(zip(_rows(module), [_name(module, rule) for rule in module.rules], strict=True))
        for module in modules
    }


def _rows(module: Module) -> Sequence[int]:
    """The line of each rule: where the text is not as most is laid out, OPA is asked."""
    rows = [number for number, line in enumerate(_code(module.source.content), 1) if _BEGIN.match(line)]
    return rows if len(rows) == len(module.rules) else [rule["location"]["row"] for rule in module.rules]


def _code(content: bytes) -> list[str]:
    """The lines of a text, empty from its second where a comment or a text goes over them."""
    text = content.decode(errors="replace")
    return _APART.sub(lambda found: "\n" * found[0].count("\n"), text).split("\n")


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

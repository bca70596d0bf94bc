"""What to write where a part of an entry may have no value. Each sentence has the Rego to paste."""

import base64
import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from pdp.policy.module import Node

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""A step that Rego writes after a dot."""


class Lack(NamedTuple):
    """A part of an entry that may have no value, and what to write."""

    node: Node
    sentence: str


def of_lookup(parts: Sequence[Node], certain: int, variable: str = "") -> Lack:
    """A reference of which only the first `certain` parts surely lead somewhere; `variable` is what is set to it."""
    base, keys = _reference(parts[:certain]), [_key(part) for part in parts[certain:]]
    found = _without(parts[0], _reference(parts))
    if "_" in keys[:-1]:
        return _and(found, "bind each step by `some … in` in the body, which says that one must be there")
    if keys[-1] == "_":
        asked = f"some {variable or 'found'} in {_reference(parts[:-1])}"
        return _and(found, f"write `{asked}` in the body, which says that one must be there")
    if parts[0]["type"] != "var" or (len(keys) == 1 and parts[-1]["type"] == "number"):
        return _and(found, _tested(variable) if variable else _asked("found", _reference(parts)))
    read = f"object.get({base}, {keys[0] if len(keys) == 1 else '[' + ', '.join(keys) + ']'}, "
    if not variable:
        only = f"or, if the rule is only for what is there, {_asked('found', f'{read}null)')}"
        return _and(found, f'write `{read}"unknown")` in its place; {only}')
    tested = f"and `{variable} != null` if the rule is only for what is there, else another default than null"
    return _and(found, f"write `{variable} := {read}null)`, {tested}")


def of_data(node: Node, path: Sequence[str]) -> Lack:
    """A reference into data that no file holds."""
    return _and(_without(node, ".".join(path)), f"add `{path[1]}` to data.json")


def of_rule(parts: Sequence[Node], path: Sequence[str], variable: str = "") -> Lack:
    """The rule at `path`, which may have no value."""
    return _and(_may(parts[0], _reference(parts)), _default(path, path[-1], variable))


def of_function(node: Node, path: Sequence[str], parameters: int, variable: str = "") -> Lack:
    """A call of the function at `path`, which may have no value."""
    return _and(_may(node, spelled(node)), _default(path, f"{path[-1]}({', '.join('_' * parameters)})", variable))


def _default(path: Sequence[str], name: str, variable: str) -> str:
    default = f'add `default {name} := "unknown"`, or another default, to package `{".".join(path[1:-1])}`'
    return f"{_tested(variable)}; or {default}" if variable else default


def _tested(variable: str) -> str:
    return f"write `{variable} != null` after it if the rule is only for what is there"


def of_call(node: Node, variable: str = "") -> Lack:
    """A call of a builtin that may have no value."""
    return _and(_may(node, spelled(node)), _tested(variable) if variable else _asked("found", spelled(node)))


def of_statement(node: Node) -> Lack:
    """Variables that only the entry reads, from a statement that may not hold."""
    name = spelled(node)
    asked = next((part["value"] for part in node["value"] if part["type"] == "var"), name) if name[0] == "[" else name
    return Lack(node, f"the statement for `{name}` may not hold, and this entry vanishes with it; {_tested(asked)}")


def _asked(variable: str, term: str) -> str:
    return f"write `{variable} := {term}` and `{variable} != null` in the body, and `{variable}` in its place"


def spelled(term: Node) -> str:
    """A term as its author wrote it."""
    text = base64.b64decode(term.get("location", {}).get("text", "")).decode(errors="replace")
    return re.sub(r"\s+", " ", text) or str(term.get("value"))


def _without(node: Node, name: str) -> Lack:
    return Lack(node, f"without `{name}` this entry vanishes; ")


def _may(node: Node, name: str) -> Lack:
    return Lack(node, f"`{name}` may have no value, and this entry vanishes with it; ")


def _and(found: Lack, what: str) -> Lack:
    return found._replace(sentence=found.sentence + what)


def _reference(parts: Sequence[Node]) -> str:
    first = parts[0]["value"] if parts[0]["type"] == "var" else spelled(parts[0])
    return first + "".join(_step(part) for part in parts[1:])


def _step(part: Node) -> str:
    plain = part["type"] == "string" and _PLAIN.fullmatch(part["value"])
    return f".{part['value']}" if plain else f"[{_key(part)}]"


def _key(part: Node) -> str:
    match part:
        case {"type": "string", "value": text}:
            return json.dumps(text, ensure_ascii=False)
        case {"type": "var", "value": name}:
            return "_" if name.startswith("$") else name
        case {"type": "ref", "value": parts}:
            return _reference(parts)
    return spelled(part)

"""What to write where a part of an entry may have no value. Each sentence has the Rego to paste."""

import base64
import json
import re
from collections.abc import Container, Sequence
from typing import NamedTuple

from pdp.policy.body import free
from pdp.policy.fitting import ANY
from pdp.policy.module import Node

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""A step that Rego writes after a dot."""


class Lack(NamedTuple):
    """A part of an entry that may have no value, and what to write."""

    node: Node
    sentence: str


def of_lookup(parts: Sequence[Node], certain: int, bound: Container[str], variable: str = "") -> Lack:
    """A reference of which only the first `certain` parts surely lead somewhere.

    `bound` are the variables that have a value there; `variable` is the one that is set to the reference.
    """
    found = _without(parts[0], _reference(parts))
    if steps := [part for part in parts[1:] if part["type"] == "var" and part["value"] not in bound]:
        return _and(found, _iterated(parts, steps, variable or "found"))
    if parts[0]["type"] != "var" or (len(parts) == certain + 1 and parts[-1]["type"] == "number"):
        return _and(found, _tested(variable) if variable else _asked("found", _reference(parts)))
    keys = [_key(part) for part in parts[certain:]]
    key = keys[0] if len(keys) == 1 else f"[{', '.join(keys)}]"
    read = f"object.get({_reference(parts[:certain])}, {key}, "
    if not variable:
        only = f"or, if the rule is only for what is there, {_asked('found', f'{read}null)')}"
        return _and(found, f"write `{read}{ANY})` in its place; {only}")
    tested = f"and `{variable} != null` if the rule is only for what is there, else another default than null"
    return _and(found, f"write `{variable} := {read}null)`, {tested}")


def _iterated(parts: Sequence[Node], steps: Sequence[Node], variable: str) -> str:
    """What to write for a reference that goes through all there is at some of its `steps`."""
    if list(steps) != [parts[-1]]:
        return "bind each step by `some … in` in the body, which says that one must be there"
    key = "" if steps[0]["value"].startswith("$") else f"{steps[0]['value']}, "
    return f"write `some {key}{variable} in {_reference(parts[:-1])}` in the body, which says that one must be there"


def with_default(lack: Lack, default: str) -> Lack:
    """The same with a default that fits where the value stands, in place of a text."""
    said = lack.sentence.replace(f"{ANY})` in its place", f"{default})` in its place")
    said = said.replace(f":= {ANY}`", f":= {default}`")
    if default != ANY:
        said = said.replace("else another default than null", f"else a default such as `{default}` for null")
    return lack._replace(sentence=said)


def of_data(node: Node, path: Sequence[str]) -> Lack:
    """A reference into data that no file holds."""
    return _and(_without(node, ".".join(path)), f"add `{path[1]}` to data.json")


def of_rule(parts: Sequence[Node], path: Sequence[str], variable: str = "") -> Lack:
    """The rule at `path`, which may have no value."""
    return _defaulted(_may(parts[0], _reference(parts)), _reference(parts), path, path[-1], variable)


def of_function(node: Node, path: Sequence[str], parameters: int, variable: str = "") -> Lack:
    """A call of the function at `path`, which may have no value."""
    name = f"{path[-1]}({', '.join('_' * parameters)})"
    return _defaulted(_may(node, spelled(node)), spelled(node), path, name, variable)


def of_elements(parts: Sequence[Node], inner: Lack) -> Lack:
    """What the values of a rule or function may lack."""
    return Lack(parts[0], f"in `{_reference(parts)}`: {inner.sentence}")


def _defaulted(found: Lack, term: str, path: Sequence[str], name: str, variable: str) -> Lack:
    only = _tested(variable) if variable else f"if the rule is only for what is there, {_asked('found', term)}"
    default = f"add `default {name} := {ANY}`, or another default, to package `{'.'.join(path[1:-1])}`"
    return _and(found, f"{default}; or {only}")


def _tested(variable: str) -> str:
    return f"write `{variable} != null` after it if the rule is only for what is there"


def of_call(node: Node, variable: str = "") -> Lack:
    """A call of a builtin that may have no value."""
    return _and(_may(node, spelled(node)), _tested(variable) if variable else _asked("found", spelled(node)))


def of_statement(node: Node) -> Lack:
    """Variables that only the entry reads, from a statement that may not hold."""
    name = spelled(node)
    asked = min((name for name in free(node) if not name.startswith("$")), default=name)
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

"""The columns that a mask finds by their tags in `data.column_tags`, as far as the data tells. Pure.

1. `[name | some name, tags in data.column_tags[…]; not "pii" in tags]`, and `[name]` beside such a statement in the
   body, are columns that the data lists, of one table or of all.
2. A condition that is not about tags is left out. So more columns may be told than the mask finds, and none is missing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pdp.policy.branch import call, dotted
from pdp.policy.module import Module, Node
from pdp.policy.reference import written

_COLUMN_TAGS = ("data", "column_tags")


class _Each(NamedTuple):
    """A statement that goes through columns: the names of a column and of its tags, and the table if it is written."""

    name: str
    tags: str
    table: str | None


def columns(module: Module, rule: Node, data: Mapping[str, Any]) -> set[str] | None:
    """All columns that an entry of the rule may name; `None` where they are not found by their tags."""
    body: Sequence[Node] = rule.get("body", ())
    match _made(body, _part(_made(body, rule["head"].get("key", {})), "columns")):
        case {"type": "arraycomprehension" | "setcomprehension", "value": {"term": dict(term), "body": list(own)}}:
            return _found(module, term, own, data)
        case {"type": "array" | "set", "value": [dict(term)]}:
            return _found(module, term, body, data)
    return None


def _made(body: Sequence[Node], term: Node) -> Node:
    """What the body assigns to a name; another term as it is."""
    for statement in body if term.get("type") == "var" else ():
        function, sides = call(statement)
        if dotted(function) == "assign" and sides[0].get("value") == term["value"]:
            return sides[1]
    return term


def _part(term: Node, wanted: str) -> Node:
    pairs = term["value"] if term.get("type") == "object" else ()
    return next((value for key, value in pairs if key.get("value") == wanted), {})


def _found(module: Module, term: Node, body: Sequence[Node], data: Mapping[str, Any]) -> set[str] | None:
    for each in _through(module, body):
        if each.name == term.get("value"):
            listed = _listed(data.get("column_tags"), each.table)
            found = {name for name, tags in listed if all(_may_be(one, each.tags, tags) for one in body)}
            return None if "*" in found else found
    return None


def _listed(tables: Any, table: str | None) -> list[tuple[str, Sequence[str]]]:
    """The columns of one table, or of all, with their tags. What is not tags is reported elsewhere."""
    known = tables if isinstance(tables, dict) else {}
    asked = [known.get(table)] if table is not None else [*known.values()]
    pairs = [pair for columns_of in asked if isinstance(columns_of, dict) for pair in columns_of.items()]
    return [(name, tags if isinstance(tags, list) else []) for name, tags in pairs]


def _through(module: Module, body: Sequence[Node]) -> Iterator[_Each]:
    """The statements of a body that go through the columns of a table."""
    for statement in body:
        match statement["terms"]:
            case {
                "symbols": [{"value": [_, {"type": "var"} as name, {"type": "var"} as tags, {"type": "ref"} as domain]}]
            }:
                if written(module, domain)[:2] == _COLUMN_TAGS and len(domain["value"]) == len(_COLUMN_TAGS) + 1:
                    table = domain["value"][-1]
                    is_written = table["type"] == "string"
                    yield _Each(name["value"], tags["value"], table["value"] if is_written else None)


def _may_be(statement: Node, name: str, tags: Sequence[str]) -> bool:
    """Whether a statement may be true of a column with these tags."""
    function, sides = call(statement)
    found: bool | None = None
    match dotted(function), sides:
        case "internal.member_2", [{"type": "string", "value": tag}, {"type": "var", "value": own}] if own == name:
            found = tag in tags
        case "equal", [{"type": "var", "value": own}, {"type": "array", "value": []}] if own == name:
            found = not tags
        case "equal", [{"type": "call", "value": [counted, {"value": own}]}, {"type": "number", "value": number}]:
            is_count = own == name and dotted(counted["value"]) == "count"
            found = len(tags) == number if is_count else None
    return found is None or "with" in statement or found != bool(statement.get("negated"))

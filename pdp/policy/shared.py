"""Warns of rules that decide about `unmask` by the table while tables share its domain.

The caller names the table. A token opens with the key of its domain, and so under the name of any table that has it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pdp.policy.entry import literal
from pdp.policy.finding import Finding
from pdp.policy.module import Module, Node, entry_of, nodes
from pdp.policy.reference import TYPE, Definitions, Path, compared, definitions, written

DECIDING = {"deny", "needs_approval", "allow"}
"""The sets whose rules decide about an action."""
ID = ("input", "resource", "id")
DOMAINS = ("input", "context", "domains")
Tables = frozenset[str] | None
"""Names of tables; None where the files do not tell which."""


def by_table(everything: Sequence[Module], data: Mapping[str, Any]) -> Iterator[Finding]:
    """A warning for each rule about `unmask` that reads the resource and not the domains, while one is shared."""
    domains = {name: tables for name, tables in _domains(everything, data).items() if tables is None or len(tables) > 1}
    defined = definitions(everything) if domains else {}
    for module, rule in _rules(everything) if domains else ():
        if rule["head"]["ref"][0]["value"] not in DECIDING:
            continue
        parts = list(_reached(defined, module, rule))
        paths = {path for part_module, part in parts for path in _paths(part_module, part)}
        if any(path[: len(DOMAINS)] == DOMAINS for path in paths) or not any(map(_names_a_resource, paths)):
            continue
        if any(
            node.get("type") == "string" and node.get("value") == "unmask" for _, part in parts for node in nodes(part)
        ):
            asked = {name for part_module, part in parts for _, name in compared(part_module, part, ID)}
            if shared := sorted(
                name for name, tables in domains.items() if not asked or tables is None or asked & tables
            ):
                yield module.finding(rule, "unmask-by-table", _sentence(shared))


def _sentence(shared: Sequence[str]) -> str:
    return (
        f"tables share the domain `{shared[0]}`, and the caller names the table: a token of it opens under the name of "
        f'any of them; ask for the domain, too, as in `"{shared[0]}" in input.context.domains`'
    )


def _names_a_resource(path: Path) -> bool:
    return path[:2] == TYPE[:2] and path != TYPE


def _rules(everything: Sequence[Module]) -> Iterator[tuple[Module, Node]]:
    for module in everything:
        if module.package == ("policy",) and not module.source.is_test:
            yield from ((module, rule) for rule in module.rules)


def _reached(defined: Definitions, module: Module, rule: Node) -> Iterator[tuple[Module, Node]]:
    """The rule and every rule that it reads, by itself or through another."""
    pending, seen = [(module, rule)], {id(rule)}
    while pending:
        place, part = pending.pop()
        yield place, part
        for path in _paths(place, part):
            for length in range(2, len(path) + 1):
                found = [each for each in defined.get(path[:length], ()) if id(each[1]) not in seen]
                seen |= {id(one) for _, one in found}
                pending += found


def _paths(module: Module, part: Node) -> Iterator[Path]:
    return (path for node in nodes(part) if node.get("type") == "ref" and (path := written(module, node)))


def _domains(everything: Sequence[Module], data: Mapping[str, Any]) -> dict[str, Tables]:
    """Each domain that a mask names, with the tables that have it."""
    found: dict[str, Tables] = {}
    declared = data.get("domains")
    for module, rule in _rules(everything):
        entry = entry_of(rule)
        if (
            rule["head"]["ref"][0]["value"] == "mask"
            and isinstance(entry, dict)
            and isinstance(entry.get("domain"), str)
        ):
            tables = _tables(module, rule, entry, data)
            for name in _with_halves(entry["domain"], declared):
                known = found.get(name, frozenset())
                found[name] = None if tables is None or known is None else known | tables
    return found


def _with_halves(name: str, declared: Any) -> Iterable[str]:
    domain = declared.get(name) if isinstance(declared, dict) else None
    halves = [domain.get("local"), domain.get("host")] if isinstance(domain, dict) else []
    return [name, *(half for half in halves if isinstance(half, str))]


def _tables(module: Module, rule: Node, entry: Mapping[str, Any], data: Mapping[str, Any]) -> Tables:
    """The tables that an entry is for, as far as its rule names them, or its tags do."""
    if named := {name for _, name in compared(module, rule, ID)} or _listed(module, rule, data):
        return frozenset(named)
    tagged = data.get("column_tags")
    if "tags" not in entry or not isinstance(tagged, dict):
        return None
    wanted = entry["tags"] if isinstance(entry["tags"], list) else []
    return frozenset(
        table
        for table, columns in tagged.items()
        if isinstance(columns, dict)
        and any(tag in tags for tags in columns.values() if isinstance(tags, list) for tag in wanted)
    )


def _listed(module: Module, rule: Node, data: Mapping[str, Any]) -> set[str]:
    """The tables of `input.resource.id in [...]`, or of such a list in the data."""
    for node in nodes(rule):
        match node.get("terms"):
            case [{"value": [{"value": "internal"}, {"value": "member_2"}]}, dict(left), dict(right)]:
                if left.get("type") == "ref" and written(module, left) == ID:
                    return set(_texts(_value(module, right, data)))
    return set()


def _value(module: Module, term: Node, data: Mapping[str, Any]) -> Any:
    if term["type"] != "ref":
        return literal(term)
    path = written(module, term)
    value: Any = data
    if len(path) != len(term["value"]) or path[:1] != ("data",):
        return None
    for step in path[1:]:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list | set | dict):
        yield from (item for item in value if isinstance(item, str))

"""Finds tags, columns and groups that rules write out and that the data does not have, with the name that is near."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pdp.policy.entry import literal
from pdp.policy.finding import Finding
from pdp.policy.module import Module, Node, entry_of
from pdp.policy.near import near
from pdp.policy.reference import compared, written
from pdp.policy.sources import CORE
from pdp.policy.vocabulary import NAMES

_TABLE = ("input", "resource", "id")
_IS_MEMBER = ("data", "pdp", "is_member")


def masked(module: Module, data: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for each tag that nothing declares, and each column that is nearly one of the data, in a `mask`."""
    for rule in module.rules if module.package == ("policy",) else ():
        entry = entry_of(rule)
        if rule["head"]["ref"][0]["value"] != "mask" or not isinstance(entry, dict):
            continue
        for tag in _texts(entry.get("tags")):
            if tag not in (known := set(_tags(data))):
                sentence = f"no tag `{tag}` in data.column_tags, data.table_tags or data.tags; "
                yield module.finding(rule["head"], "matches-nothing", sentence + _mend(tag, known))
        tables = {name for _, name in compared(module, rule, _TABLE)}
        for column in _texts(entry.get("columns")):
            for sentence in _nearly(column, tables, data):
                yield module.finding(rule["head"], "matches-nothing", sentence)


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _mend(name: str, known: Iterable[str]) -> str:
    close = near(name, sorted(known))
    return f"is `{close}` meant? mend it, or declare it" if close else "mend it, or declare it"


def _tags(data: Mapping[str, Any]) -> Iterator[str]:
    """Every tag that the data declares."""
    for columns in _values(data.get("column_tags")):
        for tags in _values(columns):
            yield from _texts(tags)
    for tags in _values(data.get("table_tags")):
        yield from _texts(tags)
    yield from data.get("tags", ()) if isinstance(data.get("tags"), dict) else _texts(data.get("tags"))


def _values(value: Any) -> Sequence[Any]:
    return list(value.values()) if isinstance(value, dict) else []


def _nearly(column: str, tables: Iterable[str], data: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for a column that the data does not list, if it is nearly one that it lists for the tables."""
    listed = data.get("column_tags", {})
    known = {
        name: table
        for table, columns in (listed.items() if isinstance(listed, dict) else ())
        if isinstance(columns, dict) and (table in tables or not tables)
        for name in columns
    }
    if column not in known and column != "*" and (close := near(column, known)):
        add = f'or add "{column}": [] to data.column_tags["{known[close]}"]'
        yield f"no column `{column}` in data.column_tags; is `{close}` meant? mend it, {add}"


def groups(modules: Iterable[Module], data: Mapping[str, Any]) -> Iterator[str]:
    """A warning of the groups of reviewers that `data.groups` does not have. Without it, tokens have all groups."""
    if not isinstance(known := data.get("groups"), dict):
        return
    unknown = sorted({*_asked(modules), *_reviewing({key: data[key] for key in data if key not in NAMES})} - set(known))
    if unknown:
        shown = ", ".join(f"`{name}`" for name in unknown)
        close = next((f"; is `{found}` meant?" for name in unknown if (found := near(name, known))), "")
        yield f"the data has no group {shown}, so only people whose tokens name it are in it{close} [unknown-group]"


def _asked(modules: Iterable[Module]) -> Iterator[str]:
    """The groups that rules write out."""
    for module in modules:
        if module.source.label != CORE and not module.source.is_test:
            for node in module.nodes:
                if node.get("type") == "object" and "value" in node:
                    yield from _reviewing(literal(node))
                yield from _member(module, node)


def _member(module: Module, node: Node) -> Iterator[str]:
    match node.get("terms", node.get("value")):
        case [{"type": "ref"} as name, _, {"type": "string", "value": str(group)}] if (
            written(module, name) == _IS_MEMBER
        ):
            yield group


def _reviewing(node: Any) -> Iterator[str]:
    """The groups in every `reviewers` of a document."""
    if isinstance(node, dict):
        reviewers = node.get("reviewers")
        yield from _texts(reviewers.get("groups")) if isinstance(reviewers, dict) else ()
    for each in _values(node) if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _reviewing(each)

"""Finds `"*"` with `clear` beside a mask that may not apply: `clear` then shows what that mask hides.

1. A mask may not apply where its condition, its columns or its tags depend on more than the resource's type and id.
2. Beside are all masks but those for another table, if both rules write out which.
3. A mask that is `clear` itself hides nothing.
4. Columns that only evaluation shows may be `"*"`, and an entry that only evaluation shows may be anything.
5. `clear` for a tag is found, too, where the data gives the tag to a column that such a mask hides; and so is `clear`
   for columns that are found by their tags, if one of them is hidden.
6. Two masks of the same columns, of which one asks what the other denies, always apply together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pdp.policy.body import Body, free
from pdp.policy.branch import plain
from pdp.policy.entry import COMPUTED
from pdp.policy.finding import Finding
from pdp.policy.known import Values
from pdp.policy.module import Module, Node, is_contains
from pdp.policy.reference import TYPE, Definitions, Path, resolved, written
from pdp.policy.tagged import columns

ID = ("input", "resource", "id")
_FOR_PEOPLE = {"rule", "reason"}
"""The keys of an entry that people read. What stands there decides nothing."""


@dataclass(frozen=True)
class Mask:
    """A rule that adds to the masks, with the entries that it may add, as far as they are written out."""

    module: Module
    rule: Node
    entries: Sequence[Any]

    @property
    def name(self) -> str:
        """The entry's `rule`, or where it stands."""
        named = self.entries[0].get("rule") if len(self.entries) == 1 and isinstance(self.entries[0], dict) else None
        return named if isinstance(named, str) else f"{self.module.source.shown}:{self.rule['location']['row']}"

    @property
    def is_clear(self) -> bool:
        """Whether it surely hides nothing."""
        return all(isinstance(entry, dict) and entry.get("mask") == "clear" for entry in self.entries)

    @cached_property
    def about(self) -> tuple[set[str], set[str]]:
        """The types and the ids of resources that the rule is about; empty if it does not write them out."""
        return _written_out(self, TYPE), _written_out(self, ID)

    @property
    def may_clear_the_rest(self) -> bool:
        """Whether it is, or may turn out as, `"*"` with `clear`."""
        return any(_may_clear(entry) and _may_be_any(entry) for entry in self.entries)

    @property
    def cleared_tags(self) -> set[str]:
        """The tags that it clears."""
        found = [entry for entry in self.entries if isinstance(entry, dict) and _may_clear(entry)]
        return {tag for entry in found for tag in _texts(entry.get("tags"))}


def _may_clear(entry: Any) -> bool:
    return entry is COMPUTED or (isinstance(entry, dict) and entry.get("mask") in ("clear", COMPUTED))


def _may_be_any(entry: Any) -> bool:
    """Whether an entry's columns may be all, or its tags may be any."""
    if entry is COMPUTED or entry.get("tags") is COMPUTED:
        return True
    named = entry.get("columns")
    return named is COMPUTED or (isinstance(named, list) and any(name in ("*", COMPUTED) for name in named))


def beside(rules: Definitions, data: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for each `"*"`-`clear` beside a mask that may not apply."""
    values = Values(rules, data)
    found = [(module, rule) for module, rule in rules.get(("data", "policy", "mask"), ()) if is_contains(rule)]
    masks = [Mask(module, rule, values.entries(module, rule)) for module, rule in found]
    clearing = [mask for mask in masks if mask.may_clear_the_rest or mask.cleared_tags]
    conditional = [mask for mask in masks if not mask.is_clear and _asks_more(mask, rules)] if clearing else []
    conditional = [mask for mask in conditional if not any(_are_all_cases(mask, other, rules) for other in conditional)]
    for rest in clearing:
        others = [mask for mask in conditional if mask is not rest and not _apart(rest, mask)]
        hides = next((mask for mask in others if _shows(rest, mask, data)), None)
        if hides is not None:
            clear = ", ".join(f'"{name}"' for name in _others(masks, data)) or "…"
            shown = f"where `{hides.name}` does not apply, this shows what it hides"
            sentence = f'{shown}; name the columns that are clear: `"columns": [{clear}]`'
            yield rest.module.finding(rest.rule["head"], "clear-beside-condition", sentence)


def _shows(rest: Mask, hides: Mask, data: Mapping[str, Any]) -> bool:
    """Whether `rest` may clear a column that `hides` hides."""
    if _tagged(rest, hides, data):
        return True
    if rest.may_clear_the_rest and (found := columns(rest.module, rest.rule, data)) is not None:
        return any(not _is_known(entry) for entry in hides.entries) or bool(found & _hidden(hides, data))
    return rest.may_clear_the_rest


def _is_known(entry: Any) -> bool:
    return isinstance(entry, dict) and not any(
        value is COMPUTED or (isinstance(value, list) and not _texts(value)) or "*" in value or COMPUTED in value
        for value in (entry.get(selector, ["…"]) for selector in ("columns", "tags"))
    )


def _hidden(mask: Mask, data: Mapping[str, Any]) -> set[str]:
    """The columns that a mask names, and those of which the data has one of its tags."""
    tags = {tag for entry in mask.entries for tag in _texts(entry.get("tags"))}
    named = {name for entry in mask.entries for name in _texts(entry.get("columns"))}
    return named | {name for name, own in _columns(data) if tags & set(_texts(own))}


def _are_all_cases(one: Mask, other: Mask, rules: Definitions) -> bool:
    """Whether one of two masks of the same columns asks what the other denies, and the resource decides the rest."""
    if not all(map(_is_known, [*one.entries, *other.entries])) or _names(one) != _names(other):
        return False
    mine, theirs = ({_told(each): each for each in mask.rule.get("body", ())} for mask in (one, other))
    apart = [*(mine.keys() - theirs.keys()), *(theirs.keys() - mine.keys())]
    if len(apart) != _PAIR or apart[0][0] != apart[1][0]:
        return False
    rest = [statement for told, statement in mine.items() if told in theirs]
    return not _asks_more(Mask(one.module, {**one.rule, "body": rest}, one.entries), rules)


_PAIR = 2
"""Statements that two masks have for themselves: one asks what the other denies."""


def _told(statement: Node) -> tuple[bytes, bool]:
    """What a statement says, and whether it is denied."""
    return plain([statement["terms"], statement.get("with")]), bool(statement.get("negated"))


def _names(mask: Mask) -> set[tuple[str, str]]:
    """What a mask says of which columns it hides: names and tags."""
    return {
        (selector, name)
        for entry in mask.entries
        for selector in ("columns", "tags")
        for name in _texts(entry.get(selector))
    }


def _tagged(rest: Mask, hides: Mask, data: Mapping[str, Any]) -> bool:
    """Whether the data gives a tag that `rest` clears to a column that `hides` names."""
    named = {name for entry in hides.entries if isinstance(entry, dict) for name in _texts(entry.get("columns"))}
    return any(name in named and rest.cleared_tags & set(_texts(tags)) for name, tags in _columns(data))


def _others(masks: Sequence[Mask], data: Mapping[str, Any]) -> list[str]:
    """The columns that data has tags for and no mask names."""
    entries = [entry for mask in masks for entry in mask.entries if isinstance(entry, dict)]
    named = {name for entry in entries for name in _texts(entry.get("columns"))}
    tagged = {tag for entry in entries for tag in _texts(entry.get("tags"))}
    return sorted({name for name, tags in _columns(data) if not tagged & set(_texts(tags))} - named)


def _columns(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each column of each table that data has tags for, with its tags."""
    tables = data.get("column_tags", {})
    for table in tables.values() if isinstance(tables, dict) else ():
        if isinstance(table, dict):
            yield from table.items()


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _asks_more(mask: Mask, rules: Definitions) -> bool:
    """Whether more than the resource's type and id decides that the mask applies, and to which columns."""
    key = mask.rule["head"].get("key", {})
    body = Body(mask.rule, key)
    terms = list(_deciding(body, key))
    return any(path[:3] not in {TYPE, ID} for path in _asked(mask.module, [*body.conditions, *terms], rules, set()))


def _deciding(body: Body, term: Node) -> Iterator[Node]:
    """The terms that an entry is made of, without those that people read."""
    if term["type"] == "object":
        for name, value in term["value"]:
            if name.get("value") not in _FOR_PEOPLE:
                yield from _deciding(body, value)
        return
    yield term
    for part in {id(body.parts[name]): body.parts[name] for name in free(term) if name in body.parts}.values():
        yield from _deciding(body, part.term)


def _asked(module: Module, node: Any, rules: Definitions, seen: set[Path]) -> Iterator[Path]:
    """The paths of the request that a term reads, also by way of rules and functions."""
    match node:
        case {"type": "ref", "value": list(parts)}:
            yield from _followed(module, parts, rules, seen)
            yield from _asked(module, parts[0] if parts[0]["type"] != "var" else [], rules, seen)
            yield from _asked(module, parts[1:], rules, seen)
        case {"type": "var"}:
            yield from _followed(module, [node], rules, seen)
        case dict():
            yield from _asked(module, [value for key, value in node.items() if key != "location"], rules, seen)
        case list():
            for part in node:
                yield from _asked(module, part, rules, seen)


def _followed(module: Module, parts: Sequence[Node], rules: Definitions, seen: set[Path]) -> Iterator[Path]:
    path, _ = resolved(module, parts, rules)
    if path[:1] == ("input",):
        yield path
    for known in rules if path[:1] == ("data",) else ():
        if known not in seen and (path[: len(known)] == known or known[: len(path)] == path):
            seen.add(known)
            for home, rule in rules[known]:
                yield from _asked(home, rule, rules, seen)


def _apart(one: Mask, other: Mask) -> bool:
    """Whether two rules write out that they are about different resources."""
    return any(mine and theirs and not mine & theirs for mine, theirs in zip(one.about, other.about, strict=True))


def _written_out(mask: Mask, path: Path) -> set[str]:
    """The texts of which `path` must be one for the rule to apply; empty if the rule does not write them out."""
    found: list[set[str]] = []
    for statement in mask.rule.get("body", ()):
        match statement:
            case {"negated": True} | {"with": _}:
                continue
            case {"terms": [{"value": [{"value": "equal"}]}, left, right]}:
                for one, text in ((left, right), (right, left)):
                    if text["type"] == "string" and one["type"] == "ref" and written(mask.module, one) == path:
                        found.append({text["value"]})
            case {"terms": [{"value": [{"value": "internal"}, _]}, {"type": "ref"} as one, {"value": list(items)}]}:
                if written(mask.module, one) == path and all(item.get("type") == "string" for item in items):
                    found.append({item["value"] for item in items})
    return set.intersection(*found) if found else set()

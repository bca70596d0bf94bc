"""Finds ids that are taken for identities, and identities that are taken for ids. Pure.

An id has no type in it, and an identity begins with one: `<type>:<id>`.

1. `input.subject.id`, the ids of the chain and `input.resource.id` are compared with a text that begins with a type. So
   a rule about `"agent:bot"` never fires.
2. `input.caller.identity` is compared with a text without a type.
3. Types are those that the folder names: in rules, schemas and identities; and the usual ones. A list that is asked
   about identities, too, may hold both.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

from pdp.policy.compared import Compared, comparisons, origins, texts
from pdp.policy.finding import Finding
from pdp.policy.reference import TYPE
from pdp.policy.untyped import Typing, shown

Path: TypeAlias = tuple[str | None, ...]
"""The steps to a place of the request; `None` is each item of a list."""

IDENTITY = ("input", "caller", "identity")
_SUBJECT, _CHAIN = ("input", "subject", "id"), ("input", "on_behalf_of", None, "id")
_RESOURCE = ("input", "resource", "id")
_PEOPLE = frozenset({"user", "person", "agent", "bot", "service", "workload", "machine"})
_THINGS = frozenset({"table", "file", "view", "dataset", "database"})
_TYPES_OF_PEOPLE = {("input", "subject", "type"), ("input", "on_behalf_of", None, "type")}
_USUAL: Mapping[Path, frozenset[str]] = {_SUBJECT: _PEOPLE, _CHAIN: _PEOPLE, _RESOURCE: _THINGS}
"""Where ids stand, and the types that are usual there."""


def mistaken(typing: Typing) -> Iterator[Finding]:
    """A finding for each comparison of an id with an identity, or of an identity with an id."""
    found = [*comparisons(typing), *_beginnings(typing)]
    asked = [(each, places) for each in found if (places := origins(typing, each.branch, each.asked))]
    known = _types(typing, asked)
    of_ids = {each.listing for each, places in asked if places <= _USUAL.keys()} - {""}
    of_others = {each.listing for each, places in asked if not places <= _USUAL.keys()} - {""}
    for each, places in asked:
        sentence = ""
        if places == {IDENTITY} and each.listing not in of_ids:
            sentence = _without_type(each)
        elif places <= _USUAL.keys() and each.listing not in of_others:
            sentence = _with_type(each, {name for place in places for name in known[place]})
        if sentence:
            yield each.branch.module.finding(each.node, "id-for-identity", sentence)


def _beginnings(typing: Typing) -> Iterator[Compared]:
    """Every text with which a value has to begin, if it ends as the type of an identity does."""
    for branch in typing.inference.branches:
        for node, _, name, arguments in branch.calls if branch.is_authored else ():
            if name == "startswith":
                for text, listing in texts(typing, branch, arguments[1]):
                    if text.endswith(":"):
                        where = node if "location" in node else branch.rule
                        yield Compared(branch, where, arguments[0], text, listing)


def _types(typing: Typing, asked: Sequence[tuple[Compared, set[Path]]]) -> Mapping[Path, frozenset[str]]:
    """The types of each place where ids stand."""
    identities = typing.inference.reach.document(("data", "identities"))
    people = {name.partition(":")[0] for name in identities} if isinstance(identities, dict) else set()
    people |= typing.schemas.subjects.keys() | {each.text for each, places in asked if places & _TYPES_OF_PEOPLE}
    things = typing.schemas.resources.keys() | {each.text for each, places in asked if TYPE in places}
    return {place: usual | (things if place == _RESOURCE else people) for place, usual in _USUAL.items()}


def _without_type(each: Compared) -> str:
    """The sentence for an identity that is compared with a text that has no type."""
    if ":" in each.text or not each.text:
        return ""
    name = shown(each.asked)
    return f"an identity is `<type>:<id>`, so `{name}` is never `{each.text}`; write its type, as in `user:{each.text}`"


def _with_type(each: Compared, types: Collection[str]) -> str:
    """The sentence for an id that is compared with a text that begins with a type."""
    kind, colon, own = each.text.partition(":")
    if not colon or kind not in types:
        return ""
    name = shown(each.asked)
    whose = name.removesuffix(".id") if name.endswith(".id") else "input.subject"
    apart = f'`{whose}.type == "{kind}"`' + (f' and `{whose}.id == "{own}"`' if own else "")
    one = (
        f'ask about the identity, `sprintf("%s:%s", [{whose}.type, {whose}.id])`' if each.listing else f"write {apart}"
    )
    told = f" of `{each.listing}`" if each.listing else ""
    return f"`{name}` has no type in it, so it is never like `{each.text}`{told}; {one}"

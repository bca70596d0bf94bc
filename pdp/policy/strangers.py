"""Finds people who cannot be right: an identity in two persons, a type that nobody vouches for. Pure."""

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

ANY_TYPE = "*"
"""Among the known types: some caller may name subjects of every type."""
MISTYPED = 0.1
"""A type is taken for a slip of another one's name if it has at most this share of that one's identities."""
ALIKE = 0.75
"""How alike two names of types must be for that, as `difflib` counts it: `usr` and `user` have 0.86."""

Fault: TypeAlias = tuple[Sequence[str], str]
"""The identities or groups that a fault is about, and the sentence."""
Links: TypeAlias = Mapping[str, Sequence[str]]


def shared(identities: Mapping[str, Any], theirs: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    """A fault for each person whom one identity makes of two, each with an identity of the same type.

    `theirs` are the identities of each person. Two of one type in one entry are one person's; so are two that name each
    other.
    """
    for names in theirs.values():
        if len(set(map(kind, names))) < len(names):
            links = {name: identities.get(name, {}).get("same_as", ()) for name in names}
            yield from islice((fault for name in names if (fault := _joining(name, names, links))), 1)


def _joining(name: str, names: Sequence[str], links: Links) -> Fault | None:
    listing = [other for other in names if name in links[other] and other != name]
    beside = [*listing, *(other for other in links[name] if other not in listing and other != name)]
    if not listing or len(beside) < 2:  # noqa: PLR2004  # it takes two to be joined
        return None
    for one, other in ((one, other) for one in listing for other in beside):
        here = _without(name, one, names, links)
        if other in here:
            continue
        there = _without(name, other, names, links)
        for left, right in ((left, right) for left in sorted(here) for right in sorted(there)):
            if kind(left) == kind(right) and (other in listing or kind(left) != kind(name)):
                return [name, one, other], _sentence(name, left, right)
    return None


def _sentence(name: str, left: str, right: str) -> str:
    return (
        f"`{name}` stands in two persons and makes one reviewer of `{left}` and `{right}`; name it for one of them, or "
        f"if they are one person, name `{right}` in `same_as` of `{left}`"
    )


def _without(left_out: str, start: str, names: Sequence[str], links: Links) -> set[str]:
    """All that is one person with `start` if `left_out` is not there."""
    found, waiting = {start}, [start]
    while waiting:
        name = waiting.pop()
        for other in names:
            if other not in found and other != left_out and (other in links[name] or name in links[other]):
                found.add(other)
                waiting.append(other)
    return found


def unknown(data: Mapping[str, Any], types: Collection[str]) -> tuple[list[Fault], list[str]]:
    """The faults of owners and members whose type is not among `types`, and warnings of other such identities.

    Without `types` nothing is known, and with `ANY_TYPE` among them everything may be right: then all are warnings.
    """
    identities, groups = data.get("identities", {}), data.get("groups", {})
    if not types:
        return [], list(_mistyped(identities, groups))
    owned = ((name, owner) for name, entry in identities.items() for owner in entry.get("owners", ()))
    linked = ((name, each) for name, entry in identities.items() for each in (name, *entry.get("same_as", ())))
    members = ((group, name) for group, names in groups.items() for name in names)
    faults = [*_strange(owned, types, "owners in `identities`"), *_strange(members, types, "members of `groups`")]
    warnings = [sentence for _, sentence in _strange(linked, types, "identities in `identities`")]
    if ANY_TYPE in types:
        return [], [*(sentence for _, sentence in faults), *warnings]
    return faults, warnings


def _strange(pairs: Iterable[tuple[str, str]], types: Collection[str], what: str) -> Iterator[Fault]:
    """A fault for each unknown type: where it stands first, how often, and what it may be meant to be."""
    often: Counter[str] = Counter()
    first: dict[str, tuple[str, str]] = {}
    for where, name in pairs:
        if (own := kind(name)) not in types:
            often[own] += 1
            first.setdefault(own, (where, name))
    for own, count in often.items():
        where, name = first[own]
        near = difflib.get_close_matches(own, [known for known in types if known != ANY_TYPE], n=1, cutoff=ALIKE)
        meant = f"is it `{near[0]}`?" if near else "mend it, or add who vouches for it"
        known = "no issuer, certificate or speaks_for of the configuration has the type"
        yield [where], f"{known} `{own}` of {count:,} {what}, such as `{name}`; {meant}"


def _mistyped(identities: Mapping[str, Any], groups: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A warning for each rare type whose name is like that of a frequent one."""
    often = Counter(map(kind, identities))
    for entry in identities.values():
        often.update(kind(name) for names in entry.values() for name in names)
    for members in groups.values():
        often.update(map(kind, members))
    for rare, count in sorted(often.items()):
        common = [name for name, total in often.items() if count <= MISTYPED * total]
        if near := difflib.get_close_matches(rare, common, n=1, cutoff=ALIKE):
            yield f"{count:,} identities are of type `{rare}` and {often[near[0]]:,} of type `{near[0]}`; is one meant?"


def kind(identity: str) -> str:
    """The type of an identity."""
    return identity.partition(":")[0]

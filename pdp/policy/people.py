"""Turns the people of a policy's data into maps, so that a query reads only who is asked about.

1. The maps lie at `data.pdp.people`; `rego/pdp/people.rego` says what each holds. `identities` and `groups` themselves
   leave the data if no rule reads them: a million identities are half of OPA's memory and of its start.
2. People who do not fit (owners in a circle, or so many that a query could not read them) are findings.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeAlias

import orjson

from pdp.policy import strangers
from pdp.policy.finding import Finding
from pdp.policy.module import Module
from pdp.policy.reference import written
from pdp.policy.sources import CORE, Source

FORMAT = 1
"""The form of the maps. The core answers with a revision only if it finds this number."""
MAX_IDENTITIES = 100
"""Identities of one person. More come of a wrong `same_as` that makes one person of many, and none could review."""
MAX_BEHIND = 1000
"""People who own one person or workload, also by way of others. Every question about it reads them all."""
FIRST = 128
"""People of each type that a group lists where they are shown: 100 are shown, and some are barred from the review."""
MANY_IDENTITIES, MANY_MEMBERS = 100_000, 10_000
"""Identities, and members of one group, from which a check says what they cost."""
TURNED = ("identities", "groups")
"""The data that the maps hold."""
_INEXACT = re.compile(rb'(?<![\w"])-?\d(?:[\d.]{15,}|[\d.]*[eE])')
"""A number that may change if Python writes it again."""

Names: TypeAlias = Mapping[str, Sequence[str]]
Documents: TypeAlias = Sequence[tuple[Source, Any]]


def kept(found: Documents, modules: Iterable[Module]) -> list[Source]:
    """The data files of a bundle that has the maps."""
    return [source for source, _ in found] if _are_read(modules) else list(_without_people(found))


def _are_read(modules: Iterable[Module]) -> bool:
    """Whether a rule of the policy's author may read the people without the maps."""
    authored = [module for module in modules if module.source.label != CORE]
    paths = {written(module, node) for module in authored for node in module.nodes if node.get("type") == "ref"}
    return any(path[:1] == ("data",) and (len(path) == 1 or path[1] in TURNED) for path in paths)


def _without_people(found: Documents) -> Iterator[Source]:
    """The files without the people. A file that Python cannot write again exactly stays whole."""
    for source, document in found:
        rest = {key: value for key, value in document.items() if key not in TURNED}
        is_exact = source.path.suffix == ".json" and not _INEXACT.search(source.content)
        if len(rest) == len(document) or not is_exact:
            yield source
        elif rest:
            yield replace(source, content=orjson.dumps(rest))


def maps(
    found: Documents, data: Mapping[str, Any], types: Collection[str] = ()
) -> tuple[dict[str, Any], list[Finding]]:
    """What lies at `data.pdp.people`, and a finding for each person that no query could read or that cannot be right.

    `data` is all the documents as one; its people are written well. `types` are those that the configuration knows.
    """
    identities, groups = data.get("identities", {}), data.get("groups", {})
    person = persons(identities)
    theirs = _identities(person)
    findings = [_finding(found, *fault) for fault in _shared(theirs)]
    if not findings:
        findings = [_finding(found, *fault) for fault in strangers.shared(identities, theirs)]
    findings += [_finding(found, *fault) for fault in strangers.unknown(data, types)[0]]
    behind: dict[str, list[str]] = {}
    try:
        behind = {name: sorted(people) for name, people in _behind(_owners(identities, person))}
    except CycleError as error:
        findings.append(_finding(found, *_circle(error.args[1])))
    findings += [_finding(found, *fault) for fault in _crowded(behind)]
    made = {
        "format": FORMAT,
        "person": {name: own for name, own in person.items() if name != own},
        "identities": theirs,
        "behind": behind,
        "members": {group: dict.fromkeys(names, True) for group, names in groups.items()},
        "first": {group: _first(names, person) for group, names in groups.items() if len(names) > FIRST},
    }
    return made, findings


def persons(identities: Mapping[str, Any]) -> dict[str, str]:
    """The person of each identity that is the same as another: the least of the person's identities."""
    above: dict[str, str] = {}

    def root(name: str) -> str:
        while (up := above.setdefault(name, name)) != name:
            above[name] = above[up]
            name = up
        return name

    for name, entry in identities.items():
        for other in entry.get("same_as", ()):
            least, greatest = sorted((root(name), root(other)))
            above[greatest] = least
    return {name: root(name) for name in above}


def _identities(person: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in sorted(person):
        found.setdefault(person[name], []).append(name)
    return found


def _owners(identities: Mapping[str, Any], person: Mapping[str, str]) -> dict[str, set[str]]:
    """The people who own an identity of each person or workload, without those by way of others."""
    owners: dict[str, set[str]] = {}
    for name, entry in identities.items():
        if named := entry.get("owners"):
            owners.setdefault(person.get(name, name), set()).update(person.get(owner, owner) for owner in named)
    return owners


def _behind(owners: Mapping[str, set[str]]) -> Iterator[tuple[str, set[str]]]:
    """The owners of each, also by way of others; a set of more than `MAX_BEHIND` may lack some.

    Raises `CycleError` if they go in a circle.
    """
    owned = {name: above for name, people in owners.items() if (above := people & owners.keys())}
    whole: dict[str, set[str]] = {}
    for name in TopologicalSorter(owned).static_order():
        whole[name] = set(owners[name])
        for owner in owned.get(name, ()):
            if len(whole[name]) <= MAX_BEHIND:
                whole[name] |= whole[owner]
    return ((name, whole.get(name, people)) for name, people in owners.items())


def _first(names: Iterable[str], person: Mapping[str, str]) -> list[str]:
    """Of each type the identities of the first people, in order."""
    listed: list[str] = []
    people: dict[str, set[str]] = {}
    for name in sorted(set(names)):
        known, own = people.setdefault(_type(name), set()), person.get(name, name)
        if own in known or len(known) < FIRST:
            known.add(own)
            listed.append(name)
    return listed


def _type(identity: str) -> str:
    return identity.partition(":")[0]


def warnings(people: Mapping[str, Any], modules: Iterable[Module]) -> Iterator[str]:
    """What people who fit may cost or mean unawares, with numbers."""
    twice = {name: most for name, names in people["identities"].items() if (most := _most_of_a_type(names)) > 1}
    if twice:
        worst = max(twice, key=lambda name: twice[name])
        yield (
            f"{len(twice):,} people have several identities of one type, `{worst}` has {twice[worst]}; each is one "
            "reviewer, so look for identities that two people share"
        )
    sizes = {group: len(names) for group, names in people["members"].items()}
    largest = max(sizes, key=lambda group: sizes[group], default="")
    if sizes and sizes[largest] > MANY_MEMBERS and _are_read(modules):
        yield (
            f"rules read `data.groups` or `data.identities`, and the group `{largest}` has {sizes[largest]:,} members; "
            "ask `data.pdp.is_member(identity, group)`, or every question walks them"
        )
    known = len(people["person"].keys() | people["identities"].keys() | people["behind"].keys())
    if known > MANY_IDENTITIES:
        yield (
            f"{known:,} linked or owned identities and {sum(sizes.values()):,} members of {len(sizes):,} groups; the "
            "guide for operators says what memory and time that takes"
        )


def _most_of_a_type(names: Iterable[str]) -> int:
    return max(Counter(map(_type, names)).values())


def _shared(theirs: Names) -> Iterator[tuple[Sequence[str], str]]:
    for name, names in theirs.items():
        if len(names) > MAX_IDENTITIES:
            sentence = f"`{name}` has {len(names):,} identities by `same_as`, at most {MAX_IDENTITIES} are one person's"
            yield names, f"{sentence}; look for one that two people share"


def _circle(circle: Sequence[str]) -> tuple[Sequence[str], str]:
    shown = " owns ".join(f"`{name}`" for name in circle[:5])
    return circle, f"`owners` go in a circle: {shown}; remove one, nobody owns itself"


def _crowded(behind: Names) -> Iterator[tuple[Sequence[str], str]]:
    for name, people in behind.items():
        if len(people) > MAX_BEHIND:
            yield [name], f"`{name}` has more than {MAX_BEHIND:,} people behind it by `owners`; name fewer"


def _finding(found: Documents, names: Iterable[str], sentence: str) -> Finding:
    """A finding in the first file that has an entry for one of `names`, an identity or a group."""
    known = set(names)
    files = (source.shown for source, document in found if any(known & document.get(key, {}).keys() for key in TURNED))
    return Finding(next(files, "data.json"), 0, "unfit-people", sentence)

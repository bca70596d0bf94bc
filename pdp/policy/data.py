"""Checks the data of a policy: where it may lie, and whether its people are written correctly."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from pdp.errors import SetupError
from pdp.policy.encoding import unreadable
from pdp.policy.finding import Finding
from pdp.policy.notation import lost
from pdp.policy.sources import Source, staged
from pdp.policy.stock import output

RESERVED = ("pdp", "policy", "system")
"""Names below `data` that belong to the core and to OPA."""
PEOPLE = {"owners", "same_as"}
"""The keys that an identity may have."""
LISTS = "write a list of identities, each `type:id`"


def documents(opa: Path, sources: Iterable[Source]) -> tuple[list[tuple[Source, Any]], list[Finding]]:
    """Each data file with its document, nested as OPA nests it, and a finding for each unreadable one."""
    found, findings = list[tuple[Source, Any]](), list[Finding]()
    for source in sources:
        if not source.is_data:
            continue
        try:
            document = _nested(source, _document(opa, source))
            findings += lost(source)
            found.append((source, document))
        except (ValueError, TypeError, SetupError) as error:
            findings.append(unreadable(source, error, "bad-data", "write one JSON or YAML object"))
    return found, findings


def _document(opa: Path, source: Source) -> dict[str, Any]:
    document = orjson.loads(source.content) if source.path.suffix == ".json" else _yaml(opa, source)
    if not isinstance(document, dict):
        raise TypeError
    return document


def _yaml(opa: Path, source: Source) -> Any:
    with staged([source]) as folder:
        answer = orjson.loads(output(opa, "eval", "--data", source.name, "data", folder=folder))
    return answer["result"][0]["expressions"][0]["value"]


def _nested(source: Source, document: dict[str, Any]) -> dict[str, Any]:
    for part in reversed(source.path.parent.parts):
        document = {part: document}
    return document


def merged(documents: Iterable[tuple[Source, Any]]) -> tuple[dict[str, Any], list[Finding]]:
    """All documents as one, and a finding for each file that contradicts one before it."""
    whole: dict[str, Any] = {}
    findings, before = [], list[tuple[Source, Any]]()
    for source, document in documents:
        try:
            whole = _union(whole, document)
        except ValueError as error:
            path = str(error).split(".")
            other = next((each.shown for each, held in before if _lies_at(held, path)), "another file")
            sentence = f"`data.{error}` is written in {other} too; keep one of them"
            findings.append(Finding(source.shown, 0, "conflicting-data", sentence))
        before.append((source, document))
    return whole, findings


def _union(left: Mapping[str, Any], right: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    both = dict(left)
    for key, value in right.items():
        if key not in left:
            both[key] = value
        elif isinstance(value, dict) and isinstance(left[key], dict):
            both[key] = _union(left[key], value, f"{path}{key}.")
        else:
            raise ValueError(path + key)
    return both


def misplaced(source: Source, document: Mapping[str, Any], packages: Iterable[Sequence[str]]) -> Iterable[Finding]:
    """A finding for data at the path of a package, because it would answer in place of the package's rules."""
    for path in sorted({*((name,) for name in RESERVED), *map(tuple, packages)}):
        if _lies_at(document, path):
            name = ".".join(path)
            sentence = f"data under `{name}` would answer in place of the policy; move it to a name of its own"
            yield Finding(source.shown, 0, "reserved-data", sentence)


def _lies_at(document: Any, path: Sequence[str]) -> bool:
    for step in path:
        if not isinstance(document, dict):
            return True
        if step not in document:
            return False
        document = document[step]
    return True


def misspelt(source: Source, document: Mapping[str, Any]) -> Iterable[Finding]:
    """A finding for each fault in `groups` and `identities`, which decide who may review: a misspelt owner could."""
    faults: dict[str, str] = {}
    for name, members in _entries(document, "groups", faults):
        if not _is_list(members):
            faults[f"groups.{name}"] = LISTS
    for name, entry in _entries(document, "identities", faults):
        if not _is_identity(name) or not _fits(entry):
            faults |= _identity_faults(name, entry)
    for path, sentence in faults.items():
        yield Finding(source.shown, 0, "bad-people", f"`data.{path}`: {sentence}")


def _entries(document: Mapping[str, Any], key: str, faults: dict[str, str]) -> Iterable[tuple[str, Any]]:
    entries = document.get(key, {})
    if isinstance(entries, dict):
        return entries.items()
    faults[key] = "write an object with one key for each name"
    return ()


def _fits(entry: Any) -> bool:
    return isinstance(entry, dict) and PEOPLE.issuperset(entry) and all(map(_is_list, entry.values()))


def _identity_faults(name: str, entry: Any) -> dict[str, str]:
    path = f"identities.{name}"
    if not _is_identity(name):
        return {path: "an identity is `type:id`"}
    if not isinstance(entry, dict):
        return {path: "write an object with `owners` or `same_as`"}
    unknown = {f"{path}.{key}": "the keys are `owners` and `same_as`" for key in entry if key not in PEOPLE}
    return unknown | {f"{path}.{key}": LISTS for key in PEOPLE & entry.keys() if not _is_list(entry[key])}


def _is_list(names: Any) -> bool:
    return isinstance(names, list) and all(isinstance(name, str) and _is_identity(name) for name in names)


def _is_identity(name: str) -> bool:
    """Whether it is a type, a colon and an id. Both are compared byte for byte, so a blank around it fits nobody."""
    kind, _, subject = name.partition(":")
    return bool(kind and subject) and name == name.strip() and " " not in kind

"""What a policy's data declares for searches, in `data.search`: which subjects, resources and actions are asked about.

`{"subjects": {"user": ["alice", {"id": "bob", "properties": {}}]}, "resources": {…}, "actions": ["read", {"name": …}]}`
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pdp.canonical import checked_id
from pdp.errors import InvalidRequest
from pdp.policy.attributes import Attributes
from pdp.policy.finding import Finding
from pdp.policy.near import near
from pdp.policy.sources import Source

KEYS: Mapping[str, str] = {"subjects": "subject", "resources": "resource", "actions": "action"}
"""The keys of `data.search`, each with the member of a request that its candidates stand for."""
NAMED = {"subject": "id", "resource": "id", "action": "name"}
"""What a candidate of each kind is called by."""
_FEW = "write a list of texts, or of objects with `{name}` and `properties`"


def undeclared(source: Source, document: Mapping[str, Any], attributes: Attributes) -> Iterator[Finding]:
    """A finding for each fault in `search`, so that nothing is declared that no search could find."""
    search = document.get("search", {})
    if not isinstance(search, dict):
        yield _finding(source, "search", f"write an object with one of the keys {', '.join(KEYS)}")
        return
    for key, held in search.items():
        if key not in KEYS:
            close = near(key, KEYS)
            meant = f"is `{close}` meant? " if close else ""
            yield _finding(source, f"search.{key}", f"{meant}the keys are {', '.join(KEYS)}")
            continue
        for path, sentence in _of_kind(KEYS[key], held, f"search.{key}", attributes):
            yield _finding(source, path, sentence)


def _finding(source: Source, path: str, sentence: str) -> Finding:
    return Finding(source.shown, 0, "bad-search", f"`data.{path}`: {sentence}")


def _of_kind(kind: str, held: Any, path: str, attributes: Attributes) -> Iterator[tuple[str, str]]:
    if kind == "action":
        yield from _of_list(kind, "", held, path, attributes)
    elif not isinstance(held, dict):
        yield path, f"write an object with one key for each type of {kind}"
    else:
        for name, listed in held.items():
            if kind == "subject" and ":" in name:
                yield f"{path}.{name}", 'a type of subjects has no ":", which ends the type in an identity'
            yield from _of_list(kind, name, listed, f"{path}.{name}", attributes)


def _of_list(kind: str, of_type: str, listed: Any, path: str, attributes: Attributes) -> Iterator[tuple[str, str]]:
    if not isinstance(listed, list):
        yield path, _FEW.format(name=NAMED[kind])
        return
    before: set[str] = set()
    for index, one in enumerate(listed):
        name, properties, fault = _read(kind, one)
        if fault or name in before:
            yield f"{path}[{index}]", fault or f"`{name}` is declared twice; keep one of them"
            continue
        before.add(name)
        for field, sentence in attributes.of(kind, of_type or name, properties):
            yield f"{path}[{index}].{field}", sentence


def _read(kind: str, one: Any) -> tuple[str, Mapping[str, Any], str]:
    """A candidate's name and properties, and what is wrong with it."""
    key = NAMED[kind]
    members = {key: one} if isinstance(one, str) else one
    if not isinstance(members, dict) or not isinstance(name := members.get(key), str):
        return "", {}, f"write a text, or an object with `{key}` and `properties`"
    if more := members.keys() - {key, "properties"}:
        return name, {}, f"has the unknown member `{min(more)}`; its members are `{key}` and `properties`"
    if not isinstance(properties := members.get("properties", {}), dict):
        return name, {}, "`properties` is not an object"
    return name, properties, _fault_of_name(name)


def _fault_of_name(name: str) -> str:
    try:
        checked_id(name, "")
    except InvalidRequest as error:
        return f"the name {error.violations[0][1]}"
    return ""

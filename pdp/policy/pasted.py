"""Writes the schema file that ends a finding, whole and ready to paste.

A value that rules need to be of two kinds gets the first; where the other is needed, the sentence says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import orjson

from pdp.policy.branch import Branch, Step
from pdp.policy.inference import Inference
from pdp.policy.module import Module, Node, nodes
from pdp.policy.schema import ACTIONS, ANY_ACTION, CONTEXTS, RESOURCES, SUBJECTS, Schema, Schemas
from pdp.policy.shape import FROM, kinds, senders
from pdp.policy.sources import CORE

Place = tuple[Step, ...]
"""Where a value stands below the properties or the context that a schema is of."""

_FAMILIES: Mapping[Place, tuple[PurePosixPath, str]] = {
    ("input", "resource", "properties"): (RESOURCES, "resource"),
    ("input", "subject", "properties"): (SUBJECTS, "subject"),
    ("input", "on_behalf_of", None, "properties"): (SUBJECTS, "chain"),
    ("input", "action", "properties"): (ACTIONS, "action"),
    ("input", "context"): (CONTEXTS, "action"),
}
_USUAL = {RESOURCES: "table", SUBJECTS: "user", ACTIONS: "read", CONTEXTS: ANY_ACTION}
"""The type that a file is for, where neither rule, nor schemas, nor tests name one."""


class Paste:
    """The schema files that a policy lacks, each with all that the policy needs of it."""

    def __init__(self, inference: Inference, schemas: Schemas, everything: Sequence[Module]) -> None:
        self._inference = inference
        self._listed = dict(zip((RESOURCES, CONTEXTS, SUBJECTS, ACTIONS), schemas, strict=True))
        self._everything = everything
        self._wanted: dict[PurePosixPath, dict[Place, Sequence[str]]] = {}
        self._reads: list[tuple[PurePosixPath, frozenset[str], str]] | None = None

    def want(self, branch: Branch, shape: Schema, needed: Sequence[str]) -> None:
        """The value needs to be of one of these kinds, the first if nothing else is known; or only to be listed."""
        for file, place in self._files(branch, shape):
            wanted = self._wanted.setdefault(file, {})
            before = wanted.get(place) or needed
            wanted[place] = [kind for kind in before if kind in needed] or before

    def sentence(self, branch: Branch, shape: Schema, needed: Sequence[str] = ()) -> str:
        """What to write into which file, or that another rule needs the value to be of another kind."""
        found = list(self._files(branch, shape))
        if clashes := [each for file, place in found if (each := self._clash(file, place, needed))]:
            return "; ".join(dict.fromkeys(clashes))
        wholes = {file: self._whole(file) for file, _ in found}
        changed = {file: whole for file, whole in wholes.items() if whole != self._listed[file.parent].get(file.stem)}
        return "; ".join(f"write {file}: {orjson.dumps(whole).decode()}" for file, whole in (changed or wholes).items())

    def _clash(self, file: PurePosixPath, place: Place, needed: Sequence[str]) -> str:
        """The sentence for a value that needs to be of one kind here and of another where it was wanted before."""
        wanted = self._wanted.get(file, {}).get(place, ())
        if not needed or not wanted or wanted[0] in needed:
            return ""
        name = ".".join("[_]" if each is None else str(each) for each in place)
        return f"another rule needs `{name}` of {file} to be of type {wanted[0]}; rename one of the two, or mend one"

    def _files(self, branch: Branch, shape: Schema) -> Iterator[tuple[PurePosixPath, Place]]:
        for sent in senders(shape):
            family, place = split(sent[FROM])
            if family:
                folder, part = _FAMILIES[family]
                for name in self._names(branch, folder, part, place):
                    yield folder / f"{name}.json", place

    def _names(self, branch: Branch, folder: PurePosixPath, part: str, place: Place) -> Sequence[str]:
        """The types or actions that a rule is about; where it says none, one of them is enough, or `any` action."""
        if named := self._inference.reach.named(branch).get(part):
            return list(named)
        if folder == CONTEXTS:
            return [ANY_ACTION]
        listing = [
            name for name, schema in self._listed[folder].items() if place[:1] and place[0] in schema["properties"]
        ]
        return listing or [next(iter(self._listed[folder]), None) or self._tested(folder) or _USUAL[folder]]

    def _tested(self, folder: PurePosixPath) -> str:
        """A type that the tests of the policy name."""
        member, key = {RESOURCES: ("resource", "type"), SUBJECTS: ("subject", "type"), ACTIONS: ("action", "name")}[
            folder
        ]
        for module in self._everything:
            for name in _tried(module, member, key) if module.source.is_test and module.source.label != CORE else ():
                return name
        return ""

    def _whole(self, file: PurePosixPath) -> Schema:
        """The file's schema, with what the policy reads and what it needs."""
        folder, name = file.parent, file.stem
        old = self._listed[folder].get(name)
        whole: Schema = orjson.loads(orjson.dumps(old or {"type": "object", "properties": {}}))
        if old is None and file == CONTEXTS / f"{ANY_ACTION}.json":
            whole["additionalProperties"] = True
        for first in sorted(self._read(folder, name)) if whole.get("additionalProperties") is not True else ():
            whole["properties"].setdefault(first, {})
        for place, needed in self._wanted.get(file, {}).items():
            _put(whole, place, needed[0] if needed else "")
        return whole

    def _read(self, folder: PurePosixPath, name: str) -> set[str]:
        """The names that rules about this type or action read."""
        if self._reads is None:
            self._reads = list(self._all_reads())
        return {first for of, named, first in self._reads if of == folder and (name in named or not named)}

    def _all_reads(self) -> Iterator[tuple[PurePosixPath, frozenset[str], str]]:
        for branch in self._inference.branches:
            for node in branch.nodes:
                if node.get("type") not in {"ref", "call", "var"}:
                    continue
                for sent in senders(self._inference.shape(branch, node)):
                    family, place = split(sent[FROM])
                    if family and place and isinstance(place[0], str):
                        folder, part = _FAMILIES[family]
                        yield folder, frozenset(self._inference.reach.named(branch).get(part, ())), place[0]


def split(path: Place) -> tuple[Place, Place]:
    """The path of a value as the properties or context that it stands in, and the rest; nothing for other values."""
    for family in _FAMILIES:
        if _like(path[: len(family)], family):
            return family, path[len(family) :]
    return (), ()


def _like(path: Place, family: Place) -> bool:
    """Whether a path is a family's; the members of the chain are all alike."""
    return len(path) == len(family) and all(
        one == other or other is None for one, other in zip(path, family, strict=True)
    )


def _put(schema: Schema, place: Place, kind: str) -> None:
    """Give the value at a place of `schema` its kind."""
    for each in place:
        inner = _of_kind(schema, "object" if isinstance(each, str) else "array")
        if isinstance(each, str):
            inner = inner.setdefault("properties", {})
        key = each if isinstance(each, str) else "items"
        inner[key] = inner[key] if isinstance(inner.get(key), dict) else {}
        schema = inner[key]
    if kind:
        _of_kind(schema, kind)


def _of_kind(schema: Schema, kind: str) -> Schema:
    """The same schema, after it was made to take only values of one kind."""
    if kinds(schema) != {kind} or "anyOf" in schema or "$ref" in schema:
        kept = {"description": schema["description"]} if "description" in schema else {}
        schema.clear()
        schema.update({**kept, "type": kind})
    return schema


def _tried(module: Module, member: str, key: str) -> Iterator[str]:
    """The types that a test writes out in the requests that it asks about."""
    for node in nodes(module.tree):
        if node.get("type") == "object":
            for name, value in node["value"]:
                if name.get("value") == member and value["type"] == "object":
                    yield from _texts(value, key)


def _texts(term: Node, key: str) -> Iterator[Any]:
    for name, value in term["value"]:
        if name.get("value") == key and value["type"] == "string":
            yield value["value"]

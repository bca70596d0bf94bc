"""The members that a caller could add to a request: those that schemas list, rules read, or other requests have. Pure.

A place is a path of names; `None` in it is every item of a list.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from pdp.policy.inference import Inference
from pdp.policy.pasted import split
from pdp.policy.schema import Schema, Schemas
from pdp.policy.shape import FROM, senders
from pdp.policy.variants import LISTED, PLAIN, VOUCHED, Variant, replaced, step_of

Place: TypeAlias = tuple[str | None, ...]

MOST_VALUES = 5
"""Values of one member that are taken from its schema. A list of countries has 200."""
_HOLDERS: Mapping[Place, str] = {
    ("context",): "contexts",
    ("resource", "properties"): "resources",
    ("action", "properties"): "actions",
    ("subject", "properties"): "subjects",
    ("on_behalf_of", None, "properties"): "subjects",
}
"""The objects of a request that may have any members, and which schemas are about them."""


class Optional:
    """All members that requests may have, by the place of the object that they stand in."""

    def __init__(self, schemas: Schemas, inference: Inference, requests: Iterable[Mapping[str, Any]]) -> None:
        self._names: dict[Place, dict[str, list[tuple[str, Any]]]] = {}
        for place, family in _HOLDERS.items():
            for schema in getattr(schemas, family).values():
                self._list(place, schema)
        for place in _read(inference):
            self._at(place[:-1], place[-1])
        for request in requests:
            for place in _HOLDERS:
                for holder, _ in _holders(request, place, ""):
                    for name in holder:
                        self._at(place, name)

    def variants(self, request: Mapping[str, Any]) -> Iterator[Variant]:
        """The request with one more member, for each that it lacks and each value."""
        for place, names in self._names.items():
            for number, (holder, path) in enumerate(_holders(request, place, "")):
                for name, found in names.items():
                    for change, value in [*PLAIN.items(), *found] if name not in holder else ():
                        changed = replaced(request, _steps(place, number), {**holder, name: value})
                        yield Variant(path + step_of(name), change, changed, place[0] in VOUCHED, is_number=False)

    def _at(self, place: Place, name: Any) -> list[tuple[str, Any]]:
        return self._names.setdefault(place, {}).setdefault(name, [])

    def _list(self, place: Place, schema: Schema) -> None:
        for name, inner in schema.get("properties", {}).items():
            found = self._at(place, name)
            if isinstance(inner, dict):
                listed = [*inner.get("enum", ()), *(inner[key] for key in ("const", "minimum") if key in inner)]
                found += [(LISTED, value) for value in listed[:MOST_VALUES]]
                self._list((*place, name), inner)


def _read(inference: Inference) -> Iterator[tuple[Any, ...]]:
    """The place of each member that the author's rules read, with its name behind."""
    for branch in inference.branches:
        for node in branch.nodes if branch.is_authored else ():
            if node.get("type") in {"ref", "call", "var"}:
                for sent in senders(inference.shape(branch, node)):
                    family, steps = split(sent[FROM])
                    if steps and all(isinstance(step, str) for step in steps):
                        place = tuple(step for step in family[1:])
                        yield from ((*place, *steps[: length + 1]) for length in range(len(steps)))


def _holders(value: Any, place: Place, path: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The objects at a place of a request, each with its path."""
    if not place:
        if isinstance(value, dict):
            yield value, path
        return
    first, *rest = place
    if first is None:
        for item in value if isinstance(value, list) else ():
            yield from _holders(item, tuple(rest), f"{path}[]")
    elif isinstance(value, dict) and first in value:
        yield from _holders(value[first], tuple(rest), path + step_of(first) if path else first)


def _steps(place: Place, number: int) -> list[str | int]:
    """The steps to the object with this number at a place."""
    return [number if step is None else step for step in place]

"""What an event says of one dataset beside where its columns come from: its columns, other names, tags and changes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pdp.bad_fields import joined, step
from pdp.errors import InvalidRequest
from pdp.lineage.fact import Dataset, Tagging
from pdp.lineage.reading import Reading
from pdp.lineage.shape import MAX_COLUMNS, MAX_TAGS, mapping, member, objects, sequence, sized, text, within
from pdp.lineage.tag import is_denial, tag

REPLACING = frozenset({"CREATE", "DROP", "OVERWRITE", "TRUNCATE"})
"""Changes of a dataset after which nothing of it is what it was."""


@dataclass
class Described:
    """A dataset of an event. `others` are its other names, `change` is that of `lifecycleStateChange`."""

    dataset: Dataset
    path: str
    facets: Mapping[str, Any]
    columns: dict[str, None] = field(default_factory=dict)
    others: dict[Dataset, None] = field(default_factory=dict)
    tags: dict[Tagging, None] = field(default_factory=dict)
    change: str = ""


def described(members: Mapping[str, Any], path: str, reading: Reading) -> Described:
    """What an object of `inputs` or `outputs` says. Raises `InvalidRequest` where it names no dataset."""
    found = Described(reading.dataset(members, path), path, {})
    try:
        found.facets = member(members, "facets", f"{path}.")
    except InvalidRequest as error:
        reading.excuse(error, "all facets count as missing")
    for name, take in (
        ("schema", _schema),
        ("symlinks", _symlinks),
        ("lifecycleStateChange", _change),
        ("tags", _tags),
    ):
        _facet(found, name, take, reading)
    found.others.pop(found.dataset, None)
    return found


def _facet(found: Described, name: str, take: Callable[..., None], reading: Reading) -> None:
    if (facet := found.facets.get(name)) is None:
        return
    path = f"{found.path}.facets.{name}"
    try:
        take(found, mapping(facet, path), path, reading)
    except InvalidRequest as error:
        reading.excuse(error, "the facet counts as missing")


def _schema(found: Described, facet: Mapping[str, Any], path: str, reading: Reading) -> None:
    fields = sequence(facet.get("fields", []), f"{path}.fields")
    within(len(fields), MAX_COLUMNS, f"{path}.fields", "columns")
    names = [text(one, "name", inner) for inner, one in objects(facet, "fields", f"{path}.")]
    found.columns = dict.fromkeys(reading.names.column(found.dataset, name) for name in names)
    reading.schemas.setdefault(found.dataset, {}).update(found.columns)


def _symlinks(found: Described, facet: Mapping[str, Any], path: str, reading: Reading) -> None:
    sequence(facet.get("identifiers"), f"{path}.identifiers")
    identifiers = [reading.dataset(one, inner) for inner, one in objects(facet, "identifiers", f"{path}.")]
    found.others.update(dict.fromkeys(identifiers))


def _change(found: Described, facet: Mapping[str, Any], path: str, reading: Reading) -> None:
    found.change = text(facet, "lifecycleStateChange", path)
    previous = member(facet, "previousIdentifier", f"{path}.")
    if previous or found.change == "RENAME":
        found.others[reading.dataset(previous, f"{path}.previousIdentifier")] = None


def _tags(found: Described, facet: Mapping[str, Any], path: str, reading: Reading) -> None:
    if not reading.writer.may_tag:
        reading.note(path, "its writer may not tag; the facet counts as missing")
        return
    sequence(facet.get("tags"), f"{path}.tags")
    counts = dict[str, int]()
    for inner, one in objects(facet, "tags", f"{path}."):
        for tagging in _taggings(found.dataset, one, inner, reading):
            found.tags[tagging] = None
            counts[tagging.column] = counts.get(tagging.column, 0) + 1
            within(counts[tagging.column], MAX_TAGS, path, "tags of one column")


def _taggings(dataset: Dataset, one: Mapping[str, Any], path: str, reading: Reading) -> list[Tagging]:
    """A tag of a column, of those in which it is nested too, or of the dataset; empty where it is not a tag."""
    column = "" if one.get("field") is None else reading.column(dataset, text(one, "field", path))
    value = one.get("value", "true")
    value = sized(value, joined(path, step("value"))) if type(value) is str else "true" if value is True else "?"
    key = text(one, "key", path)
    if is_denial(value):
        reading.note(path, "says that a tag does not hold; an event removes nothing")
        return []
    columns = (column, *reading.outer_columns(dataset, column))
    return [Tagging(dataset, name, found) for found in _tag(key, value, path, reading) for name in columns]


def _tag(key: str, value: str, path: str, reading: Reading) -> list[str]:
    """The tag of a key and a value; that of the key alone where no tag can hold the value."""
    try:
        return [tag(key, value)]
    except ValueError as error:
        reading.note(path, str(error))
    try:
        return [tag(key)]
    except ValueError:
        return []

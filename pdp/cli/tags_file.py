"""The file of declared tags: what people said is in data, and for which names of it that counts.

`{"datasets": [{"namespace", "name", "tags", "columns": {COLUMN: [TAG]}, "names": [OTHER]}]}`, each OTHER with
`namespace`, `name` and `columns`.

`names` are the other names of the dataset, each with the columns that are declared under that name, too. Where they are
left out, the columns are declared under the dataset's own name alone.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pdp.v1.dataset_pb2 import DatasetName, TagAssertion
    from pdp.v1.lineage_pb2 import ClassifyRequest, TagRequest

AT_ONCE = 500
"""Columns of one message: with 64 tags each they stay below its 64 KiB as a rule; what does not fit is refused."""
Name = tuple[str, str]
"""A dataset's namespace and name."""


def exported(assertions: "Sequence[TagAssertion]") -> dict[str, Any]:
    """What people declared, by dataset: its own tags, each column with its tags, and its other names."""
    from pdp.v1.dataset_pb2 import TagSource

    people = {TagSource.TAG_SOURCE_PERSON, TagSource.TAG_SOURCE_SUGGESTION}
    said = [one for one in assertions if one.source in people]
    return {"datasets": [_dataset(name, list(group)) for name, group in groupby(said, key=_name)]}


def read(text: bytes, reason: str) -> "tuple[int, list[TagRequest | ClassifyRequest]]":
    """How many datasets a file has, and the messages that declare them. Raises what parsing raises."""
    from pdp.v1.dataset_pb2 import DatasetName

    found = json.loads(text)["datasets"]
    messages: list[TagRequest | ClassifyRequest] = []
    for one in found:
        name = DatasetName(namespace=one["namespace"], name=one["name"])
        columns = {column: _texts(some) for column, some in one.get("columns", {}).items()}
        messages += _messages(name, _texts(one.get("tags", [])), _by_names(columns, one.get("names", [])), reason)
    return len(found), messages


def _name(one: "TagAssertion") -> Name:
    return one.dataset.namespace, one.dataset.name


def _dataset(name: Name, said: "Sequence[TagAssertion]") -> dict[str, Any]:
    columns: dict[str, set[str]] = {}
    names: dict[Name, set[str]] = {}
    for one in said:
        columns.setdefault(one.column, set()).update({one.tag} - {""})
        for other in one.names:
            names.setdefault((other.namespace, other.name), set()).add(one.column)
    own = sorted(columns.pop("", ()))
    listed = {column: sorted(tags) for column, tags in sorted(columns.items())}
    found: dict[str, Any] = {"namespace": name[0], "name": name[1], "tags": own, "columns": listed}
    others = [{"namespace": one[0], "name": one[1], "columns": sorted(some)} for one, some in sorted(names.items())]
    return found | ({"names": others} if others else {})


def _by_names(columns: Mapping[str, list[str]], listed: Any) -> Mapping[tuple[Name, ...], dict[str, list[str]]]:
    """The columns with their tags, by the other names for which they are declared."""
    others: dict[str, list[Name]] = {column: [] for column in columns}
    for one in listed:
        for column in _texts(one["columns"]):
            others[column].append((one["namespace"], one["name"]))
    found: dict[tuple[Name, ...], dict[str, list[str]]] = {}
    for column, names in others.items():
        found.setdefault(tuple(names), {})[column] = columns[column]
    return found


def _texts(found: object) -> list[str]:
    """A list of texts. Raises `TypeError`: a text is also a sequence of texts."""
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise TypeError
    return found


def _messages(
    name: "DatasetName", tags: list[str], groups: Mapping[tuple[Name, ...], dict[str, list[str]]], reason: str
) -> "Iterator[TagRequest | ClassifyRequest]":
    from pdp.v1.dataset_pb2 import DatasetName
    from pdp.v1.lineage_pb2 import ClassifyRequest, DataName, LineageColumn, OtherNames, TagRequest

    data = DataName(dataset=name)
    for tag in tags:
        yield TagRequest(data=data, tag=tag, reason=reason, names=OtherNames())
    for others, columns in groups.items():
        names = OtherNames(names=[DatasetName(namespace=one[0], name=one[1]) for one in others])
        listed = [LineageColumn(name=column, tags=some) for column, some in columns.items()]
        for start in range(0, len(listed), AT_ONCE):
            yield ClassifyRequest(data=data, columns=listed[start : start + AT_ONCE], reason=reason, names=names)

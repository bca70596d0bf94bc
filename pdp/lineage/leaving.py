"""What leaves masked, or is exported, as an OpenLineage event: `event.read` takes it back as Placet's own. Pure.

1. The job is `placet/<realm>`, `mask.<table>`; the run is the decision. There are no values and no keys in it.
2. `clear` and each other mask is a transformation of its column, whose description is the mask's name.
3. The output is the destination of the request where that is a URI with a path, without what it says of passwords and
   options; else `placet://<realm>`, `export/<decision id>`. No request names a dataset of Placet's as its destination.
4. An event that would be larger than others may be names no columns. Then all of them get every tag of every input.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from pdp.identifier import uuid_bytes
from pdp.lineage.fact import Dataset
from pdp.lineage.name import Names
from pdp.lineage.origins import Origins, Place
from pdp.lineage.shape import MAX_COLUMNS, MAX_DATASETS, MAX_EDGES, MAX_NAME_BYTES

PRODUCER = "https://placet.dev"
"""Who made the event, as OpenLineage wants it: a URI. Nothing is fetched from it."""
MAX_BYTES = 3 * 1024 * 1024
"""Bytes of an event with columns, so that every receiver takes it: ours takes 4 MiB."""
_SPEC = "https://openlineage.io/spec"
_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_COLUMNS = f"{_SPEC}/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet"
_SCHEMA = f"{_SPEC}/facets/1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet"
_SCHEME = "placet"
_PLAIN = ("clear", "keep")
"""Masks that let values through; the second is of columns that a rewrap leaves as they are."""
_NAMES = Names()
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Masks = Mapping[str, Sequence[str]]
"""Each column with the names of its masks: of one with JSON in it those of its paths."""


def job_namespace(realm: str) -> str:
    """The namespace of Placet's own jobs, which is also the name of their writer. No caller is called so."""
    return f"{_SCHEME}/{realm}"


def data_namespace(realm: str) -> str:
    """The namespace of datasets that are Placet's own: exports, and what stands for resources that are not known."""
    return f"{_SCHEME}://{realm}"


def stand_in(realm: str, resource_type: str, resource_id: str) -> Dataset:
    """The dataset that stands for a resource of which none is known. No resource has a name that ends like this one."""
    end = f" ({resource_type})"
    return Dataset(data_namespace(realm), _short(resource_id, MAX_NAME_BYTES - len(end.encode())) + end)


@dataclass(frozen=True, slots=True)
class Leaving:
    """Something that leaves by a decision.

    `table` is the resource's id, `destination` the value of `context.destination`, of any type. `masks` are None for an
    export without masks. `is_whole` says that all of it left, `at_ms` when it did, and `names_columns` that there is
    room for its columns where they go and come from.
    """

    realm: str
    decision_id: str
    table: str
    origins: Origins
    destination: Any
    masks: Masks | None
    at_ms: int
    is_whole: bool = True
    names_columns: bool = True

    @property
    def target(self) -> Dataset:
        """The dataset to which it leaves."""
        return _of_uri(self.destination) or Dataset(data_namespace(self.realm), f"export/{self.decision_id}")

    @property
    def is_made_here(self) -> bool:
        """Whether Placet made all that is in the target: what it masked itself, and nobody said where it is put."""
        return self.masks is not None and self.target.namespace == data_namespace(self.realm)

    @property
    def event(self) -> bytes:
        """The event as JSON."""
        columns = self._columns()
        if columns and self.names_columns and len(text := orjson.dumps(self._event(columns))) <= MAX_BYTES:
            return text
        return orjson.dumps(self._event([]))

    def _event(self, columns: Sequence["_Column"]) -> Mapping[str, Any]:
        inputs = dict.fromkeys(self.origins.datasets) | {one: None for column in columns for one, _ in column.places}
        return {
            "eventType": "COMPLETE" if self.is_whole else "ABORT",
            "eventTime": datetime.fromtimestamp(self.at_ms / 1000, UTC).isoformat(timespec="milliseconds"),
            "producer": PRODUCER,
            "schemaURL": _EVENT,
            "run": {"runId": str(UUID(bytes=uuid_bytes(self.decision_id)))},
            "job": {"namespace": job_namespace(self.realm), "name": _short(f"mask.{self.table}", MAX_NAME_BYTES)},
            "inputs": [one._asdict() for one in inputs],
            "outputs": [self.target._asdict() | {"facets": _facets(columns)}],
        }

    def _columns(self) -> Sequence["_Column"]:
        """The columns that the event names; none where that would be too many, or one cannot be named."""
        masks = dict.fromkeys(self.origins.columns, ("",)) if self.masks is None else self.masks
        if not 0 < len(masks) <= MAX_COLUMNS or not all(0 < len(name.encode()) <= MAX_NAME_BYTES for name in masks):
            return []
        columns = [_Column(name, self.origins.of(name), some) for name, some in masks.items()]
        datasets = {dataset for column in columns for dataset, _ in column.places}
        edges = sum(len(column.places) for column in columns)
        return columns if len(datasets) < MAX_DATASETS - len(self.origins.datasets) and edges <= MAX_EDGES else []


@dataclass(frozen=True, slots=True)
class _Column:
    """A column that leaves, where it comes from, and its masks; an empty name is none."""

    name: str
    places: Sequence[Place]
    masks: Sequence[str]

    @property
    def sources(self) -> Mapping[str, Any]:
        """The column in the facet."""
        done = [_transformation(mask) for mask in self.masks]
        return {"inputFields": [{**one._asdict(), "field": name, "transformations": done} for one, name in self.places]}


def _facets(columns: Sequence[_Column]) -> dict[str, Any]:
    """Where each column comes from; empty where the event names none, so that everything carries everything."""
    if not columns:
        return {}
    fields = {column.name: column.sources for column in columns}
    return {
        "schema": {"_producer": PRODUCER, "_schemaURL": _SCHEMA, "fields": [{"name": one.name} for one in columns]},
        "columnLineage": {"_producer": PRODUCER, "_schemaURL": _COLUMNS, "fields": fields},
    }


def _transformation(mask: str) -> Mapping[str, Any]:
    is_plain = not mask or mask in _PLAIN
    return {
        "type": "DIRECT",
        "subtype": "IDENTITY" if is_plain else "TRANSFORMATION",
        "description": mask or "export",
        "masking": not is_plain,
    }


def _of_uri(destination: Any) -> Dataset | None:
    if not isinstance(destination, str) or not destination.isprintable():
        return None
    try:
        parts = urlsplit(destination)
    except ValueError:  # a bad host
        return None
    host, name = parts.netloc.rpartition("@")[2], parts.path.strip("/")
    if parts.scheme in {"", _SCHEME} or not name or not (host or parts.scheme == "file"):
        return None
    found = Dataset(f"{parts.scheme}://{host}" if host else parts.scheme, name if host else "/" + name)
    is_all = _NAMES.dataset(*found).name == "/"  # it names a partition of all that is there
    return found if not is_all and all(len(text.encode()) <= MAX_NAME_BYTES for text in found) else None


def _short(name: str, most: int) -> str:
    """A name as long as a name may be, without control characters."""
    return _CONTROL.sub("?", name).encode()[:most].decode(errors="ignore")

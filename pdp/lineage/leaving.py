"""What leaves masked, or is exported, as an OpenLineage event: `event.read` takes it back as Placet's own.

1. The job is `placet/<realm>`, `mask.<table>`; the run is the decision. There are no values and no keys in it.
2. `clear` and each other mask is a transformation of its column, whose description is the mask's name.
3. The output is the destination of the request where that is a URI with a path, without what it says of passwords and
   options; else `placet://<realm>`, `export/<decision id>`.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from pdp.identifier import uuid_bytes
from pdp.lineage.fact import Dataset
from pdp.lineage.shape import MAX_NAME_BYTES

PRODUCER = "https://placet.dev"
"""Who made the event, as OpenLineage wants it: a URI. Nothing is fetched from it."""
_SPEC = "https://openlineage.io/spec"
_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_COLUMNS = f"{_SPEC}/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet"
_SCHEMA = f"{_SPEC}/facets/1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet"
_CLEAR = "clear"
"""The mask that lets values through."""


def leaving(
    *,
    realm: str,
    decision_id: str,
    resource: tuple[str, str],
    inputs: Sequence[Dataset],
    destination: Any,
    masks: Mapping[str, str] | None,
    at_ms: int,
) -> bytes:
    """The event as JSON of what left by a decision.

    `resource` is its type and id, `inputs` the datasets that it is, `destination` the value of `context.destination`,
    of any type. `masks` has each column that left with the name of its mask; None is an export without masks, of
    which no column is known, so that all of its tags go along.
    """
    sources = list(inputs) or [Dataset(f"placet://{realm}", _short("/".join(resource)))]
    output = target(destination, realm, decision_id)
    members = {
        "eventType": "COMPLETE",
        "eventTime": datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        "producer": PRODUCER,
        "schemaURL": _EVENT,
        "run": {"runId": str(UUID(bytes=uuid_bytes(decision_id)))},
        "job": {"namespace": f"placet/{realm}", "name": _short(f"mask.{resource[1]}")},
        "inputs": [one._asdict() for one in sources],
        "outputs": [output._asdict() | {"facets": _facets(sources, masks or {})}],
    }
    return orjson.dumps(members)


def target(destination: Any, realm: str, decision_id: str) -> Dataset:
    """The dataset to which something leaves."""
    return _of_uri(destination) or Dataset(f"placet://{realm}", f"export/{decision_id}")


def _of_uri(destination: Any) -> Dataset | None:
    if not isinstance(destination, str) or not destination.isprintable():
        return None
    try:
        parts = urlsplit(destination)
    except ValueError:  # a bad host
        return None
    host, name = parts.netloc.rpartition("@")[2], parts.path.strip("/")
    if not parts.scheme or not name or not (host or parts.scheme == "file"):
        return None
    found = Dataset(f"{parts.scheme}://{host}" if host else parts.scheme, name if host else "/" + name)
    return found if all(len(text.encode()) <= MAX_NAME_BYTES for text in found) else None


def _facets(sources: Sequence[Dataset], masks: Mapping[str, str]) -> dict[str, Any]:
    """Where each column comes from; empty where a column's name is none, so that everything carries everything."""
    if not masks or not all(0 < len(name.encode()) <= MAX_NAME_BYTES for name in masks):
        return {}
    fields = {name: {"inputFields": [_field(one, name, mask) for one in sources]} for name, mask in masks.items()}
    return {
        "schema": {"_producer": PRODUCER, "_schemaURL": _SCHEMA, "fields": [{"name": name} for name in masks]},
        "columnLineage": {"_producer": PRODUCER, "_schemaURL": _COLUMNS, "fields": fields},
    }


def _field(source: Dataset, column: str, mask: str) -> dict[str, Any]:
    transformation = {
        "type": "DIRECT",
        "subtype": "IDENTITY" if mask == _CLEAR else "TRANSFORMATION",
        "description": mask,
        "masking": mask != _CLEAR,
    }
    return {**source._asdict(), "field": column, "transformations": [transformation]}


def _short(name: str) -> str:
    """A name as long as a name may be."""
    return name.encode()[:MAX_NAME_BYTES].decode(errors="ignore")

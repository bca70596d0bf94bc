"""OpenLineage events that tests write, and what they become."""

import json
from typing import Any

from pdp.lineage.event import read
from pdp.lineage.fact import Dataset, Event
from pdp.lineage.name import Names
from pdp.lineage_settings import LineageWriter

CRM = Dataset("postgres://crm:5432", "crm.public.customers")
MART = Dataset("postgres://dw:5432", "mart.customers")
AT = 1_800_000_000_000


def dataset(of: Dataset, **facets: Any) -> dict[str, Any]:
    return {"namespace": of.namespace, "name": of.name, "facets": facets}


def columns(*names: str) -> dict[str, Any]:
    """The facet `schema`."""
    return {"fields": [{"name": name, "type": "text"} for name in names]}


def source(of: Dataset, column: str, *kinds: str, masking: bool = False, **members: Any) -> dict[str, Any]:
    """An input field, with transformations such as `DIRECT/IDENTITY`."""
    pairs = [kind.partition("/") for kind in kinds]
    given = [{"type": one, "subtype": two, "masking": masking, "description": "raw text"} for one, _, two in pairs]
    return {"namespace": of.namespace, "name": of.name, "field": column, "transformations": given} | members


def lineage(whole: list[Any] | None = None, **fields: list[Any]) -> dict[str, Any]:
    """The facet `columnLineage`."""
    named = {name: {"inputFields": sources} for name, sources in fields.items()}
    return {"fields": named} if whole is None else {"fields": named, "dataset": whole}


def run(inputs: list[Any] | None = None, outputs: list[Any] | None = None, **members: Any) -> dict[str, Any]:
    """A run event that completes."""
    return {
        "eventType": "COMPLETE",
        "eventTime": "2026-11-30T12:00:00Z",
        "run": {"runId": "01890000-0000-7000-8000-000000000001"},
        "job": {"namespace": "etl", "name": "load"},
        "inputs": inputs or [],
        "outputs": outputs or [],
    } | members


def taken(event: Any, *, is_own: bool = False, names: Names | None = None, **writer: Any) -> Event:
    """The fact of an event of a writer who may write everything, unless `namespaces` says otherwise."""
    trusted = LineageWriter(**{"namespaces": ("*",)} | writer)
    text = event if isinstance(event, bytes) else json.dumps(event).encode()
    return read(text, trusted, "workload:etl", names or Names(), AT, is_own=is_own)

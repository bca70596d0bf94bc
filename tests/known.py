"""What a test says is known of data, as `LineageViews` has it."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import rfc8785

from pdp.lineage.fact import Dataset
from pdp.lineage.view import Revision, State, View
from pdp.lineage_errors import LineageStale
from pdp.sensitivity import UNCLASSIFIED

Columns = Mapping[str, Sequence[str]]


def view(
    columns: Columns, *, name: str = "t", n: int = 1, state: State = State.KNOWN, extra: Sequence[str] = ()
) -> View:
    """The view of a dataset with these columns and their tags; `extra` are tags of no column."""
    tags = sorted({tag for of_column in columns.values() for tag in of_column} | {*extra})
    shown = {column: sorted(of_column) for column, of_column in sorted(columns.items()) if of_column}
    datasets = [Dataset("postgres://crm", name)] if state is State.KNOWN else []
    seen: dict[str, Any] = {"datasets": [one._asdict() for one in datasets], "tags": tags, "columns": shown}
    revision = Revision(n, f"{n:064x}")
    whole = {**seen, "state": state, "coarse": False, "revision": {"n": n, "head": revision.head}}
    digest = urlsafe_b64encode(sha256(rfc8785.dumps(seen)).digest()).rstrip(b"=").decode()
    return View(state, datasets, tags, shown, False, revision, rfc8785.dumps(whole), digest)


NONE = View(State.NONE, json=b'{"state":"NONE"}')

UNSEEN = view({}, state=State.UNKNOWN, extra=[UNCLASSIFIED]).digest
"""The digest of what a reviewer is shown of data of which nothing is known."""


@dataclass
class Known:
    """Tables with the tags of their columns. `stale`: it cannot say that this is the newest."""

    tables: dict[str, Columns] = field(default_factory=dict)
    n: int = 1
    stale: bool = False
    waits: list[int] = field(default_factory=list)

    def say(self, table: str, **columns: Sequence[str]) -> None:
        """From now on this is known of the table."""
        self.tables[table] = columns
        self.n += 1

    def view(self, resource_type: str, resource_id: str) -> View:
        if resource_type != "table":
            return NONE
        columns = self.tables.get(resource_id)
        if columns is None:
            return view({}, n=self.n, state=State.UNKNOWN, extra=[UNCLASSIFIED])
        return view(columns, name=resource_id, n=self.n)

    def columns_of(self, resource_type: str, resource_id: str, names: Sequence[str]) -> Columns:
        known = self.tables.get(resource_id, {}) if resource_type == "table" else {}
        return {name: known.get(name, [UNCLASSIFIED]) for name in names}

    def names_of(self, resource_type: str, resource_id: str) -> Sequence[str]:
        return sorted(self.tables.get(resource_id, {})) if resource_type == "table" else []

    async def origin(self, _type: str, _id: str, _column: str, _tag: str) -> None:
        """Nobody said so in an event."""

    def require_fresh(self) -> None:
        if self.stale:
            raise LineageStale("the newest is not known")

    async def at_least(self, n: int, deadline: float) -> None:
        self.waits.append(n)
        while self.n < n:
            if asyncio.get_running_loop().time() >= deadline:
                raise LineageStale("it did not come")
            await asyncio.sleep(0)

"""Approvals to unmask: what is reversed. They are for tokens by their hash alone."""

from itertools import zip_longest
from typing import Any, NamedTuple

from google.protobuf import json_format

from pdp.v1.approval_pb2 import Approval
from pdp.view.leaf import Leaf
from pdp.view.request import Item
from pdp.view.theirs import Theirs, theirs

TREE, DIGEST = "tokens_tree", "tokens_sha256"
"""The members of the context that hold the hash: of chunks, and of one call's rows."""
BOUND = ("chunks", "column_domains", "columns", "count", "domains", DIGEST, TREE)
"""The members of the context that a server sets for an unmasking."""
TOKENS = "tokens"
"""What the hash stands for."""


class Opened(NamedTuple):
    """A column that is opened, and its domain, which may be unknown."""

    column: Theirs
    domain: Theirs


class Unmasking(NamedTuple):
    """What one use of the approval may reverse. Numbers are None where the request does not say them.

    `chunks` is 0 where the tokens are the rows of one call. `quota` is how many values the use may reverse instead of
    what is left of the hourly quota, 0 where that counts.
    """

    table: Theirs
    values: float | None
    chunks: float | None
    columns: tuple[Opened, ...]
    domains: tuple[Theirs, ...]
    quota: int

    @property
    def further(self) -> list[Theirs]:
        """The domains that none of the columns names."""
        return [domain for domain in self.domains if domain not in {one.domain for one in self.columns}]


def unmasking(held: Approval) -> Unmasking | None:
    """What an approval to unmask is about; None for any other."""
    bound = bound_context(held)
    if not bound:
        return None
    columns, domains = texts(bound.get("columns")), texts(bound.get("column_domains"))
    return Unmasking(
        table=Theirs(held.request.resource.id),
        values=_number(bound.get("count")),
        chunks=_number(bound.get("chunks")) if TREE in bound else 0,
        columns=tuple(Opened(*theirs(pair)) for pair in zip_longest(columns, domains[: len(columns)], fillvalue="")),
        domains=theirs(texts(bound.get("domains"))),
        quota=min((each.unmask_values for each in held.requirements), default=0),
    )


def marked(item: Item) -> Item:
    """An item of a request to unmask; a hash says what it stands for."""
    is_hash = isinstance(item, Leaf) and item.path.text in (f"context.{TREE}", f"context.{DIGEST}")
    return item._replace(stands_for=TOKENS) if is_hash and isinstance(item, Leaf) else item


def bound_context(held: Approval) -> dict[str, Any]:
    """The context of an approval to unmask; empty for any other."""
    request = held.request
    is_unmasking = (request.action.name, request.resource.type) == ("unmask", "table")
    if not is_unmasking or not {TREE, DIGEST} & request.context.fields.keys():
        return {}
    return json_format.MessageToDict(request.context)


def texts(value: object) -> list[str]:
    """The texts in a list of the context."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _number(value: object) -> float | None:
    return value if isinstance(value, float | int) else None

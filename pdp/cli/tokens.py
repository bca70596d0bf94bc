"""Approvals to unmask, for reviewers: what is reversed, in words."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from google.protobuf import json_format

from pdp.v1.approval_pb2 import Approval
from pdp.visible import name

TREE, DIGEST = "tokens_tree", "tokens_sha256"
"""The members of the context that hold the hash: of chunks, and of one call's rows."""
BOUND = ("chunks", "column_domains", "columns", "count", "domains", DIGEST, TREE)
"""The members of the context that a server sets for an unmasking."""
MAX_OPENED = 5
"""Columns that a row of a list names; all of them stand in the approval itself."""


def described(held: Approval) -> Iterator[str]:
    """Lines about an approval to unmask; none for any other."""
    bound = bound_context(held)
    if not bound:
        return
    chunks = ""
    if TREE in bound:
        chunks = ", in one chunk" if bound.get("chunks") == 1 else f", in {_count(bound.get('chunks'))} chunks"
    yield f"unmasks       {_count(bound.get('count'))} values of table {name(held.request.resource.id)}{chunks}"
    domains = [*texts(bound.get("column_domains")), *[""] * len(texts(bound.get("columns")))]
    for column, domain in zip(texts(bound.get("columns")), domains, strict=False):
        yield f"  column      {name(column)}{f', domain {name(domain)}' if domain else ''}"
    if opened := texts(bound.get("domains")):
        yield f"  domains     {', '.join(map(name, opened))}"
    if allowed := _unmask_values(held):
        yield f"  quota       this one use may reverse {allowed:,} values instead of what is left of the hourly quota"
    yield "  by hash     you approve exactly these tokens, which only their hash names; to compare a file with it:"
    yield f"              pdp approvals show {name(held.approval_id)} --tokens FILE"
    yield ""


def brief(held: Approval) -> str:
    """How much an approval to unmask is about, for a list; empty for any other."""
    bound = bound_context(held)
    return f" ({_count(bound.get('count'))} values)" if bound else ""


def opened(held: Approval) -> str:
    """Which columns an approval to unmask opens, each with its domain, for a list; empty for any other."""
    bound = bound_context(held)
    domains = texts(bound.get("column_domains"))
    columns = [_with_domain(*one) for one in zip_longest(texts(bound.get("columns")), domains, fillvalue="")]
    further = [name(domain) for domain in texts(bound.get("domains")) if domain not in domains]
    parts = [("columns", columns), ("domains", further)]
    return "; ".join(f"{label} {_first(told)}" for label, told in parts if told)


def _with_domain(column: str, domain: str) -> str:
    return f"{name(column)} ({name(domain)})" if domain else name(column)


def _first(told: list[str]) -> str:
    rest = len(told) - MAX_OPENED
    return ", ".join(told[:MAX_OPENED]) + (f" and {rest:,} more" if rest > 0 else "")


def bound_context(held: Approval) -> dict[str, Any]:
    """The context of an approval to unmask; empty for any other."""
    request = held.request
    is_unmasking = (request.action.name, request.resource.type) == ("unmask", "table")
    if not is_unmasking or not {TREE, DIGEST} & request.context.fields.keys():
        return {}
    return json_format.MessageToDict(request.context)


def _count(value: object) -> str:
    return f"{value:,.0f}" if isinstance(value, float | int) else "an unknown number of"


def texts(value: object) -> list[str]:
    """The texts in a list of the context."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _unmask_values(held: Approval) -> int:
    """The least of all requirements, so 0 where one does not name any: the hourly quota counts then."""
    return min((each.unmask_values for each in held.requirements), default=0)

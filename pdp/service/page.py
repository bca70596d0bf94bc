"""Keyset paging, newest first: a token is the last id of the page before."""

from collections.abc import Sequence

from pdp import identifier
from pdp.errors import InvalidRequest
from pdp.v1.approval_pb2 import Approval

DEFAULT_SIZE = 50
"""Entries of a page where the request does not say."""
MAX_SIZE = 100
"""The most entries that a request may ask for."""
MAX_BYTES = 3 * 1024 * 1024
"""Bytes of the entries of a page: with what is around them they must fit into one message of 4 MiB."""


def size(asked: int) -> int:
    """How many to return, from `page_size`."""
    if not 0 <= asked <= MAX_SIZE:
        raise InvalidRequest.field("page_size", f"is {asked}; send 1 to {MAX_SIZE}, or 0 for {DEFAULT_SIZE}")
    return asked or DEFAULT_SIZE


def before(token: str) -> str:
    """The id below which a page begins, from `page_token`."""
    if token and identifier.uuid_bytes(token) is None:
        sentence = "was not issued by this server; send the next_page_token of the page before"
        raise InvalidRequest.field("page_token", sentence)
    return token


def fitting(approvals: Sequence[Approval], token: str) -> tuple[Sequence[Approval], str]:
    """As many as one message holds, and the token for what is behind them: `token` where all of them fit."""
    room = MAX_BYTES
    for index, approval in enumerate(approvals):
        room -= approval.ByteSize()
        if room < 0 and index:
            return approvals[:index], approvals[index - 1].approval_id
    return approvals, token


def next_token(ids: Sequence[str], limit: int) -> str:
    """The token for the page behind these; empty where this was the last."""
    return ids[-1] if len(ids) == limit else ""

"""Keyset paging, newest first: a token is the last id of the page before."""

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from pdp import identifier
from pdp.approval import ApprovalAt
from pdp.errors import InvalidRequest
from pdp.service import message
from pdp.service.slices import Slices
from pdp.v1.approval_pb2 import ApprovalLineage, ListApprovalsResponse
from pdp.v1.review_pb2 import ListHistoryResponse, ListQueueResponse

DEFAULT_SIZE = 50
"""Entries of a page where the request does not say."""
MAX_SIZE = 100
"""The most entries that a request may ask for."""
MAX_BYTES = 1024 * 1024
"""Bytes of the entries of a page. A message is packed in one piece, and others wait: 8 ms for so many small members."""
NOT_OURS = "was not issued by this server; send the next_page_token of the page before"
"""What is told of another `page_token`."""

T = TypeVar("T")
ListOf: TypeAlias = ListApprovalsResponse | ListQueueResponse | ListHistoryResponse
"""A page of approvals."""
LineageOf: TypeAlias = Callable[[ApprovalAt], ApprovalLineage | None]
"""What is shown of the data of an approval."""


def size(asked: int) -> int:
    """How many to return, from `page_size`."""
    if not 0 <= asked <= MAX_SIZE:
        raise InvalidRequest.field("page_size", f"is {asked}; send 1 to {MAX_SIZE}, or 0 for {DEFAULT_SIZE}")
    return asked or DEFAULT_SIZE


def before(token: str) -> str:
    """The id below which a page begins, from `page_token`."""
    if token and identifier.uuid_bytes(token) is None:
        raise InvalidRequest.field("page_token", NOT_OURS)
    return token


async def fill(
    answer: ListOf, found: Sequence[ApprovalAt], token: str, slices: Slices, lineage_of: LineageOf = lambda _: None
) -> str:
    """Put as many approvals into the answer as a page holds. Return the id behind which it goes on, or else `token`."""
    room = MAX_BYTES
    for index, held in enumerate(found):
        approval = message.approval(held, lineage=lineage_of(held))
        size = approval.ByteSize()
        if size > room and index:
            return found[index - 1].approval.id
        room -= size
        answer.approvals.append(approval)
        await slices.behind(size)
    return token


def cut(found: list[T], limit: int, name: Callable[[T], str]) -> tuple[list[T], str]:
    """The page of `found`, which has one more than it where there are more; and the token for the one behind it."""
    shown = found[:limit]
    return shown, name(shown[-1]) if len(found) > limit else ""

"""Pages of lists that are whole in memory: a token is how many entries came before."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from google.protobuf.message import Message

from pdp.errors import InvalidRequest

DEFAULT_SIZE = 500
"""Entries of a page where the request does not say."""
MAX_SIZE = 1000
"""The most entries that a request may ask for."""
MAX_BYTES = 2 * 1024 * 1024
"""Bytes of the entries of a page: half of what a message may have."""
_T = TypeVar("_T")
_M = TypeVar("_M", bound=Message)


def page(request: Any, found: Sequence[_T], write: Callable[[_T], _M], into: Any) -> str:
    """Put one page of what was found into a repeated field. Returns the token of the next page, or nothing."""
    if not 0 <= request.page_size <= MAX_SIZE:
        raise InvalidRequest.field(
            "page_size", f"is {request.page_size}; send 1 to {MAX_SIZE}, or 0 for {DEFAULT_SIZE}"
        )
    start = _start(request.page_token)
    end, left = start, MAX_BYTES
    for one in found[start : start + (request.page_size or DEFAULT_SIZE)]:
        written = write(one)
        left -= written.ByteSize()
        if left < 0 and end > start:
            break
        into.append(written)
        end += 1
    return str(end) if end < len(found) else ""


def _start(token: str) -> int:
    if token and not (token.isascii() and token.isdigit() and len(token) < len(str(10**9))):
        raise InvalidRequest.field("page_token", "was not issued by this server; send that of the page before")
    return int(token or 0)

"""What narrows a list of approvals down, from the query of its page: strictly, each by its name."""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode

from pdp.errors import InvalidRequest
from pdp.inbox.look import Exact

ON = "on"
"""What a browser sends for a box that is ticked."""


def asked(query: Mapping[str, str], texts: Collection[str], boxes: Collection[str] = ()) -> dict[str, Any]:
    """The fields of a list's request. Raises `InvalidRequest` for each unknown name and each box with another value."""
    bad = [(name, "is not known here") for name in query if name not in (*texts, *boxes)]
    bad += [(name, f'is "{ON}", or it is left out') for name in boxes if query.get(name, ON) != ON]
    if bad:
        raise InvalidRequest.fields(bad)
    return {**{name: query.get(name, "") for name in texts}, **{name: name in query for name in boxes}}


def shown(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same for the form of the page, whose fields keep what was asked."""
    return {name: Exact(value) if isinstance(value, str) else value for name, value in given.items()}


def address(path: str, given: Mapping[str, Any], **changes: str) -> str:
    """The address of a page with these fields."""
    fields = {**{name: ON if value is True else value for name, value in given.items()}, **changes}
    query = urlencode({name: value for name, value in fields.items() if value})
    return f"{path}?{query}" if query else path

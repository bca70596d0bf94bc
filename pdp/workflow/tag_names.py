"""Tags as callers write them."""

from pdp.errors import InvalidRequest
from pdp.lineage.name import folded
from pdp.lineage.tag import tag
from pdp.sensitivity import MASKED, UNCLASSIFIED


def settable(text: str, path: str) -> str:
    """A tag that a person may set, folded. Raises `InvalidRequest`."""
    try:
        return tag(text)
    except ValueError as error:
        raise InvalidRequest.field(path, str(error)) from None


def carried(text: str, path: str) -> str:
    """A tag that data may carry, folded: one that can be set, the same with `:masked`, or `unclassified`."""
    whole = folded(text.strip())
    plain = whole.removesuffix(MASKED)
    return whole if whole == UNCLASSIFIED else settable(plain, path) + whole[len(plain) :]

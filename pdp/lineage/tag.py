"""Tags: `key`, or `key=value`, in one form."""

import re

from pdp.lineage.name import folded
from pdp.sensitivity import UNCLASSIFIED

_TAG = re.compile(r"[a-z0-9][a-z0-9._=-]{0,63}")


def tag(key: str, value: str = "true") -> str:
    """The tag of OpenLineage's key and value, folded. Raises `ValueError` with what is wrong with it.

    The value "true" is the key alone. The value "false" removes nothing; ask `is_denial` first.
    """
    key, value = folded(key.strip()), folded(value.strip())
    if key.partition("=")[0] == UNCLASSIFIED:
        raise ValueError(f"cannot be set: `{UNCLASSIFIED}` ends where somebody declares what is in a column")
    found = key if value == "true" else f"{key}={value}"
    if not _TAG.fullmatch(found):
        raise ValueError("is not a tag: 1 to 64 of a-z, 0-9 and ._=- that begin with a letter or a digit")
    return found


def is_denial(value: str) -> bool:
    """Whether a tag's value says that the tag does not hold: it removes nothing."""
    return folded(value.strip()) == "false"

"""Tags: `key`, or `key=value`, in one form."""

import re
from collections.abc import Sequence

from pdp.lineage.fact import MASKED, UNCLASSIFIED
from pdp.lineage.name import folded

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


def sensitivity(tags: Sequence[str], new: Sequence[str]) -> tuple[int, int, int]:
    """A key that sorts columns for people, the most sensitive first.

    First come those with new tags, then those with more tags of values that are not masked, then those with more tags.
    """
    plain = [tag for tag in tags if tag != UNCLASSIFIED and not tag.endswith(MASKED)]
    return (-len(new), -len(plain), -len(tags))

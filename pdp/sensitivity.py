"""Which tags say the least of data and which the most, for everybody who sorts columns for people."""

from collections.abc import Sequence

UNCLASSIFIED = "unclassified"
"""The tag of a column of which no person and no trusted writer has said what is in it. It cannot be set."""
MASKED = ":masked"
"""What follows the tag of values that were masked on the way."""


def sensitivity(tags: Sequence[str], new: Sequence[str]) -> tuple[int, int, int]:
    """A key that sorts columns for people, the most sensitive first.

    First come those with new tags, then those with more tags of values that are not masked, then those with more tags.
    """
    plain = [tag for tag in tags if tag != UNCLASSIFIED and not tag.endswith(MASKED)]
    return (-len(new), -len(plain), -len(tags))

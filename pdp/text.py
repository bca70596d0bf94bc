"""Text that begins like JSON. What was meant as a list, an object or a flag must not reach a policy as text.

A rule that looks for "pii" among tags finds nothing in the text `[pii]`, and so it does not fire.
"""

import re

_BEGINS = re.compile(r"""\s*(?:[\[{"]|'.*'\s*\Z)""", re.DOTALL)
_WORD = re.compile(r"\s*(?:true|false|null|none|nan|-?infinity)\s*", re.IGNORECASE)


class Text(str):
    """Text that is meant as text, even if it begins like JSON: `properties={"note": Text("[draft] plan")}`."""

    __slots__ = ()


def resembles_json(text: str) -> bool:
    """Whether text begins as a list, an object or a quoted text does. `Text` was meant, so it does not count."""
    return not isinstance(text, Text) and _BEGINS.match(text) is not None


def resembles_word(text: str) -> bool:
    """Whether text is `true`, `false`, `null`, `None`, `NaN` or `Infinity`, in any case of its letters."""
    return _WORD.fullmatch(text) is not None

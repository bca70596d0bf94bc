"""The name that is meant where another one is written."""

import difflib
from collections.abc import Iterable

CLOSE = 0.75
"""How alike two names must be, as `difflib` counts it: `agnets` and `agents` have 0.83."""


def near(name: str, known: Iterable[str]) -> str:
    """The name among `known` that is most like `name`, other than it; empty if none is."""
    folded = {_folded(other): other for other in known if other != name}
    found = difflib.get_close_matches(_folded(name), folded, n=1, cutoff=CLOSE)
    return folded[found[0]] if found else ""


def _folded(name: str) -> str:
    return "".join(character for character in name.casefold() if character not in "_- ")

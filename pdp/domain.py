"""A mask domain as it is declared: what of it may never change once it was used."""

from collections.abc import Mapping
from typing import Any

TOLD = ("values", "guessable")
"""Members that tell of a domain's values: how many there can be, and why it is fine that they are few."""


def fixed(declaration: Any) -> Any:
    """What may not change of a declaration: all that tokens depend on. What is not an object is fixed as it is."""
    if not isinstance(declaration, Mapping):
        return declaration
    return {name: value for name, value in declaration.items() if name not in TOLD}

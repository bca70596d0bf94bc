"""The option that says how many entries a page of a list has."""

from typing import Annotated

import typer

MOST = 100
"""Entries of a page: as many as the server gives."""


def _checked(size: int) -> int:
    if not 1 <= size <= MOST:
        raise typer.BadParameter(f"{size} is not in the range 1 to {MOST}")
    return size


PageSize = Annotated[int, typer.Option(callback=_checked, help=f"Entries per page, 1 to {MOST}.")]

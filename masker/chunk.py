"""A chunk: the values of one leaf column that are masked together."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masker.errors import ValueRefused
from masker.kernels.column import SHORT, UNFIT, Flags, Masked
from masker.leaf import Leaf


@dataclasses.dataclass(frozen=True)
class Chunk:
    """Some values of a leaf column, with what a mask may need to know of their table.

    1. `valid` is False where the value or a parent of it is null.
    2. `rows` are the rows of the table that the values stand in; in lists a row repeats or is left out.
    3. `columns` are the chunks of every top-level column, for masks that read another column too.
    """

    leaf: Leaf
    array: Any
    valid: Flags
    rows: NDArray[np.int64]
    columns: list[list[Any]]

    def refused(self, problem: str, place: int | None = None) -> ValueRefused:
        """Return the error of the value at `place`, or of the whole chunk."""
        row = None if place is None else int(self.rows[place])
        return ValueRefused(problem, column=self.leaf.column, row=row, rule=self.leaf.rule)

    def settled(self, masked: Masked, problems: dict[int, str]) -> Masked:
        """Raise ValueRefused for the first value that did not fit, unless policy makes it null."""
        if not masked.status.any():
            return masked
        spec = self.leaf.spec
        allowed = {UNFIT} if spec.unfit_is_null else set()
        allowed |= {SHORT} if spec.short_is_null else set()
        wrong = self.valid & (masked.status > 0) & ~np.isin(masked.status, list(allowed))
        if wrong.any():
            first = int(np.argmax(wrong))
            raise self.refused(problems[int(masked.status[first])], first)
        return masked

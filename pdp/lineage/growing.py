"""Arrays that grow at their end."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

FIRST = 1024
"""Numbers for which there is room at first."""


class Growing:
    """One array of numbers; what is new in it is zero."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._all: NDArray[Any] = np.zeros(FIRST, dtype)
        self.size = 0

    @property
    def values(self) -> NDArray[Any]:
        """Those that are in use. They are written to in place."""
        return self._all[: self.size]

    def grow(self, size: int) -> None:
        """Make room for `size` numbers; twice as many, so that growing costs little."""
        if size > len(self._all):
            larger = np.zeros(max(size, 2 * len(self._all)), self._all.dtype)
            larger[: self.size] = self.values
            self._all = larger
        self.size = max(self.size, size)

    def extend(self, values: NDArray[Any]) -> None:
        """Put numbers at the end."""
        self.grow(self.size + len(values))
        self._all[self.size - len(values) : self.size] = values

    def append(self, value: int) -> None:
        """Put one number at the end."""
        self.grow(self.size + 1)
        self._all[self.size - 1] = value

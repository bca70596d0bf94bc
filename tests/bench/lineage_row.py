"""A line of `tests.bench.lineage`: a figure, what it is held against, and what it must be."""

from collections.abc import Iterable
from typing import NamedTuple


class Row(NamedTuple):
    """One figure. `beside` names its reference, measured in the same run; `least` and `most` are its bar."""

    name: str
    value: float
    beside: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the figure is within its bar."""
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    def __str__(self) -> str:
        bars = [
            f"{word} {bar:,g}" for word, bar in (("at least", self.least), ("at most", self.most)) if bar is not None
        ]
        missed = "" if self.is_met else "  MISSED"
        return f"{self.name:<46}{self.value:>14,.2f}  {', '.join(bars):<16}{missed:<8} {self.beside}".rstrip()


def shown(rows: Iterable[Row]) -> bool:
    """Print each row as it comes. Returns whether all are within their bars."""
    are_met = True
    for row in rows:
        print(row, flush=True)
        are_met = are_met and row.is_met
    return are_met

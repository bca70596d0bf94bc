"""A queue in which callers take turns, however much each of them sends: start-time fair queueing (Goyal et al., 1996).

1. A caller's own items keep their order.
2. An item's weight is paid by its caller: the next turn of a caller comes the later, the more its items weighed.
3. A caller that comes new has its turn before the second next item of any caller that has items waiting. Of several
   whose turn it is, the lightest item goes first.

    for example: a sends 1,000 items, b sends one: it is taken after a's next item at the latest
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Generic, TypeVar

T = TypeVar("T")


def _each(_: object) -> bool:
    return True


@dataclass(slots=True)
class _Line(Generic[T]):
    """A caller's items with their weights, their sum, and how much has been taken when its next turn comes."""

    turn: float
    items: OrderedDict[T, float] = field(default_factory=OrderedDict)
    weight: float = 0.0

    @property
    def lightness(self) -> float:
        return next(iter(self.items.values()), inf)


class FairQueue(Generic[T]):
    """Items of callers. An item is hashable, and waits once at a time."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line[T]] = {}
        self._turns: list[tuple[float, float, int, str]] = []
        self._numbers = count()
        self._taken = 0.0
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def put(self, caller: str, item: T, weight: float = 1.0) -> None:
        """Add an item behind the others of its caller."""
        line = self._lines.get(caller)
        is_new = line is None
        if line is None:
            line = self._lines[caller] = _Line(self._taken)
        line.items[item] = weight
        line.weight += weight
        if is_new:
            self._await_turn(caller, line)
        self._length += 1

    def ahead(self, caller: str, weight: float) -> float:
        """What has its turn before a further item of this weight, if callers take turns to the end."""
        own = self._lines.get(caller)
        until = weight + (own.weight if own else 0.0)
        return sum(min(line.weight, until) for name, line in self._lines.items() if name != caller) + until - weight

    def take(self, may: Callable[[T], bool] = _each) -> T | None:
        """The item whose turn it is, of those next items of callers that `may` be taken; None if there is none."""
        passed: list[tuple[float, float, int, str]] = []
        item: T | None = None
        while self._turns and item is None:
            turn = heappop(self._turns)
            line = self._lines[turn[3]]
            if not line.items:
                del self._lines[turn[3]]
            elif may(next(iter(line.items))):
                item = self._next_of(turn[3], line)
            else:
                passed.append(turn)
        for turn in passed:
            heappush(self._turns, turn)
        return item

    def withdraw(self, caller: str, item: T) -> bool:
        """Take an item back out. Returns False if it does not wait any more."""
        line = self._lines.get(caller)
        weight = line.items.pop(item, None) if line is not None else None
        if line is None or weight is None:
            return False
        line.weight -= weight
        self._shrink()
        return True

    def _next_of(self, caller: str, line: _Line[T]) -> T:
        item, weight = line.items.popitem(last=False)
        line.weight -= weight
        self._taken = max(self._taken, line.turn)
        line.turn += weight
        self._await_turn(caller, line)
        self._shrink()
        return item

    def _await_turn(self, caller: str, line: _Line[T]) -> None:
        heappush(self._turns, (line.turn, line.lightness, next(self._numbers), caller))

    def _shrink(self) -> None:
        """One item fewer. Nobody is owed anything once nothing waits."""
        self._length -= 1
        if not self._length:
            self._lines.clear()
            self._turns.clear()

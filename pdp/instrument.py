"""Numbers that a process counts while it works: cheap to count, and read by another thread.

1. One thread counts: the event loop's. To read a number is one step of Python, so nothing is locked.
2. Each label has a closed set of values, and any other value counts as `OTHER`. So no request makes a new series.
3. Who counts often keeps the series that `at` gave, and counts on it.

    CALLS = Counter("pdp_calls", "Calls by their code.", code=("OK", "INTERNAL"))
    CALLS.at("OK").add()
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from functools import wraps
from itertools import product
from types import MappingProxyType
from typing import Generic, ParamSpec, TypeVar

OTHER = "other"
"""Stands for every value of a label that is not in its set."""


P = ParamSpec("P")
R = TypeVar("R")


class Joined(StrEnum):
    """What the level of several processes is together."""

    SUM = "sum"
    LARGEST = "max"
    SMALLEST = "min"


class Count:
    """A number that only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0

    def add(self, amount: float = 1) -> None:
        """Count so many more."""
        self.value += amount


class Level:
    """A number that goes up and down."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0

    def set(self, value: float) -> None:
        """It is this now."""
        self.value = value

    def add(self, amount: float) -> None:
        """It is so much more now, or less."""
        self.value += amount


class Spread:
    """How often a value was in each bucket. A bucket has what is not above its bound, the last one the rest."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds, self.counts, self.sum = tuple(bounds), [0] * (len(bounds) + 1), 0.0

    def observe(self, value: float) -> None:
        """One more."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def took(self) -> "Took":
        """A block whose seconds are one value: `with spread.took():`."""
        return Took(self)

    def timed(self, function: Callable[P, R]) -> Callable[P, R]:
        """The same function, whose seconds are one value each time."""

        @wraps(function)
        def timed(*arguments: P.args, **named: P.kwargs) -> R:
            with Took(self):
                return function(*arguments, **named)

        return timed


class Took:
    """Observes the seconds of a block, also of one that fails."""

    __slots__ = ("_began", "_spread")

    def __init__(self, spread: Spread) -> None:
        self._spread = spread

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._spread.observe(time.perf_counter() - self._began)


T = TypeVar("T", Count, Level, Spread)


class Family(Generic[T]):
    """A metric: its series, by the values of its labels."""

    joined = Joined.SUM

    def __init__(self, name: str, text: str, labels: Mapping[str, Collection[str]]) -> None:
        self.name, self.text, self.labels = name, text, tuple(labels)
        self._values = [dict.fromkeys(values) for values in labels.values()]
        self._series: dict[tuple[str, ...], T] = {}
        if not isinstance(self, Gauge):
            for combination in product(*self._values):  # a rate begins at 0
                self.at(*combination)

    @property
    def series(self) -> Mapping[tuple[str, ...], T]:
        """All that there are by now."""
        return MappingProxyType(self._series.copy())

    def at(self, *values: str) -> T:
        """The series of these values, one for each label, in their order."""
        found = self._series.get(values)
        return self._closed(values) if found is None else found

    def allow(self, label: str, values: Collection[str]) -> None:
        """Put values into the set of a label, at a start."""
        self._values[self.labels.index(label)].update(dict.fromkeys(values))

    def admit(self, value: str, most: int) -> T:
        """The series of a value of the one label, which is taken into its set as long as that has fewer than `most`."""
        [known] = self._values
        if value not in known and len(known) < most:
            known[value] = None
        return self.at(value)

    def only(self, *values: str) -> T:
        """The series of these values, which are the only ones from now on. They need not be in the sets."""
        self._series = {values: self._series.get(values) or self._new()}
        return self._series[values]

    def _closed(self, values: tuple[str, ...]) -> T:
        known = tuple(value if value in allowed else OTHER for value, allowed in zip(values, self._values, strict=True))
        return self._series.setdefault(known, self._new())

    def _new(self) -> T:
        raise NotImplementedError  # each kind of family makes its own


class Counter(Family[Count]):
    """Counts. Its name ends in `_total` where it is shown."""

    def __init__(self, name: str, text: str, /, **labels: Collection[str]) -> None:
        super().__init__(name, text, labels)

    def _new(self) -> Count:
        return Count()


class Gauge(Family[Level]):
    """Levels. It has no series before one is asked for. `joined` says what those of several processes are together."""

    def __init__(self, name: str, text: str, joined: Joined, /, **labels: Collection[str]) -> None:
        self.joined = joined
        super().__init__(name, text, labels)

    def _new(self) -> Level:
        return Level()


class Histogram(Family[Spread]):
    """Spreads over buckets with these upper bounds."""

    def __init__(self, name: str, text: str, bounds: Sequence[float], /, **labels: Collection[str]) -> None:
        self._bounds = tuple(bounds)
        super().__init__(name, text, labels)

    def _new(self) -> Spread:
        return Spread(self._bounds)

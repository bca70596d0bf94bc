"""What parts tell the driver at their end, by an accumulator of Spark's.

Spark adds what a task told once it succeeded, and of no other. A part that several actions ran ended several times.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

Attempts = dict[tuple[int, int], int]
"""The rows of each attempt that ended, by part and attempt."""


@dataclass(slots=True)
class Tally:
    """Attempts that ended, and the values that they masked, by column; a server counts the values itself."""

    attempts: Attempts = field(default_factory=dict)
    values: Mapping[str, int] = field(default_factory=dict)

    def added(self, other: "Tally") -> "Tally":
        """Both together. What one task told several times, after `coalesce` for example, is one attempt."""
        attempts = dict(self.attempts)
        for place, rows in other.attempts.items():
            attempts[place] = attempts.get(place, 0) + rows
        return Tally(attempts, Counter(self.values) + Counter(other.values))

    def without(self, parts: Collection[int]) -> "Tally":
        """The same without the last attempt of these parts."""
        last = {(part, self.ended[part][0]) for part in parts}
        return Tally({place: rows for place, rows in self.attempts.items() if place not in last}, self.values)

    @property
    def ended(self) -> dict[int, tuple[int, int]]:
        """The last attempt of each part, with its rows."""
        return {part: (attempt, rows) for (part, attempt), rows in sorted(self.attempts.items())}

    @property
    def thrown_away(self) -> tuple[int, int]:
        """How many other attempts ended, and their rows."""
        ended = self.ended
        return len(self.attempts) - len(ended), sum(self.attempts.values()) - sum(rows for _, rows in ended.values())


class Tallying:
    """How Spark adds tallies: an `AccumulatorParam`."""

    def zero(self, value: Tally) -> Tally:
        """Nothing has ended."""
        del value
        return Tally()

    def addInPlace(self, value1: Tally, value2: Tally) -> Tally:  # noqa: N802  # Spark's name
        """Both together."""
        return value1.added(value2)

"""The compact form in which the record of a mask job has up to 100,000 parts. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any


def compact(attempts: Iterable[tuple[int, int, int]]) -> dict[str, Any]:
    """Parts, attempts and rows, by part. Parts are ranges with both ends; each attempt is told from the last."""
    ordered = sorted(attempts)
    numbers = [0, *(attempt for _, attempt, _ in ordered)]
    return {
        "part": _ranges([part for part, _, _ in ordered]),
        "attempt_step": [after - before for before, after in pairwise(numbers)],
        "rows": [rows for _, _, rows in ordered],
    }


def expanded(held: Mapping[str, Any]) -> list[tuple[int, int, int]]:
    """The attempts that `compact` wrote."""
    parts = [part for first, last in held["part"] for part in range(first, last + 1)]
    found, attempt = [], 0
    for part, step, rows in zip(parts, held["attempt_step"], held["rows"], strict=True):
        attempt += step
        found.append((part, attempt, rows))
    return found


def _ranges(numbers: Sequence[int]) -> list[list[int]]:
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found

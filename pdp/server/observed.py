"""One line of `pdp doctor`: what was looked at, how it is, and what to do."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Level(StrEnum):
    """How something is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and may not for long, or not under load."""
    WRONG = "wrong"
    """A server does not start so, or does not do what it is for."""


@dataclass(frozen=True, slots=True)
class Observed:
    """`what` was looked at, and the sentence that says what was found. Where it is not ok, it says what to do."""

    what: str
    level: Level
    sentence: str


Observing: TypeAlias = AsyncIterator[Observed]
"""Lines, as soon as each is known."""


def fine(what: str, sentence: str) -> Observed:
    """Nothing is wrong with it."""
    return Observed(what, Level.OK, sentence)


def doubtful(what: str, sentence: str) -> Observed:
    """It works for now."""
    return Observed(what, Level.WARNING, sentence)


def wrong(what: str, sentence: str) -> Observed:
    """It has to be mended."""
    return Observed(what, Level.WRONG, sentence)


def each(what: str, faults: Iterable[str], otherwise: str) -> list[Observed]:
    """A line for each fault, or else the one that says that there are none."""
    return [wrong(what, sentence) for sentence in faults] or [fine(what, otherwise)]

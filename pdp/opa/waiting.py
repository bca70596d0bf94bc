"""What calls ask, and what of it is not answered yet."""

import asyncio
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pdp.opa.quarantine import Suspect
from pdp.opa.queries import About
from pdp.opa.sharing import OFF
from pdp.traces import Span

BYTES_OF_EACH = 512
"""Bytes that a question weighs at least: OPA needs that much time for the smallest."""

UNANSWERED = object()
"""Stands for an answer that has not come."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask. What `suspect` names goes into quarantine if OPA cannot answer it.

    `lineage` is what is known of the data: a query holds it once for all questions that share it.
    """

    input: bytes
    suspect: Suspect
    explain: bool = False
    about: About = About.DECISIONS
    lineage: bytes = OFF

    @property
    def size(self) -> int:
        """The bytes that it counts for, but for what is known of its data."""
        return max(len(self.input), BYTES_OF_EACH)


def size(questions: Iterable[Question]) -> int:
    """The bytes that questions of one query count for, each view once."""
    asked = [*questions]
    views = {question.lineage for question in asked}
    return sum(question.size for question in asked) + sum(map(len, views))


@dataclass(slots=True, eq=False)
class Group:
    """The questions of one call. `answers` fills up, with an error in the place of a question that has no answer."""

    questions: Sequence[Question]
    done: asyncio.Future[None]
    is_small: bool = True
    span: Span | None = None
    answers: list[Any] = field(init=False)
    missing: int = field(init=False)

    def __post_init__(self) -> None:
        self.answers = [UNANSWERED] * len(self.questions)
        self.missing = len(self.questions)

    def settle(self, index: int, answer: Any) -> None:
        """The answer of one question; the call goes on when it has all."""
        self.answers[index] = answer
        self.missing -= 1
        if not self.missing and not self.done.done():
            self.done.set_result(None)


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A question of a group, by its index."""

    group: Group
    index: int

    @property
    def question(self) -> Question:
        """The question itself."""
        return self.group.questions[self.index]

    @property
    def is_waited_for(self) -> bool:
        """Whether its call still waits."""
        return not self.group.done.done()

    def settle(self, answer: Any) -> None:
        """Its answer."""
        self.group.settle(self.index, answer)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Items of one call that are asked together, and the seconds of OPA's time that they are taken to need."""

    items: Sequence[Item]
    seconds: float

    @property
    def size(self) -> int:
        """The bytes that it counts for."""
        return size(item.question for item in self.items)

    @property
    def is_of_small_call(self) -> bool:
        """Whether all its call asks is a small part of a query."""
        return self.items[0].group.is_small


def by(items: Sequence[Item], key: Callable[[Item], Hashable]) -> list[list[Item]]:
    """The items in parts that have one key each, in their order."""
    parts: dict[Hashable, list[Item]] = {}
    for item in items:
        parts.setdefault(key(item), []).append(item)
    return list(parts.values())

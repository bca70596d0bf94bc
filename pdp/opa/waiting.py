"""What calls ask, and what of it is not answered yet."""

import asyncio
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pdp import metrics
from pdp.frozen import frozen
from pdp.opa.quarantine import Suspect
from pdp.opa.queries import About
from pdp.opa.sharing import OFF
from pdp.traces import Span

BYTES_OF_EACH = 512
"""Bytes that a question weighs at least: OPA needs that much time for the smallest."""
PIECE, PIECE_SECONDS = 8, 0.0025
"""Questions of one call that go into a query together, and estimated seconds at which no further one joins them. A turn
in the queue costs as much for eight as for one, and a query takes `batching.SET_SECONDS`, the time of eight pieces."""

UNANSWERED = object()
"""Stands for an answer that has not come."""


@frozen
class Question:
    """One thing to ask. What `suspect` names goes into quarantine if OPA cannot answer it.

    `lineage` is what is known of the data: a query holds it once for all questions that share it.
    """

    input: bytes
    suspect: Suspect
    explain: bool = False
    about: About = About.DECISIONS
    lineage: bytes = OFF


@dataclass(slots=True, eq=False)
class Group:
    """The questions of one call. `answers` fills up, with an error in the place of a question that has no answer.

    `came` is when it came, and 0 once the first of its questions is asked.
    """

    questions: Sequence[Question]
    done: asyncio.Future[None]
    is_small: bool = True
    span: Span | None = None
    came: float = field(default_factory=time.perf_counter)
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


@dataclass(slots=True, eq=False)
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


@dataclass(slots=True, eq=False)
class Piece:
    """Items of one call that are asked together: the bytes that they count for, and the seconds that OPA may need."""

    items: Sequence[Item]
    size: int
    seconds: float

    @property
    def is_of_small_call(self) -> bool:
        """Whether all its call asks is a small part of a query."""
        return self.items[0].group.is_small


def size(questions: Iterable[Question]) -> int:
    """The bytes that questions of one query count for, each view once."""
    views, total = set[bytes](), 0
    for question in questions:
        total += max(len(question.input), BYTES_OF_EACH)
        views.add(question.lineage)
    return total + sum(map(len, views))


def pieces(items: Sequence[Item], seconds_of_byte: float) -> Iterator[Piece]:
    """The items of a call, which are about the same, in pieces, each of which goes into one query."""
    piece, views, total = list[Item](), set[bytes](), 0
    for item in items:
        question = item.question
        total += max(len(question.input), BYTES_OF_EACH) + (0 if question.lineage in views else len(question.lineage))
        views.add(question.lineage)
        piece.append(item)
        if len(piece) == PIECE or total * seconds_of_byte >= PIECE_SECONDS:
            yield Piece(piece, total, total * seconds_of_byte)
            piece, views, total = [], set(), 0
    if piece:
        yield Piece(piece, total, total * seconds_of_byte)


def by(items: Sequence[Item], key: Callable[[Item], Hashable]) -> list[list[Item]]:
    """The items in parts that have one key each, in their order."""
    parts: dict[Hashable, list[Item]] = {}
    for item in items:
        parts.setdefault(key(item), []).append(item)
    return list(parts.values())


def begun(items: Sequence[Item]) -> None:
    """These items are asked now: their calls have waited, unless others of theirs went before."""
    now = time.perf_counter()
    for item in items:
        group = item.group
        if group.came:
            metrics.WAIT.observe(now - group.came)
            group.came = 0.0

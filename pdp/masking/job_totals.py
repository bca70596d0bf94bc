"""What a mask job sent, all streams together: sums, and the compact form in which its record has its parts. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pdp.bad_fields import MAX_NAMED
from pdp.errors import InvalidRequest
from pdp.mask_job import Streamed

_SPOILT = ("broken", "changed")
MAX_LISTED = 10_000
"""Attempts that do not count and that a record lists one by one; of more it has the sums alone."""


@dataclass(slots=True)
class Attempt:
    """The streams of one attempt of a part. Their numbers are without a gap, and it has ended where the last one has.

    1. A stream that broke before it sent anything counts for nothing, such as one that a server refused as it stopped.
       The attempt goes on in the next piece.
    2. So does one that is open although the next piece came: its server died. Nobody knows what it sent, so `unknown`
       counts it, but the client that began the next piece has nothing of it.
    3. One that broke later, or that no server wrote, spoils its attempt.
    """

    part: int
    attempt: int
    pieces: int = 0
    rows: int = 0
    state: str = ""
    unknown: int = 0

    def add(self, streamed: Streamed, *, is_sound: bool) -> None:
        """Take its next stream."""
        state = streamed.state if is_sound else "changed"
        if streamed.place.piece != self.pieces:
            state = "changed" if state == "changed" else "broken"
        elif state == "broken" and not streamed.rows:
            state = self.state
        self.state = self.state if self.state in _SPOILT else state
        self.unknown += state == "open"
        self.pieces += 1
        self.rows += streamed.rows if is_sound else 0


@dataclass(slots=True)
class Totals:
    """All attempts of a job, by part and attempt, and its values by column. `streams` says how many there were."""

    columns: Sequence[str]
    attempts: list[Attempt] = field(default_factory=list)
    values: Counter[str] = field(default_factory=Counter)
    streams: int = 0

    def add(self, streamed: Streamed, *, is_sound: bool = True) -> None:
        """Take the next stream."""
        place = streamed.place
        last = self.attempts[-1] if self.attempts else None
        if last is None or (last.part, last.attempt) != (place.part, place.attempt):
            last = Attempt(place.part, place.attempt)
            self.attempts.append(last)
        last.add(streamed, is_sound=is_sound)
        self.streams += 1
        if is_sound:
            self.values.update(dict(zip(self.columns, streamed.values, strict=False)))

    @property
    def rows(self) -> int:
        """All rows that left, as far as it is known."""
        return sum(one.rows for one in self.attempts)

    def counting(self, said: Mapping[int, tuple[int, int]]) -> list[Attempt]:
        """The attempts that count: of each part the one that its caller said."""
        return [one for one in self.attempts if one.part in said and said[one.part][0] == one.attempt]

    def require(self, said: Mapping[int, tuple[int, int]]) -> None:
        """Raise `InvalidRequest` where a caller says that a part ended that was not streamed so."""
        streamed = {(one.part, one.attempt): one for one in self.attempts}
        bad: list[tuple[str, str]] = []
        for index, (part, (attempt, rows)) in enumerate(said.items()):
            found = streamed.get((part, attempt))
            if found is None or found.state != "ended":
                what = (
                    "was not streamed" if found is None else f"did not come to its end: it is {found.state or 'broken'}"
                )
                bad.append((f"parts[{index}]", f"part {part}, attempt {attempt}, {what}"))
            elif found.rows != rows:
                bad.append((f"parts[{index}].rows", f"part {part}, attempt {attempt}, had {found.rows} rows"))
        if bad:
            raise InvalidRequest.fields(bad[:MAX_NAMED])


def listed(others: Sequence[Attempt]) -> list[list[Any]]:
    """Attempts that do not count, one by one: part, attempt, pieces, rows, state."""
    return [[one.part, one.attempt, one.pieces, one.rows, one.state or "broken"] for one in others[:MAX_LISTED]]

"""One job uses a decision to mask: its records name one use, one beginning at most and one end at most.

The records of an unmasking in chunks are one use, too, however many streams it took: those of one claim.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pdp.audit.chunk_order import ChunkOrder

BEGINNING = "started"
"""The phase of a stream's first record. Every other phase is an end: `complete`, `failed` or `broken`."""
LATE = "late"
"""The phase of what a stream of a mask job sent that is not in the record of the job, because it had not ended by then.
There may be many."""


@dataclass(slots=True)
class DecisionUse:
    """What the records of masking and unmasking say of one decision."""

    _claim: str = ""
    _first: str = ""
    _is_in_chunks: bool = False
    _ids: dict[str, str] = field(default_factory=dict)

    def add(self, record_id: str, details: dict[str, Any]) -> str:
        """Take the details of a record; the id of an earlier record that is another use of the decision, or empty.

        The same record again is not a second use. Records from before there were claims lack `use`: then phases tell.
        """
        claim = str(details.get("use", ""))
        if not self._first:
            self._claim, self._first = claim, record_id
        is_same = claim == self._claim
        if details.get("stream"):
            self._is_in_chunks = True
            return "" if is_same and not self._ids else self._first
        if self._is_in_chunks:
            return self._first
        if details.get("phase") == LATE:
            return "" if is_same else self._first
        half = "beginning" if details.get("phase") == BEGINNING else "end"
        earlier = self._ids.setdefault(half, record_id)
        if earlier != record_id:
            return earlier
        return "" if is_same else self._first


@dataclass(slots=True)
class ClaimUses:
    """What the records of masking and unmasking say of one claim, whichever decisions its streams were allowed by."""

    _order: ChunkOrder = field(default_factory=ChunkOrder)
    _in_chunks: str = ""
    _whole: str = ""
    _decision_id: str = ""

    def add(self, record_id: str, details: dict[str, Any]) -> None:
        """Take the details of a record."""
        if details.get("stream"):
            self._order.add(record_id, details)
            self._in_chunks = self._in_chunks or record_id
        elif not self._whole:
            self._whole, self._decision_id = record_id, str(details.get("decision_id", ""))

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """Once all records are known: a word for the fault, a record, and what is wrong."""
        if self._in_chunks and self._whole:
            what = f"another job used {self._decision_id} before, as {self._in_chunks} says"
            yield "masked-twice", self._whole, what
        record_id, what = self._order.fault()
        if record_id:
            yield "chunk-order", record_id, what

"""One job uses a decision to mask: its records name one use, one beginning at most and one end at most.

The records of an unmasking in chunks are one use, too, however many streams it took: those of one claim.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pdp.audit.chunk_order import ChunkOrder

BEGINNING = "started"
"""The phase of a stream's first record. Every other phase is an end: `complete`, `failed` or `broken`."""


@dataclass(slots=True)
class _Use:
    claim: str
    first: str
    ids: dict[str, str] = field(default_factory=dict)
    """The id of the record of the beginning and of the end."""


@dataclass(slots=True)
class MaskUses:
    """What the records of masking and unmasking say of each decision."""

    _by_decision: dict[str, _Use] = field(default_factory=dict)
    _in_chunks: dict[str, ChunkOrder] = field(default_factory=dict)

    def add(self, record_id: str, details: dict[str, Any]) -> str:
        """Take the details of a record; the id of an earlier record that is another use of the decision, or empty.

        The same record again is not a second use. Records from before there were claims lack `use`: then phases tell.
        """
        claim, decision_id = str(details.get("use", "")), str(details.get("decision_id", ""))
        use = self._by_decision.setdefault(decision_id, _Use(claim, record_id))
        if details.get("stream"):
            self._in_chunks.setdefault(claim, ChunkOrder()).add(record_id, details)
            return "" if use.claim == claim and not use.ids else use.first
        if claim in self._in_chunks:
            return use.first
        half = "beginning" if details.get("phase") == BEGINNING else "end"
        earlier = use.ids.setdefault(half, record_id)
        if earlier != record_id:
            return earlier
        return "" if use.claim == claim else use.first

    def faults(self) -> Iterator[tuple[str, str]]:
        """Once all records are known: a record of each claim whose chunks are out of order, and what is wrong."""
        for order in self._in_chunks.values():
            record_id, fault = order.fault()
            if record_id:
                yield record_id, fault

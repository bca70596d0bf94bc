"""One job uses a decision to mask: its records name one use, one beginning at most and one end at most."""

from dataclasses import dataclass, field
from typing import Any

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

    def add(self, record_id: str, details: dict[str, Any]) -> str:
        """Take the details of a record; the id of an earlier record that is another use of the decision, or empty.

        The same record again is not a second use. Records from before there were claims lack `use`: then phases tell.
        """
        claim, decision_id = str(details.get("use", "")), str(details.get("decision_id", ""))
        use = self._by_decision.setdefault(decision_id, _Use(claim, record_id))
        half = "beginning" if details.get("phase") == BEGINNING else "end"
        earlier = use.ids.setdefault(half, record_id)
        if earlier != record_id:
            return earlier
        return "" if use.claim == claim else use.first

"""A gap that a person accepted: batches that an anchor had seen and the log lost, as a record says it. Pure.

1. The record holds both anchors: all that was seen before, and all that the log had when the gap was accepted.
2. The second anchor counts like one that was kept: what is lost later is not excused.
3. Of an older anchor it excuses only what the record names as lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from pdp.audit.record import Entry, Kind, entry
from pdp.caller import Caller
from pdp.v1.audit_pb2 import SeenBatch

Places = Mapping[str, tuple[int, str]]
"""For each writer, in hex, the number and the head of its last batch."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What a record says: who accepted what, and both anchors. `lost` are the writers that have lost batches."""

    record_id: str
    at: str
    by: str
    reason: str
    old: Places
    new: Places
    lost: Sequence[str]

    def excuses(self, writer: str, seq: int, head: str) -> bool:
        """Whether an anchor's last batch of a writer is one that this gap has lost."""
        if writer not in self.lost:
            return False
        until, at_end = self.old[writer]
        kept, _ = self.new.get(writer, (-1, ""))
        return kept < seq < until or (seq, head) == (until, at_end)

    @property
    def sentences(self) -> list[str]:
        """What is gone, one sentence a writer."""
        return [self._sentence(writer) for writer in self.lost]

    def _sentence(self, writer: str) -> str:
        until, _ = self.old[writer]
        kept, _ = self.new.get(writer, (-1, ""))
        what = f"batches up to {until} were seen, and {f'{kept} is the last now' if kept >= 0 else 'all are gone'}"
        return f"writer {writer}: {what}"


def accepted(
    caller: Caller, old: Sequence[SeenBatch], new: Sequence[SeenBatch], lost: Sequence[SeenBatch], reason: str
) -> Entry:
    """The record of an accepted gap."""
    details = {
        "reason": reason,
        "old": _places(old),
        "new": _places(new),
        "lost": [seen.writer.hex() for seen in lost],
    }
    return entry(Kind.GAP_ACCEPTED, b'{"caller":%b,"details":%b}' % (caller.json, orjson.dumps(details)))


def read(members: Mapping[str, Any], payload: bytes) -> Gap:
    """The gap that a record is about. Raises `ValueError` for a record that does not name one."""
    try:
        held = orjson.loads(payload)
        details, by = held["details"], str(held["caller"]["identity"])
        old, new = _read_places(details["old"]), _read_places(details["new"])
        lost = [writer for writer in map(str, details["lost"]) if old[writer]]
        return Gap(str(members["id"]), str(members.get("time", "")), by, str(details["reason"]), old, new, lost)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError("it records a gap but names none") from error


def _places(anchor: Sequence[SeenBatch]) -> dict[str, list[Any]]:
    return {seen.writer.hex(): [seen.seq, seen.head.hex()] for seen in anchor}


def _read_places(held: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    return {str(writer): (int(seq), str(head)) for writer, (seq, head) in held.items()}

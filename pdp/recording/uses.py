"""Finds the record of the decision that used an approval, in its outbox or in the log."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

import orjson

from pdp import identifier
from pdp.approval import Approval, Use
from pdp.audit.record import Entry, commitment
from pdp.decision import Effect, Obligation, Reason, Verdict
from pdp.store.batches import Batches


class Uses:
    """The recorded uses. A record counts only if it is, byte for byte, the one that the use was signed with."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    async def recorded(self, approval: Approval, use: Use) -> Entry | None:
        """The record of the use with its payload; None where one of them is gone or is not what was signed."""
        for posted in approval.outbox:
            if _is_of(posted.entry, use):
                entry: Entry = posted.entry
                return entry
        return next((entry for entry in await self._beside(use.decision_id) if _is_of(entry, use)), None)

    async def of_decision(self, decision_id: str) -> Entry | None:
        """The record of a decision with its payload; None where the log does not have it, or not yet."""
        for entry in await self._beside(decision_id):
            if orjson.loads(entry.record).get("id") == entry.id and _has_payload(entry):
                return entry
        return None

    async def _beside(self, decision_id: str) -> list[Entry]:
        """The records of a decision's batch, each with its payload."""
        uuid = identifier.uuid_bytes(decision_id)
        batch = await self._batches.holding(uuid) if uuid else None
        if batch is None:
            return []
        held = zip(batch.records, batch.payloads, strict=False)
        return [Entry(identifier.record_id(decision_id), record, one.salt, one.payload) for record, one in held]


def _is_of(entry: Entry, use: Use) -> bool:
    fits = sha256(entry.record).hexdigest() == use.record_sha256
    return fits and _has_payload(entry)


def _has_payload(entry: Entry) -> bool:
    return commitment(entry.salt, entry.payload).encode() in entry.record


def recorded_verdict(entry: Entry) -> Verdict:
    """The verdict in the record of a decision, which this deployment wrote."""
    members, details = orjson.loads(entry.record), orjson.loads(entry.payload)["details"]
    fired = details.get("fired")
    return Verdict(
        Effect(members["effect"]),
        _recorded_reasons(details.get("reasons", [])),
        members["policy_revision"],
        tuple(Obligation(**obligation) for obligation in details.get("obligations", [])),
        fired=fired and {name: _recorded_reasons(reasons) for name, reasons in fired.items()},
    )


def _recorded_reasons(reasons: Sequence[Mapping[str, str]]) -> tuple[Reason, ...]:
    return tuple(Reason(**reason) for reason in reasons)

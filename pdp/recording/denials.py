"""Finds the evaluation that a caller names, in the log: what it would have been bound to by a token."""

from dataclasses import dataclass
from datetime import datetime

from pdp import identifier
from pdp.audit.record import Kind
from pdp.binding_token import SECONDS, Denial
from pdp.decision import Effect
from pdp.recording.payloads import found
from pdp.store.batches import Batches


@dataclass(frozen=True, slots=True)
class Recorded:
    """An evaluation of the log: what it binds, and what came out."""

    denial: Denial
    effect: Effect
    rules: tuple[str, ...]


class Denials:
    """The evaluations of the log."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    async def recorded(self, caller: str, evaluation_id: str) -> Recorded | None:
        """The evaluation with this id, if this caller asked for it and the log still has what it asked."""
        uuid = identifier.uuid_bytes(evaluation_id)
        batch = await self._batches.holding(uuid) if uuid else None
        read = found(batch, identifier.record_id(evaluation_id)) if batch else None
        if read is None:
            return None
        members, payload = read
        if members["kind"] != Kind.DECISION or payload.get("caller", {}).get("identity") != caller:
            return None
        denial = Denial(
            evaluation_id=evaluation_id,
            digest=payload["request_digest"],
            context_members=tuple(payload["request"]["context"]),
            policy_revision=members["policy_revision"],
            ends=int(datetime.fromisoformat(members["time"]).timestamp()) + SECONDS,
        )
        return Recorded(denial, Effect(members["effect"]), tuple(members.get("rules", ())))

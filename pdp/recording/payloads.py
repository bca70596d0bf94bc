"""Reads the payload of a record in the log."""

from typing import Any

import orjson

from pdp.store.batches import Batches
from pdp.v1.audit_pb2 import Batch


class Payloads:
    """The payloads of the log."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    async def of(self, uuid: bytes, record_id: str) -> dict[str, Any]:
        """The payload of the record with this id; empty where the log has none, or where it was erased."""
        batch = await self._batches.holding(uuid)
        held = found(batch, record_id) if batch else None
        return held[1] if held else {}


def found(batch: Batch, record_id: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The members and the payload of a record in a batch; the payload is empty where it was erased."""
    for record, held in zip(batch.records, batch.payloads, strict=True):
        members = orjson.loads(record)
        if members["id"] == record_id:
            return members, orjson.loads(held.payload or b"{}")
    return None

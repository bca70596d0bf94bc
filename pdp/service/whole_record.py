"""One record of the log, for auditors: what it says, where it stands, and whether that is as it was signed."""

import asyncio
from dataclasses import dataclass

from joserfc.jwk import OKPKey

from pdp import identifier, keys
from pdp.audit.one_batch import require_intact
from pdp.audit.verify import Tampered, Verifier
from pdp.errors import NotFound
from pdp.service.record import StoredRecord, stored_record
from pdp.store.batches import Batches
from pdp.v1.audit_pb2 import Batch


@dataclass(frozen=True, slots=True)
class CheckedRecord:
    """A record where it stands, and what is wrong with its batch or the batches beside it; `fault` is else empty.

    `kid` names the audit key. `is_newest` says that no batch follows its own, so none vouches for it yet.
    """

    stored: StoredRecord
    kid: str
    fault: str
    is_newest: bool


class WholeRecords:
    """Reads records from the log itself, and verifies them where they stand. `key` is the audit key."""

    def __init__(self, batches: Batches, key: OKPKey, realm: str) -> None:
        self._batches, self._realm = batches, realm
        self._kid, self._public = key.thumbprint(), keys.signing(key).public_key()

    async def stored(self, record_id: str) -> StoredRecord:
        """The record with this id, or of the decision with this id. Raises `NotFound`."""
        uuid = identifier.uuid_bytes(record_id)
        batch = await self._batches.holding(uuid) if uuid else None
        found = stored_record(batch, identifier.record_id(record_id)) if batch else None
        if found is None:
            raise NotFound("RECORD_NOT_FOUND", "the log has no record with this id")
        return found

    async def checked(self, record_id: str) -> CheckedRecord:
        """The same, verified now. Raises `NotFound`."""
        found = await self.stored(record_id)
        batch = found.batch
        before = await self._batches.at(batch.writer, batch.seq - 1)
        after = await self._batches.after(batch.writer, batch.seq, 1)
        fault = await asyncio.to_thread(self._fault, batch, before, next(iter(after), None))
        return CheckedRecord(found, self._kid, fault, is_newest=not after)

    def _fault(self, batch: Batch, before: Batch | None, after: Batch | None) -> str:
        try:
            require_intact(Verifier(self._realm, self._public, self._kid), batch, before, after)
        except Tampered as flaw:
            return str(flaw)
        return ""

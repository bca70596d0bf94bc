"""Copies durable batches into the projection that lists read. It may be a second behind, and it loses nothing.

A process projects its own batches as they come. The batches of a dead or closed writer are projected by the sweep of
any process.
"""

from collections import deque

from pdp.store.batches import Batches
from pdp.store.records import Records
from pdp.store.writers import Writers
from pdp.v1.audit_pb2 import Batch

MAX_WAITING = 4096
"""Batches that are kept for the projection. It bounds the memory; further batches are read again from the log."""
ENOUGH = 256
"""Records that are projected at one time. It bounds how long their encoding holds the event loop."""
_READ_AT_ONCE = 50
"""Batches that are read at one time from the log. It bounds the memory."""


class Projection:
    """The batches that are durable and not yet in the projection."""

    def __init__(self, batches: Batches, records: Records, writers: Writers) -> None:
        self._batches, self._records, self._writers = batches, records, writers
        self._waiting: deque[Batch] = deque()
        self._missed: dict[bytes, int] = {}

    def take(self, batch: Batch) -> None:
        """Take a batch of this process that became durable."""
        if self._missed or len(self._waiting) >= MAX_WAITING:
            self._missed.setdefault(batch.writer, batch.seq - 1)
        else:
            self._waiting.append(batch)

    async def catch_up(self) -> None:
        """Project the batches that were taken. Raises `StoreUnavailable` and keeps the rest.

        The progress is stored at the end, so that it never names a batch that is not projected.
        """
        newest: dict[bytes, int] = {}
        while self._waiting:
            some = self._some()
            await self._project(some)
            newest |= {batch.writer: batch.seq for batch in some}
            for _ in some:
                self._waiting.popleft()
        while self._missed:
            writer, projected = self._missed.popitem()
            try:
                newest[writer] = await self.complete(writer, projected)
            except BaseException:
                self._missed[writer] = projected
                raise
        for writer, seq in newest.items():
            await self._writers.projected(writer, seq)

    async def complete(self, writer: bytes, projected: int) -> int:
        """Project all batches of a writer after `projected`, and return the number of the last one."""
        while some := await self._batches.after(writer, projected, _READ_AT_ONCE):
            await self._project(some)
            projected = some[-1].seq
        return projected

    def _some(self) -> list[Batch]:
        some: list[Batch] = []
        records = 0
        for batch in self._waiting:
            if some and records + len(batch.records) > ENOUGH:
                break
            some.append(batch)
            records += len(batch.records)
        return some

    async def _project(self, some: list[Batch]) -> None:
        await self._records.project([record for batch in some for record in batch.records])

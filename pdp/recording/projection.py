"""Follows the durable batches into the projection that lists read; may lag a second, loses nothing.

A process projects its own batches as they come; what a dead or closed writer left behind, any process's sweep projects.
"""

from collections import deque

from pdp.store.batches import Batches
from pdp.store.records import Records
from pdp.store.writers import Writers
from pdp.v1.audit_pb2 import Batch

MAX_WAITING = 4096
"""Batches kept for projection; what comes beyond is read again from the log."""
ENOUGH = 256
"""Records that are projected at once: encoding them holds the event loop."""
_READ_AT_ONCE = 50


class Projection:
    """What is durable and not yet listed."""

    def __init__(self, batches: Batches, records: Records, writers: Writers) -> None:
        self._batches, self._records, self._writers = batches, records, writers
        self._waiting: deque[Batch] = deque()
        self._missed: dict[bytes, int] = {}

    def take(self, batch: Batch) -> None:
        """A batch of this process became durable."""
        if self._missed or len(self._waiting) >= MAX_WAITING:
            self._missed.setdefault(batch.writer, batch.seq - 1)
        else:
            self._waiting.append(batch)

    async def catch_up(self) -> None:
        """Project what was taken. Raises `StoreUnavailable` and keeps the rest.

        How far it got is stored at the end, so that it never names more than is there.
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
        """Project what the log has of a writer behind `projected`; up to where that was."""
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

"""Copies durable batches into the projection that lists read. It may be a second behind, and it loses nothing.

A process projects its own batches as they come. The batches of a dead or closed writer are projected by the sweep of
any process.
"""

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing

from pdp.store.batches import Batches
from pdp.store.records import Records
from pdp.store.writers import Writers
from pdp.v1.audit_pb2 import Batch

MAX_WAITING = 4096
"""Batches that are kept for the projection. It bounds the memory; further batches are read again from the log."""
ENOUGH = 256
"""Records that are projected at one time. It bounds how long their encoding holds the event loop."""
STEPS = 100
"""Steps of one writer's backlog in one sweep; then it is the next writer's turn."""
_READ_AT_ONCE = 16
"""Batches of one step, which are read from the log at one time. It bounds the memory, and what a crash loses."""


class Projection:
    """The batches that are durable and not yet in the projection."""

    def __init__(self, batches: Batches, records: Records, writers: Writers) -> None:
        self._batches, self._records, self._writers = batches, records, writers
        self._waiting: deque[Batch] = deque()
        self._missed: dict[bytes, int] = {}
        self._newest: dict[bytes, int] = {}

    def take(self, batch: Batch) -> None:
        """Take a batch of this process that became durable."""
        if self._missed or len(self._waiting) >= MAX_WAITING:
            self._missed.setdefault(batch.writer, batch.seq - 1)
        else:
            self._waiting.append(batch)

    async def catch_up(self) -> None:
        """Project the batches that were taken. Raises `StoreUnavailable` and keeps the rest.

        The progress of taken batches is stored at the end, so that it never names a batch that is not projected.
        """
        while self._waiting:
            some = self._some()
            await self._project(some)
            self._newest |= {batch.writer: batch.seq for batch in some}
            for _ in some:
                self._waiting.popleft()
        while self._missed:
            await self._catch_up_missed(*self._missed.popitem())
        while self._newest:
            writer, seq = next(iter(self._newest.items()))
            await self._writers.projected(writer, seq)
            del self._newest[writer]

    async def move_indexes(self) -> None:
        """Give the projection of an older version the index that lists read. Raises `StoreUnavailable`."""
        await self._records.move_indexes()

    async def complete(self, writer: bytes, projected: int) -> bool:
        """Project the writer's batches after `projected`, `STEPS` steps of them. Returns whether none is left.

        How far it has come is stored with each step, so that the next sweep of any process goes on there.
        """
        steps = 0
        async with aclosing(self._steps(writer, projected)) as reached:
            async for _ in reached:
                steps += 1
                if steps == STEPS:
                    return False
        return True

    async def _catch_up_missed(self, writer: bytes, projected: int) -> None:
        try:
            async with aclosing(self._steps(writer, projected)) as reached:
                async for last in reached:
                    projected = last
        except BaseException:
            self._missed[writer] = projected
            raise

    async def _steps(self, writer: bytes, projected: int) -> AsyncGenerator[int]:
        """Project a writer's batches after `projected`; the last one of each step, once it is stored."""
        while some := await self._batches.after(writer, projected, _READ_AT_ONCE):
            await self._project(some)
            last = max(batch.seq for batch in some)
            if last <= projected:  # what somebody planted has no place of its own
                return
            projected = last
            await self._writers.projected(writer, projected)
            yield projected

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
        records = [record for batch in some for record in batch.records]
        for at in range(0, len(records), ENOUGH):
            await self._records.project(records[at : at + ENOUGH])

"""Makes records durable: it commits them in groups, as this process's chain of batches.

1. Inserts are paced, so that batches form: an insert costs the same for any size (1,350 µs for a record alone, 23 µs
   for each of 64). A caller that is alone never waits.
2. While it is unknown whether a batch is stored, the same document is sent again, and no other insert starts.
3. Callers take turns by the bytes of their records. What a caller that gave up has appended is written all the same.
4. A record that came from an outbox is in the log once: what another process has written of a batch is left out of it.
5. A writer that finds its place taken was closed by a sweep, which took it for dead. It continues as a new writer.
"""

import asyncio
import logging
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import orjson
from joserfc.jwk import OKPKey

from pdp import call_summary, crowd, deadline, keys, metrics, traces
from pdp.audit.batch import FIRST_PREV, MAX_BYTES, WRITER_BYTES, signed, within_limits
from pdp.audit.record import Entry, Kind, entry
from pdp.errors import Overloaded, StoreUnavailable
from pdp.fair import FairQueue
from pdp.store.batches import Batches, Posted, ids_of, uuid_of
from pdp.store.database import WAIT_SECONDS
from pdp.store.writers import Writers
from pdp.traces import Span
from pdp.v1.audit_pb2 import Batch

log = logging.getLogger(__name__)

MAX_QUEUED = 16384
"""Records that wait: twice what `pdp.admission` has room for, as a call that was cancelled leaves its own behind. Then
calls are refused as `Overloaded`, before OPA is asked."""
PACE_SECONDS = 0.020
"""Seconds from one insert to the next, if the crowd does not bring enough records before.

Measured: back-to-back inserts use most of a core. With the pace MongoDB's CPU fell from 103 to 39 µs a decision.
"""
MANY_PACE_SECONDS = 0.012
"""The same while the crowd is larger than `crowd.MANY`, however many records wait."""
ENOUGH = 256
"""Records that are always worth an insert, and the most of one: others' records wait meanwhile. Measured, an insert
costs 23 µs a record at 64 and 8 µs a record at 256."""
RESEND_SECONDS = 0.2
"""Seconds between two tries of the same insert."""
STUCK_SECONDS = 1.0
"""Seconds without a confirmation after which calls are refused at once, as they could not be recorded in time."""
START_SECONDS = 15.0
"""Seconds that a server's first record may take: where everything starts at once, MongoDB is slow for a while."""
FLUSH_SECONDS, FLUSH_LOOK_SECONDS = 3.0, 0.01
"""Seconds that what is queued may take when the server stops, and between two looks whether it is written."""
CLOSE_SECONDS = 3.0
"""Seconds that the last batch may take when the server stops."""

_AUDIT_ITEMS = metrics.BATCH_ITEMS.at("audit")


@dataclass(slots=True, eq=False)
class _Group:
    """Entries that one caller waits for together, until it drops them because its time is over.

    `posted` are the UUIDs of those that came from an outbox.
    """

    entries: Sequence[Entry]
    posted: frozenset[bytes]
    durable: asyncio.Future[None]
    span: Span | None = None
    is_dropped: bool = False

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.entries)


class Writer:
    """One chain of batches. Run `run` as a task, and call `append` from anywhere on the same loop."""

    def __init__(self, store: Batches, writers: Writers, key: OKPKey, realm: str) -> None:
        self._store, self._writers = store, writers
        self._key, self._realm = keys.signing(key), realm
        self._queue: FairQueue[_Group] = FairQueue()
        self._left_over: _Group | None = None
        self._queued = 0
        self._arrived = asyncio.Event()
        self._wanted = 1.0
        self._in_flight = 0
        self._crowd = 1.0
        self._unconfirmed = False
        self._last_insert = 0.0
        self._begin()

    def _begin(self) -> None:
        self.writer = os.urandom(WRITER_BYTES)
        self._seq, self._prev = 0, FIRST_PREV

    @contextmanager
    def admitted(self, records: int) -> Iterator[None]:
        """Count a call in flight that will append `records`, so that inserts are paced for the crowd.

        Raises `StoreUnavailable` or `Overloaded` if the call could not be recorded, before OPA is asked about it.
        """
        self._admit()
        self._in_flight += records
        try:
            yield
        finally:
            self._in_flight -= records

    def _admit(self) -> None:
        if self._unconfirmed and self._now() - self._last_insert > STUCK_SECONDS:
            raise StoreUnavailable("MongoDB has not confirmed for a while; nothing is decided until it does")
        if self._queued >= MAX_QUEUED:
            raise Overloaded("too many decisions wait for their record; try again with fewer at once")

    async def append(
        self,
        entries: Sequence[Entry],
        seconds: float = WAIT_SECONDS,
        *,
        caller: str = "",
        posted: Collection[str] = (),
    ) -> None:
        """Return when all entries are durable on a majority. Raises `StoreUnavailable` after at most `seconds`.

        Where the call had no time left for it, that is `OutOfTime`. Entries that were not sent by then are dropped; of
        those that were, nobody knows whether they became durable. Entries of a call that is cancelled meanwhile stay.
        Those whose ids are in `posted` came from an outbox, so that another process may write them, too: the log gets
        them once.
        """
        groups = [self._enqueue(caller, group, posted) for group in within_limits(entries, ENOUGH)]
        with deadline.spent_on(deadline.Stage.RECORD), metrics.AUDIT.took():
            try:
                end = self._now() + seconds
                for group in groups:
                    await deadline.settled(group.durable, end - self._now())
            except TimeoutError:
                for group in groups:
                    group.is_dropped = True
                late = StoreUnavailable("MongoDB did not confirm the record in time; nothing was allowed")
                raise deadline.missed(late) from None

    def _enqueue(self, caller: str, entries: Sequence[Entry], posted: Collection[str]) -> _Group:
        own = frozenset(uuid_of(entry.id) for entry in entries if entry.id in posted)
        group = _Group(entries, own, asyncio.get_running_loop().create_future(), call_summary.span())
        self._queue.put(caller, group, group.size)
        self._queued += len(entries)
        if self._queued >= self._wanted:
            self._arrived.set()
        return group

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._arrived.wait()
            await self._pace()
            groups = self._take()
            if groups:
                await self._commit(groups)

    @property
    def unconfirmed_seconds(self) -> float:
        """Seconds since the insert that MongoDB has not confirmed; 0 where there is none."""
        return self._now() - self._last_insert if self._unconfirmed else 0.0

    async def beat(self) -> None:
        """Store that this writer is alive."""
        await self._writers.beat(self.writer)

    async def close(self) -> None:
        """Write all that is queued and this writer's end. Raises `StoreUnavailable`; then a sweep closes the writer."""
        await self._flushed()
        self._admit()
        await self.append([entry(Kind.SERVER_STOPPED), entry(Kind.WRITER_CLOSED)], CLOSE_SECONDS)
        await self._writers.close(self.writer)

    async def _flushed(self) -> None:
        """Return when nothing waits, or after `FLUSH_SECONDS`. What calls that have gone left behind is written."""
        end = self._now() + FLUSH_SECONDS
        while (self._queued or self._unconfirmed) and self._now() < end:  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(FLUSH_LOOK_SECONDS)

    async def close_other(self, writer: bytes) -> bool:
        """Write a tombstone into the next place of another process's writer. Returns False if that writer is alive."""
        last = await self._store.last(writer)
        if last is not None and _is_end(last):
            return True
        seq, prev = (last.seq + 1, last.head) if last else (0, FIRST_PREV)
        tombstone = entry(Kind.WRITER_CLOSED)
        return await self._store.insert(
            signed(self._key, self._realm, [tombstone], writer=writer, seq=seq, prev=prev), ids_of([tombstone])
        )

    async def _pace(self) -> None:
        """Wait until a batch is worth an insert: after the pace, or with the share of the crowd, or with `ENOUGH`."""
        self._crowd = max(self._in_flight, self._crowd * crowd.DECAY, 1.0)
        self._wanted = min(crowd.worth(self._crowd), ENOUGH)
        if self._crowd > crowd.MANY and self._queued < ENOUGH:
            await asyncio.sleep(self._last_insert + MANY_PACE_SECONDS - self._now())
        wait = self._last_insert + PACE_SECONDS - self._now()
        if wait > 0 and self._queued < self._wanted:
            self._arrived.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._arrived.wait()
        self._wanted = 1.0

    def _take(self) -> list[_Group]:
        """The groups of the next batch, callers in turns. A group whose caller gave up is dropped."""
        groups: list[_Group] = []
        records = size = 0
        while (group := self._next_group()) is not None:
            group_size = group.size
            if groups and (records + len(group.entries) > ENOUGH or size + group_size > MAX_BYTES):
                self._left_over = group
                self._queued += len(group.entries)
                break
            groups.append(group)
            records += len(group.entries)
            size += group_size
        if self._queued:
            self._arrived.set()
        else:
            self._arrived.clear()
        return groups

    def _next_group(self) -> _Group | None:
        """The group whose turn it is, or None; dropped ones are passed over."""
        while (group := self._left_over or self._queue.take()) is not None:
            self._left_over = None
            self._queued -= len(group.entries)
            if not group.is_dropped:
                return group
        return None

    async def _commit(self, groups: Sequence[_Group]) -> None:
        entries = [entry for group in groups for entry in group.entries]
        self._last_insert, self._unconfirmed = self._now(), True
        with traces.shared(traces.COMMIT, (group.span for group in groups), len(entries)):
            batch = await self._durable(entries, frozenset().union(*(group.posted for group in groups)))
        self._unconfirmed = False
        if batch is not None:
            self._seq, self._prev = batch.seq + 1, batch.head
            _AUDIT_ITEMS.observe(len(batch.records))
            metrics.AUDIT_RECORDS.at().add(len(batch.records))
        for group in groups:
            if not group.durable.done():
                group.durable.set_result(None)

    async def _durable(self, entries: Sequence[Entry], posted: frozenset[bytes]) -> Batch | None:
        """Insert a batch of `entries` until it is known to be stored, as a new writer if its place is taken.

        What other processes have posted is left out; returns None where nothing remains. An id that another batch
        claims without its record does not keep the record out.

        A writer's heartbeat is stored before its first batch, so that a sweep finds every batch that it leaves.
        """
        batch = self._next(entries)
        while entries:
            try:
                if batch.seq == 0:
                    await self.beat()
                if await self._store.insert(batch, ids_of(entries), posted):
                    return batch
            except StoreUnavailable:
                await asyncio.sleep(RESEND_SECONDS)
            except Posted as others:
                entries = [entry for entry in entries if entry.record not in others.records]
                posted -= others.ids
                batch = self._next(entries)
            else:
                metrics.WRITER_CLOSED.at().add()
                log.warning("writer %s was closed by another process; going on as a new one", self.writer.hex())
                self._begin()
                batch = self._next(entries)
        return None

    def _next(self, entries: Sequence[Entry]) -> Batch:
        return signed(self._key, self._realm, entries, writer=self.writer, seq=self._seq, prev=self._prev)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _is_end(batch: Batch) -> bool:
    return bool(orjson.loads(batch.records[-1])["kind"] == Kind.WRITER_CLOSED)

"""A piece of masking: reserves, masks, counts, and says for the log what became of it."""

import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import masker
from pdp import metrics
from pdp.arrow import envelope, table
from pdp.arrow.pipeline import mapped
from pdp.arrow.table import Batch
from pdp.audit import event
from pdp.audit.chunk_order import CHUNK
from pdp.audit.record import Entry, Kind
from pdp.caller import Caller
from pdp.errors import InvalidRequest, QuotaExceeded
from pdp.masking.count import Counted, counted_values, quotas
from pdp.masking.plan import facts, rules
from pdp.masking.refusals import refusals
from pdp.masking.rows import Shape
from pdp.masking.threads import Run
from pdp.store.quotas import Limits, Quotas, Reserved, reservation

WIDTH = 3
"""Batches of one stream that are masked, wait for a thread or wait to be sent, all together."""
SLICE_SECONDS = 0.02
"""Seconds of a thread for which rows are masked before other callers have a turn."""
FIRST_ROWS = 1024
"""Rows of the first slice, by which the time of a row is measured."""
_AHEAD = 16
"""The part of a quota that a stream may reserve ahead."""
_MOST_AHEAD = 1 << 22
"""Values that a stream may reserve beyond what it needs now: about four million, which end with the clock hour."""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work. Plan and keys stay what they were when it was decided.

    `persons` are the distinct people behind it with their names; it counts against their quotas beside the caller's.
    `use` is its claim on the decision, which its records name. Both are empty until the decision is used.
    """

    action: str
    caller: Caller
    persons: Mapping[str, Sequence[str]]
    plan: masker.MaskPlan
    keys: masker.Keyring
    shape: Shape
    bound: Mapping[str, Any] = field(default_factory=dict)
    decision_id: str = ""
    use: str = ""


class Reservation:
    """Reserves before the work; a stream at most as much again as it has used, so that few batches wait for MongoDB.

    What is reserved ahead is at most a sixteenth of the quota, so that most of it is left for other streams.

    Until `keep` says that the decision is used, all of it can be given back. `allowed` values, if any, are what the
    approval lets this one use count instead of the quota.
    """

    def __init__(self, quotas: Quotas, limits: Limits, job: Job, allowed: int = 0) -> None:
        self._allowed = allowed
        self._what = "unmask" if job.action == "unmask" else "mask"
        self._limits, self._quotas, self._caller, self._persons = limits, quotas, job.caller.identity, job.persons
        self._most_ahead = min(limits.of(self._what, [self._caller]) // _AHEAD, _MOST_AHEAD)
        self._open: list[Reserved] | None = []
        self._left: Counter[str] = Counter()
        self._taken: Counter[str] = Counter()
        self.used = 0
        self.columns: Counter[str] = Counter()
        """The values by column."""

    async def take(self, counted: Counted) -> None:
        """Count these values. Raises `QuotaExceeded`."""
        if self._allowed:
            self._require_allowed(self.used + counted.values)
        else:
            await self._have(counted.quotas)
            self._left.subtract(counted.quotas)
            self._taken.update(counted.quotas)
        self.used += counted.values
        self.columns.update(counted.columns)

    async def ahead(self, quotas: Sequence[str]) -> None:
        """Reserve a value of each quota, which the next ones to `take` use. Raises `QuotaExceeded`."""
        if quotas and not self._allowed:
            await self._reserve(dict.fromkeys(quotas, 1))

    async def _have(self, wanted: Mapping[str, int]) -> None:
        missing = {quota: values - self._left[quota] for quota, values in wanted.items() if values > self._left[quota]}
        if not missing:
            return
        ahead = {quota: max(values, min(self._taken[quota], self._most_ahead)) for quota, values in missing.items()}
        try:
            await self._reserve(ahead)
        except QuotaExceeded:
            if ahead == missing:
                raise
            await self._reserve(missing)

    def continues(self, values: int) -> None:
        """An earlier call of the same use counted `values`."""
        self.used = values

    def _require_allowed(self, values: int) -> None:
        if values > self._allowed:
            raise QuotaExceeded(
                f"the approval lets this use {self._what} {self._allowed} values at most; ask for fewer, or for an "
                "approval by a requirement with more `unmask_values`"
            )

    def keep(self) -> None:
        """The decision is used: what is reserved, now and from now on, stays counted."""
        reserved, self._open = self._open or [], None
        for one in reserved:
            self._quotas.keep(one)

    async def give_back(self) -> None:
        """Nothing was used: take what is not kept out of the quota again."""
        while self._open:
            await self._quotas.give_back(self._open.pop())

    async def _reserve(self, values: Mapping[str, int]) -> None:
        reserved = reservation(self._limits, self._what, self._caller, self._persons, values)
        if self._open is not None:
            self._open.append(reserved)
        await self._quotas.count(reserved)
        self._left.update(values)
        if self._open is None:
            self._quotas.keep(reserved)


class Progress:
    """A job at work, batch by batch. What is made before its decision is used does not leave."""

    def __init__(self, job: Job, reservation: Reservation, run: Run) -> None:
        self.job, self._reservation, self._run = job, reservation, run
        with refusals():
            self._masker = masker.Masker(job.plan, job.keys)
        self._reader = table.Reader("arrow_message", job.shape.schema)
        self._writer = table.Writer(job.plan.output_schema)
        self._is_waiting_for_batch = False
        self._admitted_rows = 0
        self._seconds_of_row = SLICE_SECONDS / FIRST_ROWS
        self.rows = self.batches = 0
        self.place: dict[str, Any] = {}

    def decided(self, decision_id: str, use: str) -> None:
        """The decision is used, and this job has the claim on it."""
        self.job = replace(self.job, decision_id=decision_id, use=use)
        self._reservation.keep()

    async def undecided(self) -> None:
        """The decision is not used: the job ends, and uses no quota."""
        await self._reservation.give_back()

    async def has_room(self) -> None:
        """Raise `QuotaExceeded` where the quota has no room for the first value of a stream."""
        await self._reservation.ahead(quotas(self.job.plan))

    async def looks_for_room(self) -> None:
        """The same, and nothing stays reserved: of a job whose streams reserve what they need."""
        await self.has_room()
        await self.undecided()

    @property
    def values(self) -> Mapping[str, int]:
        """The values that were reserved, by column."""
        return self._reservation.columns

    async def reserve(self, values: int) -> None:
        """Reserve `values` to unmask that come later. Raises `QuotaExceeded`."""
        await self._reserve(Counted.unmasked(values))

    def continues(self, values: int) -> None:
        """An earlier call of the same use reserved `values`."""
        self._reservation.continues(values)

    async def opened(self, batch: Batch, first_row: int) -> Batch:
        """A chunk whose values are reserved, as it was before it was masked."""
        return table.joined(await self._made(batch, first_row))

    async def batch(self, batch: Batch) -> Batch:
        """Inline data, whole or not at all."""
        await self._reserve(await self._run(lambda: counted_values(self.job.plan, batch), batch.nbytes))
        return table.joined(await self._made(batch, 0))

    async def admitted(self, messages: AsyncIterator[memoryview]) -> AsyncGenerator[tuple[int, Batch], None]:
        """IPC messages to batches with the number of their first row, each within the quota."""

        def taken(message: memoryview) -> tuple[Batch | None, Counted]:
            batch = self._reader.take(message)
            return batch, Counted(0, {}) if batch is None else counted_values(self.job.plan, batch)

        async for message in messages:
            batch, counted = await self._run(lambda: taken(message), len(message))  # noqa: B023  # awaited here
            self._is_waiting_for_batch = batch is None
            await self._reserve(counted)
            if batch is not None:
                first_row, self._admitted_rows = self._admitted_rows, self._admitted_rows + batch.num_rows
                yield first_row, batch

    def masked(self, batches: AsyncIterator[tuple[int, Batch]]) -> AsyncGenerator[tuple[int, list[bytes]], None]:
        """Batches to the rows and the IPC messages, in their envelopes, of each masked one."""

        def written(parts: Sequence[Batch]) -> list[bytes]:
            return [envelope.wrap(message) for part in parts for message in self._writer.messages(part)]

        async def made(first_row: int, batch: Batch) -> tuple[int, list[bytes]]:
            masked = await self._made(batch, first_row)
            return batch.num_rows, await self._run(lambda: written(masked), batch.nbytes)

        return mapped(batches, lambda item: made(*item), 1 if self._writer.is_ordered else WIDTH)

    async def _made(self, batch: Batch, first_row: int) -> list[Batch]:
        """The batch masked, unmasked or rewrapped, in slices. Raises `ValueRefused` and `KeyRefused`."""
        made: list[Batch] = []
        at = 0
        while at < batch.num_rows or not made:
            part = batch.slice(at, self._rows_of_slice()) if table.is_divisible(batch.schema) else batch
            result, seconds = await self._run(lambda: self._timed(part, first_row + at), part.nbytes)  # noqa: B023
            made.append(result)
            at += part.num_rows
            if part.num_rows:
                self._seconds_of_row = seconds / part.num_rows
        metrics.MASK_BYTES.at(self.job.action).add(batch.nbytes)
        return made

    def _rows_of_slice(self) -> int:
        return max(int(SLICE_SECONDS / max(self._seconds_of_row, 1e-9)), 1)

    def _timed(self, part: Batch, first_row: int) -> tuple[Batch, float]:
        """The rows made, and the seconds of this thread that it took."""
        began = time.thread_time()
        with refusals():
            made = self._masker.sound_batch(part, first_row=first_row)
        return made, time.thread_time() - began

    def leaves(self, rows: int) -> None:
        """A batch with this number of rows is on its way to the caller."""
        self.rows += rows
        metrics.MASK_ROWS.at(self.job.action).add(rows)
        self.batches += 1

    def require_whole(self) -> None:
        """Raise `InvalidRequest` where a dictionary came without its batch."""
        if self._is_waiting_for_batch:
            raise InvalidRequest.field("arrow_message", "the last dictionary has no record batch behind it")

    async def _reserve(self, counted: Counted) -> None:
        if counted.values:
            await self._reservation.take(counted)

    def entry(self, phase: str, failure: str = "") -> Entry:
        """The record of what has left until now; `phase` is started, chunk, complete or broken.

        `place` says for one of several streams of the same work which part of it this one is. Records of chunks are
        many, so they leave out what the others say.
        """
        job, is_chunk = self.job, phase == CHUNK
        about = {} if is_chunk else {"columns": facts(job.plan), "schema_sha256": table.schema_digest(job.shape.schema)}
        details = {
            "action": job.action,
            "phase": phase,
            "use": job.use,
            "table": job.plan.table,
            "subject": job.plan.subject,
            **about,
            "rows": self.rows,
            "batches": self.batches,
            "values": self._reservation.used,
            **{name: value for name, value in job.bound.items() if name in {"tokens_sha256", "tokens_tree"}},
            **self.place,
        }
        return event.masked(
            Kind.UNMASK if job.action == "unmask" else Kind.MASK,
            job.caller,
            decision_id=job.decision_id,
            revision=job.plan.policy_revision,
            rules=[] if is_chunk else rules(job.plan),
            details=details,
            failure=failure,
        )

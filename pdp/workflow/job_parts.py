"""A part of a mask job: let in by the ticket, checked against job and policy, masked, and kept before its end.

ticket -> stream stored -> job entered -> schema -> policy of now -> stream -> sums stored -> end
"""

import time
from dataclasses import dataclass

from pdp.audit.mask_use import LATE
from pdp.errors import InvalidRequest, PdpError, StoreUnavailable, Unauthenticated
from pdp.mask_job import MaskJob, MaskJobEnded, MaskJobTampered, Place, Streamed
from pdp.mask_ticket import KEYS_IN_SERVER, Ticket
from pdp.masking.count import counted_columns
from pdp.masking.job import Job, Progress, Reservation
from pdp.masking.rows import Shape
from pdp.masking.same_schema import require_same
from pdp.recording.writer import Writer
from pdp.store.mask_jobs import StoredMaskJobs
from pdp.store.mask_parts import MaskParts
from pdp.store.quotas import Limits, Quotas
from pdp.workflow.held_job import HeldJob
from pdp.workflow.job_checks import JobChecks

LOOK_SECONDS = 2.0
"""Seconds between two looks of a stream at its job, each at a batch: so soon after its job was stopped it ends."""
BLIND_SECONDS = 60.0
"""Seconds for which a stream goes on where MongoDB does not answer: longer than the choice of another primary takes."""


@dataclass(frozen=True, slots=True)
class JobParts:
    """Begins streams of jobs."""

    jobs: StoredMaskJobs
    parts: MaskParts
    checks: JobChecks
    quotas: Quotas
    limits: Limits
    writer: Writer

    async def begin(self, ticket: Ticket, place: Place, shape: Shape) -> "Part":
        """A stream that may send.

        Raises `PartRepeated`, `MaskJobEnded`, `InvalidRequest` for another schema, what `JobChecks` raises, and
        `Unauthenticated` for a ticket that is not this job's.
        """
        await self.parts.begin(ticket.job, place)
        try:
            held = HeldJob(await self.jobs.enter(ticket.job))
        except (MaskJobEnded, MaskJobTampered):
            await self.parts.forget(ticket.job, place)
            raise
        try:
            _require_ticket(held.job, ticket)
            require_same(shape.schema, held.plan.input_schema, "start.shape.arrow_schema")
            await self.checks.require(held)
            return Part(self, held, place, await self._progress(held), Look(*[time.monotonic()] * 2))
        except BaseException:
            await self.parts.close(held.job.id, Streamed(place, "broken"))
            raise

    async def _progress(self, held: HeldJob) -> Progress:
        caller = held.caller
        keys = await self.checks.threads.read(caller.identity, self.checks.keys.current, 0)
        job = Job("mask", caller, held.persons, held.plan, keys, held.shape)
        progress = Progress(job, Reservation(self.quotas, self.limits, job), self.checks.threads.of(caller.identity))
        progress.decided(held.facts["decision"], held.facts["use"])
        return progress


@dataclass(slots=True)
class Look:
    """When a stream looked at its job at last, and when it saw that the job runs, by the clock of this process."""

    looked_at: float
    seen_at: float

    def is_due(self, now: float) -> bool:
        """Whether it looks now; then it has looked."""
        is_due = now - self.looked_at >= LOOK_SECONDS
        self.looked_at = now if is_due else self.looked_at
        return is_due

    def is_blind(self, now: float) -> bool:
        """Whether the last answer is too old to go on without one."""
        return now - self.seen_at >= BLIND_SECONDS


@dataclass(frozen=True, slots=True)
class Part:
    """One stream of a job."""

    of: JobParts
    held: HeldJob
    place: Place
    progress: Progress
    look: Look

    async def require_running(self, now: float) -> None:
        """Raise `MaskJobEnded` where the job was stopped or finished meanwhile. Most calls cost nothing."""
        if not self.look.is_due(now):
            return
        try:
            await self.of.jobs.require_running(self.held.job.id)
        except StoreUnavailable:
            if self.look.is_blind(now):
                raise
        else:
            self.look.seen_at = now

    async def ended(self) -> None:
        """Keep what it sent, before its end leaves. Raises `MaskJobEnded` where the job was stopped meanwhile."""
        if not await self.of.parts.close(self.held.job.id, self._streamed("ended")):
            raise (await self.of.jobs.get(self.held.job.id)).ended()

    async def broken(self, error: BaseException) -> None:
        """Keep what it sent until it broke. Where its job was finished without it, the log gets it by itself."""
        job_id, parts = self.held.job.id, self.of.parts
        if await parts.close(job_id, self._streamed("broken")) or not self.progress.rows:
            return
        if await parts.is_left_out(job_id, self.place):
            why = error.reason if isinstance(error, PdpError) else "ABANDONED"
            place = self.place
            told = {"job": job_id, "part": place.part, "attempt": place.attempt, "piece": place.piece}
            self.progress.place = {"mask_job": told}
            await self.of.writer.append([self.progress.entry(LATE, why)])

    def _streamed(self, state: str) -> Streamed:
        columns, sent = counted_columns(self.held.plan), self.progress.values
        return Streamed(self.place, state, self.progress.rows, tuple(sent.get(column, 0) for column in columns))


def _require_ticket(job: MaskJob, ticket: Ticket) -> None:
    """Raise `Unauthenticated` unless what the ticket says is what the job began with, and its keys are here."""
    facts = job.facts
    said = (ticket.caller, ticket.decision, ticket.table, ticket.plan_sha256, ticket.key_version, ticket.keys)
    names = ("decision", "table", "plan_sha256", "key_version", "keys")
    if said != (facts["caller"]["identity"], *(facts[name] for name in names)):
        raise Unauthenticated("the ticket is not that of its job; begin another job")
    if ticket.keys != KEYS_IN_SERVER:
        raise InvalidRequest.field("start.job", "is masked where the keys of this job are, which is not in the server")

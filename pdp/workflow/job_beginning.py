"""The beginning of a mask job: decided as any masking, then stored with its ticket.

plan -> decide -> quota looked at -> decision used -> job stored -> ticket
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from pdp import identifier
from pdp.caller import Caller
from pdp.mask_job import JobSealer, JobState, MaskJob
from pdp.mask_ticket import Ticket, public_key
from pdp.masking.job import Progress
from pdp.masking.rows import Shape
from pdp.store.mask_jobs import StoredMaskJobs
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.workflow.answer import Decided
from pdp.workflow.held_job import HeldJob, beginnings
from pdp.workflow.mask_jobs import MaskJobs
from pdp.workflow.mask_work import Work


@dataclass(frozen=True, slots=True)
class Begun:
    """A job that runs, its ticket, and the key that verifies it."""

    held: HeldJob
    ticket: str
    ticket_key: str


@dataclass(frozen=True, slots=True)
class JobBeginning:
    """Begins jobs, which last so long."""

    jobs: MaskJobs
    stored: StoredMaskJobs
    sealer: JobSealer
    lasts: timedelta

    async def begin(
        self,
        shape: Shape,
        keys: str,
        request: AuthorizeRequest,
        caller: Caller,
        fits: Callable[[Progress, Decided], Awaitable[None]],
    ) -> tuple[Decided, Begun | None]:
        """The decision, and the job where it is allowed; `keys` says where they are. Raises as `MaskJobs.decide` does.

        `fits` raises where the answer would not fit a message.
        """

        async def ready(progress: Progress, decided: Decided) -> None:
            await fits(progress, decided)
            await progress.looks_for_room()

        work = Work("mask", shape, begin=ready, seconds=self.lasts.total_seconds())
        decided, progress = await self.jobs.decide(work, request, caller)
        if progress is None:
            return decided, None
        job = self._job(keys, decided, progress, await self.stored.now())
        await self.stored.begin(job)
        ticket = Ticket(
            realm=self.sealer.realm,
            job=job.id,
            caller=caller.identity,
            decision=decided.answer.decision_id,
            table=progress.job.plan.table,
            plan_sha256=job.facts["plan_sha256"],
            key_version=job.facts["key_version"],
            keys=keys,
            exp=int(job.expires_at.timestamp()),
        )
        return decided, Begun(HeldJob(job), ticket.signed(self.sealer.key), public_key(self.sealer.key))

    def _job(self, keys: str, decided: Decided, progress: Progress, now: datetime) -> MaskJob:
        job_id, made = identifier.new("job"), progress.job
        frozen = beginnings(job_id, keys, decided, made.plan, made.use, made.persons)
        return MaskJob(
            id=job_id,
            state=JobState.RUNNING,
            frozen=frozen,
            seal=self.sealer.signed("job", job_id, frozen),
            started_at=now,
            expires_at=now + self.lasts,
            facts=orjson.loads(frozen),
        )

"""The beginning of a mask job: decided as any masking, then stored with its ticket.

plan -> decide -> quota looked at -> decision used -> job stored -> ticket
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from pdp.approval import OutcomeState
from pdp.caller import Caller
from pdp.mask_job import JobSealer, JobState, MaskJob
from pdp.mask_ticket import Ticket, public_key
from pdp.masking.job import Progress
from pdp.masking.rows import Shape
from pdp.store.mask_jobs import StoredMaskJobs
from pdp.store.mask_uses import MaskUses, decision_used
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.workflow.answer import Answer, Ask, Decided
from pdp.workflow.held_job import HeldJob, beginnings
from pdp.workflow.job_ending import JobEnding, Said
from pdp.workflow.mask_jobs import MaskJobs
from pdp.workflow.mask_work import Work

_CLAIM = "job"
"""How the ids of jobs begin. The claim on its decision is a job's own id, so that one decision has one job."""


@dataclass(frozen=True, slots=True)
class _OneJob:
    """A job as work that goes on: the attempt that used an approval, whose answer was lost, gets the same job."""

    uses: MaskUses

    async def held(self, ask: Ask, answer: Answer) -> str:
        """The id of the job that has the use. Raises `DecisionUsed` where something else has it."""
        if answer.claim and not answer.claim.startswith(f"{_CLAIM}_"):
            raise decision_used(ask.request.action.name, answer.decision_id, None)
        return answer.claim

    async def take(self, decided: Decided, claim: str) -> None:
        """Claim a decision that was given before without work. Raises `DecisionUsed`."""
        answer = decided.answer
        if answer.used and answer.step is None and not answer.claim:
            await self.uses.begin(answer.decision_id, "mask", claim)


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
    uses: MaskUses
    ending: JobEnding

    async def begin(
        self,
        shape: Shape,
        keys: str,
        request: AuthorizeRequest,
        caller: Caller,
        fits: Callable[[Progress, Decided], Awaitable[None]],
    ) -> tuple[Decided, Begun | None]:
        """The decision, and the job where it is allowed; `keys` says where they are. Raises as `MaskJobs.decide` does.

        A call that is repeated by the attempt that used an approval gets the same job, while that runs. Where no
        approval was needed, it gets another job, and the first one ends. `fits` raises where the answer would not fit a
        message.
        """

        async def ready(progress: Progress, decided: Decided) -> None:
            await fits(progress, decided)
            await progress.looks_for_room()

        seconds = self.lasts.total_seconds()
        work = Work("mask", shape, begin=ready, continued=_OneJob(self.uses), seconds=seconds, claims=_CLAIM)
        decided, progress = await self.jobs.decide(work, request, caller)
        if progress is None:
            return decided, None
        job = await self._only(self._job(keys, decided, progress, await self.stored.now()))
        await self._end_earlier(job)
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

    async def _only(self, job: MaskJob) -> MaskJob:
        """The job, stored; or the one that is stored by its id. Raises `DecisionUsed` where that is another one."""
        if await self.stored.begin(job):
            return job
        found = await self.stored.get(job.id)
        same = all(found.facts[name] == job.facts[name] for name in ("plan_sha256", "keys"))
        if not same or found.state is not JobState.RUNNING or found.is_over:
            raise decision_used("mask", job.facts["decision"], found.started_at)
        return found

    async def _end_earlier(self, job: MaskJob) -> None:
        """End what the same attempt began before: its answer was lost. Raises `DecisionUsed` behind a later one."""
        jobs = sorted([job, *await self.stored.of_attempt(job)], key=lambda one: one.id)
        last = jobs.pop()
        for lost in jobs:
            why = f"its start was repeated by the same attempt, which has {last.id}"
            await self.ending.finish(lost, Said(OutcomeState.FAILED, "repeat", why=why))
        if last.id != job.id:
            raise decision_used("mask", job.facts["decision"], job.started_at)

    def _job(self, keys: str, decided: Decided, progress: Progress, now: datetime) -> MaskJob:
        job_id, made = progress.job.use, progress.job
        frozen, ends = beginnings(job_id, keys, decided, made.plan, made.use, made.persons), now + self.lasts
        return MaskJob(
            id=job_id,
            state=JobState.RUNNING,
            frozen=frozen,
            seal=self.sealer.beginning(job_id, frozen, now, ends),
            started_at=now,
            expires_at=ends,
            facts=orjson.loads(frozen),
        )

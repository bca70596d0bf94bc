"""MaskJobService: one decision for many streams, each of a part of a table."""

from collections.abc import Collection

from pdp.bad_fields import BadFields
from pdp.caller import Caller, Role, is_person
from pdp.canonical import refuse_unknown
from pdp.mask_job import JobState, KeyRetired, MaskJob, MaskJobDenied, MaskPlanChanged
from pdp.mask_ticket import KEYS_ON_EXECUTORS
from pdp.masking.job import Progress
from pdp.masking.threads import Threads
from pdp.service import job_message, mask_message, mask_scope, message, page
from pdp.store.mask_jobs import StoredMaskJobs, unknown
from pdp.store.mask_parts import MaskParts, SoFar
from pdp.v1 import mask_job_pb2
from pdp.v1.mask_job_pb2 import (
    CancelMaskJobRequest,
    CancelMaskJobResponse,
    FinishMaskJobRequest,
    FinishMaskJobResponse,
    GetMaskJobRequest,
    GetMaskJobResponse,
    ListMaskJobsRequest,
    ListMaskJobsResponse,
    StartMaskJobRequest,
    StartMaskJobResponse,
)
from pdp.workflow.answer import Decided
from pdp.workflow.held_job import HeldJob
from pdp.workflow.job_beginning import JobBeginning
from pdp.workflow.job_checks import JobChecks
from pdp.workflow.job_ending import JobEnding

_BYTES_OF_COLUMN = 64
"""Bytes of a schema that are taken for a column before it is read."""
_STOPPED = (MaskJobDenied, MaskPlanChanged, KeyRetired)
"""What a check of a job raises once it has stopped it; why is in the job."""


class MaskJobService:
    """Begins jobs, shows them, and ends them."""

    def __init__(
        self,
        *,
        beginning: JobBeginning,
        checks: JobChecks,
        ending: JobEnding,
        jobs: StoredMaskJobs,
        parts: MaskParts,
        threads: Threads,
        person_types: Collection[str],
    ) -> None:
        self._beginning, self._checks, self._ending = beginning, checks, ending
        self._jobs, self._parts, self._threads, self._person_types = jobs, parts, threads, person_types

    async def StartMaskJob(self, request: StartMaskJobRequest, caller: Caller) -> StartMaskJobResponse:
        """A job, where the policy allows it."""
        with BadFields() as bad:
            bad.tried(refuse_unknown, request, "")
            keys = bad.tried(job_message.keys, request.keys)
            authorization = bad.tried(mask_scope.authorization, "mask", request.scope)
        about = len(request.arrow_schema) // _BYTES_OF_COLUMN
        shape = await self._threads.plan(caller.identity, lambda: job_message.shape(request.arrow_schema), about)

        async def fits(progress: Progress, decided: Decided) -> None:
            plan = mask_message.plan(progress.job.plan)
            answer = StartMaskJobResponse(decision=message.decision(decided), plan=plan)
            if keys == KEYS_ON_EXECUTORS:
                answer.plan_json = progress.job.plan.to_json()
            mask_scope.require_fits(answer, "mask fewer columns")

        with mask_scope.named_as_sent():
            decided, begun = await self._beginning.begin(shape, keys, authorization, caller, fits)
        answer = StartMaskJobResponse(decision=message.decision(decided))
        if begun is None:
            return answer
        plan, job = begun.held.plan, begun.held.job
        answer.plan.CopyFrom(mask_message.plan(plan))
        answer.plan_json = plan.to_json() if keys == KEYS_ON_EXECUTORS else ""
        answer.job_id, answer.ticket, answer.ticket_key = job.id, begun.ticket, begun.ticket_key
        answer.expires_at.FromDatetime(job.expires_at)
        answer.plan_sha256 = job.facts["plan_sha256"]
        return answer

    async def FinishMaskJob(self, request: FinishMaskJobRequest, caller: Caller) -> FinishMaskJobResponse:
        """The end of a job of the caller's."""
        with BadFields() as bad:
            bad.tried(refuse_unknown, request, "")
            said = bad.tried(job_message.said, request)
        job = await self._jobs.get(job_message.checked_id(request.job_id))
        if job.facts["caller"]["identity"] != caller.identity:
            raise unknown()
        job_message.require_counts(request, HeldJob(job))
        return FinishMaskJobResponse(job=await self._shown(await self._ending.finish(job, said)))

    async def CancelMaskJob(self, request: CancelMaskJobRequest, caller: Caller) -> CancelMaskJobResponse:
        """A job that is stopped now, or was before."""
        with BadFields() as bad:
            bad.tried(refuse_unknown, request, "")
            bad.tried(job_message.reason, request.reason)
        job = await self._visible(job_message.checked_id(request.job_id), caller)
        if not self._is_of(job, caller):
            raise unknown()
        why = f"{caller.identity} cancelled it" + (f": {request.reason}" if request.reason else "")
        await self._checks.stop(job.id, "cancel", why)
        job = await self._jobs.get(job.id)
        if job.state is JobState.FINISHED:
            raise job.ended()
        return CancelMaskJobResponse(job=await self._shown(job))

    async def GetMaskJob(self, request: GetMaskJobRequest, caller: Caller) -> GetMaskJobResponse:
        """A job, for those whom it concerns."""
        job = await self._visible(job_message.checked_id(request.job_id), caller)
        is_own = job.facts["caller"]["identity"] == caller.identity
        if request.check and is_own and job.state is JobState.RUNNING and not job.is_over:
            try:
                await self._checks.require(HeldJob(job))
            except _STOPPED:
                job = await self._jobs.get(job.id)
        return GetMaskJobResponse(job=await self._shown(job))

    async def ListMaskJobs(self, request: ListMaskJobsRequest, caller: Caller) -> ListMaskJobsResponse:
        """The jobs that the caller may see."""
        with BadFields() as bad:
            limit, before = bad.tried(page.size, request.page_size), bad.tried(page.before, request.page_token)
            state = bad.tried(job_message.state, request.state)
        whose = "" if Role.AUDITOR in caller.roles else caller.identity
        in_name = is_person(caller.identity, self._person_types)
        found = await self._jobs.listed(whose, state, before, limit + 1, in_name=in_name)
        found, token = page.cut(found, limit, lambda one: one.id)
        return ListMaskJobsResponse(jobs=[await self._shown(job) for job in found], next_page_token=token)

    async def _visible(self, job_id: str, caller: Caller) -> MaskJob:
        job = await self._jobs.get(job_id)
        if Role.AUDITOR not in caller.roles and not self._is_of(job, caller):
            raise unknown()
        return job

    async def _shown(self, job: MaskJob) -> mask_job_pb2.MaskJob:
        so_far = SoFar() if job.state is JobState.FINISHED else await self._parts.so_far(job.id)
        return job_message.job(job, so_far)

    def _is_of(self, job: MaskJob, caller: Caller) -> bool:
        """Whether it is the caller's, or runs for the caller, a person."""
        is_for = is_person(caller.identity, self._person_types) and caller.identity in job.facts["people"]
        return is_for or job.facts["caller"]["identity"] == caller.identity

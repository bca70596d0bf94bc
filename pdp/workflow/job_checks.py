"""Asks today's policy about a mask job that runs. What it denies, or masks in another way, stops the job."""

from dataclasses import dataclass

import masker
from pdp.decision import Effect, Verdict
from pdp.errors import MaskPlanRefused, PdpError
from pdp.mask_job import KeyRetired, MaskJobDenied, MaskPlanChanged
from pdp.masking.keys import MaskKeys
from pdp.masking.plan import difference
from pdp.masking.threads import Threads
from pdp.store.mask_jobs import StoredMaskJobs
from pdp.store.mask_parts import MaskParts
from pdp.workflow.answer import Ask
from pdp.workflow.deciding import Deciding
from pdp.workflow.held_job import HeldJob
from pdp.workflow.mask_plans import MaskPlans, Planned
from pdp.workflow.mask_work import Work

_STOPS = (MaskJobDenied, MaskPlanChanged, KeyRetired)
"""What stops a job. With any other error nobody knows what the policy says, so that only the stream fails."""


@dataclass(frozen=True, slots=True)
class JobChecks:
    """Checks jobs."""

    deciding: Deciding
    plans: MaskPlans
    keys: MaskKeys
    threads: Threads
    jobs: StoredMaskJobs
    parts: MaskParts

    async def require(self, held: HeldJob) -> Planned:
        """What the policy says now, with the job's key version.

        Raises `MaskJobDenied`, `MaskPlanChanged` and `KeyRetired`, and then the job is stopped; and what OPA and
        MongoDB raise.
        """
        try:
            return await self._require(held)
        except _STOPS as refused:
            await self.stop(held.job.id, "policy", refused.sentence)
            raise

    async def stop(self, job_id: str, by: str, why: str) -> bool:
        """Stop a job that runs, with the streams that it has. False where it does not run."""
        is_stopped = await self.jobs.stop(job_id, {"by": by, "why": why})
        if is_stopped:
            await self.parts.stop(job_id)
        return is_stopped

    async def _require(self, held: HeldJob) -> Planned:
        ask = await self.deciding.informed_one(held.ask())
        keys = await self.threads.read(ask.caller.identity, self.keys.current, 0)
        work = Work("mask", held.shape, key_version=held.plan.key_version)
        try:
            planned = await self.plans.planned(work, ask, keys)
        except MaskPlanRefused as refused:
            [judged] = await self.deciding.judged([ask])
            await self._require_allowed(held, ask, judged)
            raise MaskPlanChanged(f"the policy masks this table in another way now: {refused.sentence}") from None
        await self._require_allowed(held, ask, planned.judged)
        if planned.plan.sha256() != held.facts["plan_sha256"]:
            what = difference(held.plan, planned.plan)
            raise MaskPlanChanged(f"the policy masks this table in another way now: {what}; begin another job")
        _require_key(keys, held.facts["key_version"])
        return planned

    async def _require_allowed(self, held: HeldJob, ask: Ask, judged: Verdict | PdpError) -> None:
        if isinstance(judged, PdpError):
            raise judged
        if judged.effect is Effect.NEEDS_APPROVAL:
            if not held.facts["approval"]:
                raise MaskJobDenied("the policy requires an approval now, and this job has none; begin another job")
            lacking = await self.deciding.still_lacking(ask, judged, held.facts["approval"])
            if lacking is None:
                return
            judged = lacking
        if judged.effect is Effect.DENY:
            why = "; ".join(reason.reason for reason in judged.reasons)
            raise MaskJobDenied(f"the policy does not allow this job any more: {why}")


def _require_key(keys: masker.Keyring, version: int) -> None:
    """Raise `KeyRetired` where a version, unless it is 0, does not mask any more."""
    found = keys.versions.get(version)
    if version and (found is None or found.state == "retired"):
        raise KeyRetired(f"the key version {version} of this job is retired; begin another job")

"""Builds the parts of mask jobs."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from pdp.config import Config
from pdp.mask_job import JobSealer
from pdp.masking.keys import MaskKeys
from pdp.masking.threads import Threads
from pdp.server.flows import Flows
from pdp.server.parts import Parts
from pdp.service.mask_job import MaskJobService
from pdp.store.domains import Domains
from pdp.store.mask_jobs import StoredMaskJobs
from pdp.store.mask_parts import MaskParts
from pdp.store.mask_uses import MaskUses
from pdp.store.quotas import Limits, Quotas
from pdp.workflow.job_beginning import JobBeginning
from pdp.workflow.job_checks import JobChecks
from pdp.workflow.job_ending import JobEnding
from pdp.workflow.job_parts import JobParts
from pdp.workflow.mask_jobs import MaskJobs
from pdp.workflow.mask_plans import MaskPlans


def parted(
    config: Config,
    flows: Flows,
    parts: Parts,
    domains: Domains,
    quotas: Quotas,
    uses: MaskUses,
    jobs: MaskJobs,
    threads: Threads,
    keys: MaskKeys,
    limits: Limits,
) -> tuple[MaskJobService, JobParts, Callable[[], Awaitable[None]]]:
    """The service of jobs, the streams of their parts, and the sweep that ends jobs whose time is over."""
    sealer = JobSealer(parts.signing.seal, config.realm)
    stored, streams = StoredMaskJobs(parts.database, sealer), MaskParts(parts.database, sealer)
    plans = MaskPlans(config.person_types, flows.deciding, flows.batcher, domains, threads)
    checks = JobChecks(flows.deciding, plans, keys, threads, stored, streams)
    ending = JobEnding(stored, streams, sealer, quotas, limits, parts.writer, parts.outflow, threads)
    service = MaskJobService(
        beginning=JobBeginning(jobs, stored, sealer, timedelta(hours=config.masking.job_hours), uses, ending),
        checks=checks,
        ending=ending,
        jobs=stored,
        parts=streams,
        threads=threads,
        person_types=config.person_types,
    )
    return service, JobParts(stored, streams, checks, quotas, limits, parts.writer), ending.sweep

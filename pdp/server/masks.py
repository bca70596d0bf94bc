"""Builds the services of masking, of a server that has keys."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pdp.background import background
from pdp.config import Config
from pdp.masking.keys import MaskKeys
from pdp.server.flows import Flows
from pdp.server.parts import Parts
from pdp.server.sweep import SWEEP_SECONDS, every
from pdp.service import mask_off
from pdp.store.database import Database
from pdp.store.domains import Domains
from pdp.store.mask_uses import MaskUses
from pdp.store.quotas import Limits, Quotas
from pdp.store.unmaskings import Unmaskings
from pdp.workflow.repeat import CONTINUED_FOR


@dataclass(frozen=True, slots=True)
class Masks:
    """What the store keeps for masking."""

    quotas: Quotas
    domains: Domains
    uses: MaskUses
    unmaskings: Unmaskings

    @classmethod
    def of(cls, database: Database, realm: str) -> "Masks":
        """Those of a deployment."""
        return cls(Quotas(database), Domains(database, realm), MaskUses(database), Unmaskings(database, CONTINUED_FOR))


@dataclass(frozen=True, slots=True)
class MaskFaces:
    """What serves masking: both services, and `sweep`, which ends jobs whose time is over."""

    masks: object
    jobs: object
    sweep: Callable[[], Awaitable[None]] | None = None


@asynccontextmanager
async def serving_masks(
    config: Config, flows: Flows, parts: Parts, masks: Masks, failed: asyncio.Future[None]
) -> AsyncIterator[MaskFaces]:
    """The services of masking; until the block ends, jobs whose time is over are ended."""
    faces = _faces(config, flows, parts, masks)
    if faces.sweep is None:
        yield faces
        return
    async with background(every(SWEEP_SECONDS, faces.sweep), failed):
        yield faces


def _faces(config: Config, flows: Flows, parts: Parts, masks: Masks) -> MaskFaces:
    """The services. Without keys they only say that masking is off, and nothing of the extra `mask` is imported."""
    if config.mask_keys is None:
        return MaskFaces(mask_off.MaskService(), mask_off.MaskJobService())
    from pdp.masking.threads import Threads  # noqa: PLC0415  # an extra
    from pdp.server.parted import parted  # noqa: PLC0415
    from pdp.service.mask import MaskService  # noqa: PLC0415
    from pdp.workflow.mask_jobs import MaskJobs  # noqa: PLC0415

    threads = Threads(turns=flows.turns, has_small_calls=lambda: flows.admission.has_small_calls)
    keys = MaskKeys(config.mask_keys, config.realm)
    limits = Limits(config.mask_values_an_hour, config.unmask_values_an_hour, config.masking.bulk)
    jobs = MaskJobs(
        person_types=config.person_types,
        deciding=flows.deciding,
        batcher=flows.batcher,
        keys=keys,
        domains=masks.domains,
        uses=masks.uses,
        quotas=masks.quotas,
        limits=limits,
        writer=parts.writer,
        threads=threads,
    )
    service, streams, sweep = parted(
        config, flows, parts, masks.domains, masks.quotas, masks.uses, jobs, threads, keys, limits
    )
    return MaskFaces(
        MaskService(
            jobs=jobs,
            unmaskings=masks.unmaskings,
            writer=parts.writer,
            threads=threads,
            parts=streams,
            outflow=parts.outflow,
        ),
        service,
        sweep,
    )

"""Builds the mask service, of a server that has keys."""

from dataclasses import dataclass

from pdp.config import Config
from pdp.masking.keys import MaskKeys
from pdp.server.flows import Flows
from pdp.server.parts import Parts
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


def mask_job_service(config: Config) -> object:
    """The service of mask jobs."""
    if config.mask_keys is None:
        return mask_off.MaskJobService()
    from pdp.service.mask_job import MaskJobService  # noqa: PLC0415  # an extra

    return MaskJobService()


def mask_service(config: Config, flows: Flows, parts: Parts, masks: Masks) -> object:
    """The mask service. Without keys it only says that masking is off, and nothing of the extra `mask` is imported."""
    if config.mask_keys is None:
        return mask_off.MaskService()
    from pdp.masking.threads import Threads  # noqa: PLC0415  # an extra
    from pdp.service.mask import MaskService  # noqa: PLC0415
    from pdp.workflow.mask_jobs import MaskJobs  # noqa: PLC0415

    threads = Threads(turns=flows.turns, has_small_calls=lambda: flows.admission.has_small_calls)
    jobs = MaskJobs(
        person_types=config.person_types,
        deciding=flows.deciding,
        batcher=flows.batcher,
        keys=MaskKeys(config.mask_keys, config.realm),
        domains=masks.domains,
        uses=masks.uses,
        quotas=masks.quotas,
        limits=Limits(config.mask_values_an_hour, config.unmask_values_an_hour, config.masking.bulk),
        writer=parts.writer,
        threads=threads,
    )
    return MaskService(
        jobs=jobs, unmaskings=masks.unmaskings, writer=parts.writer, threads=threads, outflow=parts.outflow
    )

"""Keeps the levels of the metrics that no work of the server sets by itself, from time to time."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

from cryptography import x509

from pdp import metrics
from pdp.config import Config, Tls
from pdp.errors import PdpError
from pdp.opa.batching import Batcher
from pdp.server.parts import Parts

LOOK_SECONDS = 1.0
"""Seconds between two looks at what is in this process."""
READ_SECONDS = 10.0
"""Seconds between two questions to MongoDB, and two looks at certificates: a scrape comes as often, or less."""
MOST = 10_000
"""Approvals that wait are counted up to this number, for which MongoDB takes a few milliseconds."""


async def keep_levels(config: Config, parts: Parts, batcher: Batcher, *, reads: bool) -> None:
    """Set them until cancelled. What MongoDB does not say in time keeps its last level.

    Of several workers one `reads` MongoDB; what all would read is the same.
    """
    read_at = float("-inf")
    while True:
        metrics.AUDIT_UNCONFIRMED.at().set(parts.writer.unconfirmed_seconds)
        metrics.QUARANTINED.at().set(batcher.quarantined)
        if time.monotonic() - read_at >= READ_SECONDS:
            read_at = time.monotonic()
            for name, tls in listeners(config).items():
                metrics.CERTIFICATE_DAYS.at(name).set(await asyncio.to_thread(days_left, tls))
            if reads:
                with suppress(PdpError):
                    await read(parts)
        await asyncio.sleep(LOOK_SECONDS)


async def read(parts: Parts) -> None:
    """Set what MongoDB knows: the approvals that wait, and its clock. Raises `StoreUnavailable`."""
    before = time.time()
    there = await parts.database.now()
    here = (before + time.time()) / 2
    metrics.CLOCK_OFFSET.at().set(abs(there.timestamp() - here))
    count, oldest = await parts.pressure.oldest(MOST)
    metrics.APPROVALS_OPEN.at().set(count)
    metrics.APPROVAL_OLDEST.at().set(oldest)


def listeners(config: Config) -> Mapping[str, Tls]:
    """The files of each listener that has some, by its name in the metric."""
    both = {"grpc": config.tls, "http": config.http_tls if config.http else None}
    return {name: tls for name, tls in both.items() if tls is not None}


def days_left(tls: Tls) -> float:
    """Days until the certificate in the file ends, below 0 if it has; 0 if it cannot be read."""
    try:
        certificate = x509.load_pem_x509_certificates(tls.certificate.read_bytes())[0]
    except (OSError, ValueError, IndexError):
        return 0.0
    return (certificate.not_valid_after_utc - datetime.now(UTC)).total_seconds() / 86_400

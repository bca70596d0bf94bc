"""`pdp serve --workers`: the process that starts workers, builds and watches their policy, and decides nothing."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pdp.background import background
from pdp.config import Config
from pdp.errors import SetupError
from pdp.opa.shared import shared_opas
from pdp.server.claim import claimed
from pdp.server.listener import require_addresses
from pdp.server.order import Order, addresses, with_addresses
from pdp.server.running import GRACE_SECONDS
from pdp.server.web import url_of
from pdp.server.workers import Patience, Workers
from pdp.store.database import Database
from pdp.store.domains import Domains

CONNECTION_SECONDS = 60.0
"""Seconds after which a client is asked to come with a new connection. It spreads the load over workers that were
started later, and bounds how long a worker that is replaced has clients."""
ENDING_SECONDS = 30.0
"""Seconds, beside the drain, that a worker has to end: its records are written in them."""


@dataclass(frozen=True, slots=True)
class Given:
    """What `pdp serve` was given."""

    path: Path
    """The configuration's."""
    changes: dict[str, str]
    """By the command line."""
    workers: int


@dataclass(frozen=True, slots=True)
class Family:
    """Workers that answer at `address`."""

    address: str
    web: str
    """What clients call the HTTP face; empty if there is none."""
    workers: Workers
    failed: asyncio.Future[None]


@asynccontextmanager
async def family(
    config: Config,
    given: Given,
    tool_cache: Path,
    say: Callable[[str], None],
    connection_seconds: float = CONNECTION_SECONDS,
) -> AsyncIterator[Family]:
    """Run the workers, their OPA and their policy until the block ends. The caller stops the workers before that.

    Raises `SetupError` if a part cannot be used as configured.
    """
    require_shareable(config)
    async with AsyncExitStack() as stack:
        named = addresses(config)
        held = stack.enter_context(claimed(named))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="placet-")))
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        database = await Database.open(config.mongodb_uri, config.database)
        stack.push_async_callback(database.close)
        await database.require_realm(config.realm)
        used = Domains(database, config.realm).used
        opas = shared_opas(config, tool_cache, say, failed, used, folder, given.workers)
        urls = await stack.enter_async_context(opas)
        both = {field: (named[field], held[field]) for field in named}
        Order(str(given.path), given.changes, both, connection_seconds, tuple(urls)).write(folder)
        workers = Workers(given.workers, folder, _patience(config, connection_seconds), say)
        stack.push_async_callback(workers.stop)
        await workers.start(first_alone=config.mask_keys is not None)
        await stack.enter_async_context(background(workers.watch(), failed))
        opened = with_addresses(config, held)
        yield Family(opened.listen, _url(opened), workers, failed)


def require_shareable(config: Config) -> None:
    """Raise `SetupError` if several processes cannot serve as configured."""
    if sys.platform != "linux":
        raise SetupError("--workers needs Linux, whose kernel spreads connections over processes; leave it out")
    for field, address in addresses(config).items():
        if address.startswith("unix:"):
            raise SetupError(f"{field}: workers cannot share a unix socket; give host:port, or leave --workers out")
    require_addresses(config)


def _url(config: Config) -> str:
    if config.http is None:
        return ""
    return url_of(config.http, config.http_tls, int(config.http.listen.rpartition(":")[2]))


def _patience(config: Config, connection_seconds: float) -> Patience:
    pause = config.operations.drain_seconds if config.operations else 0.0
    stop_seconds = pause + GRACE_SECONDS + ENDING_SECONDS
    return Patience(stop_seconds, connection_seconds + config.stream_seconds + stop_seconds)

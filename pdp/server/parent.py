"""`pdp serve --workers`: the process that starts workers, builds and watches their policy, and decides nothing."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pdp.background import background
from pdp.config import Config
from pdp.errors import SetupError
from pdp.logs import Logs
from pdp.opa.shared import shared_opas
from pdp.process.private_folder import private_folder, require_kept
from pdp.server.claim import claimed
from pdp.server.gathering import Gathering
from pdp.server.listener import require_addresses
from pdp.server.opening import AGE_SPREAD, LATE_SECONDS
from pdp.server.operations import operating
from pdp.server.order import Order, addresses, with_addresses
from pdp.server.running import GRACE_SECONDS
from pdp.server.web import url_of
from pdp.server.workers import Patience, Workers
from pdp.store.database import Database
from pdp.store.domains import Domains

ENDING_SECONDS = 30.0
"""Seconds, beside the drain, that a worker has to end: its records are written in them."""


@dataclass(frozen=True, slots=True)
class Family:
    """Workers that answer at `address`."""

    address: str
    web: str
    """What clients call the HTTP face; empty if there is none."""
    workers: Workers
    failed: asyncio.Future[None]
    operations: str = ""
    """Where health and metrics are shown over HTTP; empty if nowhere."""


@asynccontextmanager
async def family(
    config: Config, count: int, order: Order, tool_cache: Path, logs: Logs, ready: Callable[[], Awaitable[None]]
) -> AsyncIterator[Family]:
    """Run workers, their OPA and their policy until the block ends. The caller stops the workers before that.

    `order` is what they are told beside addresses and OPAs. `ready` returns when what they need is there. Raises
    `SetupError` if a part cannot be used as configured.
    """
    require_shareable(config)
    async with AsyncExitStack() as stack:
        named = addresses(config)
        held = stack.enter_context(claimed(named))
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        gathering = Gathering()
        shown = operating(config.operations, failed, metrics=gathering.text)
        operations = await stack.enter_async_context(shown)
        folder = stack.enter_context(private_folder())
        await ready()
        database = await Database.open(config.mongodb_uri, config.database)
        stack.push_async_callback(database.close)
        await database.require_realm(config.realm)
        used = Domains(database, config.realm).used
        opas = shared_opas(config, tool_cache, logs.say, failed, used, folder, count)
        urls = await stack.enter_async_context(opas)
        both = {field: (named[field], held[field]) for field in named}
        written = replace(order, addresses=both, opas=tuple(urls)).write(folder)
        await stack.enter_async_context(background(require_kept(written), failed))
        workers = Workers(count, folder, _patience(config, order), logs, operations.readiness)
        stack.push_async_callback(workers.stop)
        gathering.workers = lambda: workers.every
        await workers.start(first_alone=config.mask_keys is not None)
        await stack.enter_async_context(background(workers.watch(), failed))
        opened = with_addresses(config, held)
        yield Family(opened.listen, _url(opened), workers, failed, operations.address)


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


def _patience(config: Config, order: Order) -> Patience:
    pause = config.operations.drain_seconds if config.operations else 0.0
    stop_seconds = pause + GRACE_SECONDS + ENDING_SECONDS
    leaving_seconds = order.connection_seconds * AGE_SPREAD + LATE_SECONDS + order.stream_seconds
    return Patience(stop_seconds, leaving_seconds + stop_seconds)

"""What runs beside the calls of a server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from pdp.authn.authenticator import Authenticator
from pdp.background import background
from pdp.config import Config
from pdp.recording.refusals import sum_up
from pdp.server.flows import Flows
from pdp.server.health import Health
from pdp.server.levels import keep_levels
from pdp.server.parts import Parts


@asynccontextmanager
async def kept_up(
    config: Config,
    health: Health,
    authenticator: Authenticator,
    flows: Flows,
    parts: Parts,
    failed: asyncio.Future[None],
    *,
    is_first: bool,
) -> AsyncIterator[None]:
    """Probe what is needed, fetch keys, sum up what is refused, and keep the levels of the metrics where these show.

    `is_first` says that this process is alone, or the first of several workers.
    """
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(background(health.watch(), failed))
        await stack.enter_async_context(background(sum_up(flows.admission.shedding, parts.writer), failed))
        await stack.enter_async_context(_fetching_keys(authenticator, failed))
        if config.operations:
            levels = keep_levels(config, parts, flows.batcher, reads=is_first)
            await stack.enter_async_context(background(levels, failed))
        yield


@asynccontextmanager
async def _fetching_keys(authenticator: Authenticator, failed: asyncio.Future[None]) -> AsyncIterator[None]:
    """Fetch the issuers' keys now, and again and again until the block ends."""
    async with AsyncExitStack() as stack:
        for source in authenticator.sources:
            await stack.enter_async_context(background(source.run(), failed))
            await source.renewed()
        yield

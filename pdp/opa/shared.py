"""The OPAs that workers share, with the policy that this process builds, checks and hands to them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from pdp.background import background
from pdp.config import Config
from pdp.opa.engine import watched
from pdp.opa.process import OpaProcess
from pdp.policy.handed import HandingPolicy
from pdp.policy.live import UsedDomains
from pdp.process import toolcache
from pdp.process.private_folder import require_kept

WORKERS_OF_ONE = 8
"""Workers that one OPA answers. A decision takes a quarter of a worker's time there, spread over the cores."""


@asynccontextmanager
async def shared_opas(
    config: Config,
    tool_cache: Path,
    say: Callable[[str], None],
    failed: asyncio.Future[None],
    used_domains: UsedDomains,
    folder: Path,
    workers: int,
) -> AsyncIterator[list[str]]:
    """The URLs of the OPAs, which load the policy of `config`, until the block ends; none where the operator runs one.

    `folder` is private to this user. Raises `SetupError` if the policy or an OPA cannot be used.
    """
    if config.opa_url:
        yield []
        return
    binary, bundle = toolcache.opa(tool_cache), watched(folder) / "bundle.tar.gz"
    policy = HandingPolicy(binary, config.policy, bundle, say, used_domains, config.known_types)
    policy.opas = -(-workers // WORKERS_OF_ONE)
    await policy.build()
    async with AsyncExitStack() as stack:
        urls = []
        for number in range(policy.opas):
            heard = partial(_heard, policy, number, say)
            process = OpaProcess(binary, bundle, folder / f"opa-{number}.sock", say=say, reloaded=heard)
            await stack.enter_async_context(process)
            urls.append(f"unix://{process.socket}")
        await stack.enter_async_context(background(policy.watch(), failed))
        await stack.enter_async_context(background(require_kept(bundle), failed))
        yield urls


def _heard(policy: HandingPolicy, number: int, say: Callable[[str], None], error: str) -> None:
    policy.loaded_by(number)
    if error and number == 0:
        say(f"OPA did not take the policy: {error}\nThe last good policy stays in force.")

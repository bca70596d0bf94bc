"""OPA with its policy. Either the operator runs it, or the server builds its bundle, starts it and supervises it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pdp.background import background
from pdp.config import Config
from pdp.errors import SetupError
from pdp.opa.process import OpaProcess
from pdp.opa.queries import Opa
from pdp.policy.live import Policy, UsedDomains, WatchedPolicy
from pdp.process import toolcache


@dataclass(slots=True)
class Engine:
    """An OPA that is ready. `reloaded` is set whenever another policy may be in force."""

    opa: Opa
    version: str
    revision: str
    policy: Policy
    reloaded: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def engine(
    config: Config,
    tool_cache: Path,
    say: Callable[[str], None],
    failed: asyncio.Future[None],
    used_domains: UsedDomains,
) -> AsyncIterator[Engine]:
    """OPA as configured, until the block ends. Raises `SetupError` if it cannot be used."""
    async with AsyncExitStack() as stack:
        reloaded = asyncio.Event()
        policy, url = Policy(), config.opa_url
        if not url:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="placet-")))
            binary = toolcache.opa(tool_cache)
            policy = WatchedPolicy(binary, config.policy, _watched(folder) / "bundle.tar.gz", say, used_domains)
            await policy.build()
            process = OpaProcess(
                binary, policy.bundle, folder / "opa.sock", say=say, reloaded=lambda error: _heard(error, say, reloaded)
            )
            await stack.enter_async_context(process)
            await stack.enter_async_context(background(policy.watch(), failed))
            url = f"unix://{process.socket}"
        opa = await stack.enter_async_context(Opa(url))
        yield Engine(opa, await opa.version(), await _revision(opa), policy, reloaded)


def _watched(folder: Path) -> Path:
    """A folder for the bundle alone, because OPA reloads at every event in the folder of its bundle."""
    watched = folder / "bundle"
    watched.mkdir()
    return watched


def _heard(error: str, say: Callable[[str], None], reloaded: asyncio.Event) -> None:
    if error:
        say(f"OPA did not take the policy: {error}\nThe last good policy stays in force.")
    reloaded.set()


async def _revision(opa: Opa) -> str:
    revision = await opa.revision()
    if not revision:
        raise SetupError(
            "OPA has no bundle of this version; build one with `pdp policy build DIR --to bundle.tar.gz` and serve that"
        )
    return revision

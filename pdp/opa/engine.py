"""OPA with its policy. Either the operator runs it, or the server builds its bundle, starts it and supervises it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pdp import metrics
from pdp.background import background
from pdp.config import Config
from pdp.errors import EngineUnavailable, PolicyInvalid
from pdp.opa.process import OpaProcess
from pdp.opa.queries import Opa, OpaLate
from pdp.policy.live import Policy, UsedDomains, WatchedPolicy
from pdp.process import toolcache
from pdp.process.private_folder import private_folder, require_kept

log = logging.getLogger(__name__)

START_SECONDS = 15.0
"""Seconds in which OPA has to give its first answers: on a busy machine one alone may be late."""
_NO_REVISION = (
    "OPA has no bundle of Placet, or one without the core or the maps of people; build it with "
    "`pdp policy build DIR --to bundle.tar.gz` of this release and serve that"
)


@dataclass(slots=True)
class Engine:
    """An OPA that is ready. `reloaded` is set whenever another policy may be in force."""

    opa: Opa
    version: str
    revision: str
    policy: Policy
    reloaded: asyncio.Event = field(default_factory=asyncio.Event)
    last: str = ""
    told: str = ""
    """Why nothing was allowed at the last look, and what the log was told; empty while OPA answers as it must."""

    async def is_healthy(self) -> bool:
        """Whether OPA answers, with a policy that has the core and the maps. The log says why not, once.

        It says what two looks found: on a busy machine a single answer may be late.
        """
        problem = await self._present_problem()
        if problem == self.last != self.told:
            log.warning("%s", problem or "OPA answers again, with a policy that the server can use")
            self.told = problem
        self.last = problem
        return not problem

    async def _present_problem(self) -> str:
        if not await self.opa.is_healthy():
            return "OPA does not answer, or has no bundle; nothing is allowed until it has"
        try:
            return self.policy.problem if await self.opa.revision() else f"nothing is allowed: {_NO_REVISION}"
        except PolicyInvalid:
            return f"nothing is allowed: {_NO_REVISION}"
        except EngineUnavailable:
            return self.policy.problem  # or it is busy, or gone since; the next look says so


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
            folder = stack.enter_context(private_folder())
            binary = toolcache.opa(tool_cache)
            bundle = watched(folder) / "bundle.tar.gz"
            policy = WatchedPolicy(binary, config.policy, bundle, say, used_domains, config.known_types)
            await policy.build()
            process = OpaProcess(
                binary,
                policy.bundle,
                folder / "opa.sock",
                say=say,
                reloaded=lambda error: _heard(error, say, reloaded, policy),
            )
            await stack.enter_async_context(process)
            await stack.enter_async_context(background(policy.watch(), failed))
            await stack.enter_async_context(background(require_kept(bundle), failed))
            url = f"unix://{process.socket}"
        opa = await stack.enter_async_context(Opa(url, place=policy.place, is_loading=lambda: policy.is_loading))
        version, revision = await first_look(opa, config.opa_url)
        yield Engine(opa, version, revision, policy, reloaded)


def watched(folder: Path) -> Path:
    """A folder for the bundle, beside which each OPA has its own link to one."""
    watched = folder / "bundle"
    watched.mkdir()
    return watched


def _heard(error: str, say: Callable[[str], None], reloaded: asyncio.Event, policy: Policy) -> None:
    policy.loaded()
    if error:
        metrics.POLICY_REFUSED.at().add()
        say(f"OPA did not take the policy: {error}\nThe last good policy stays in force.")
    reloaded.set()


async def _patiently(ask: Callable[[], Awaitable[str]]) -> str:
    """The answer of an OPA that has just started, with which everything else starts; a late one is asked for again."""
    end = asyncio.get_running_loop().time() + START_SECONDS
    while True:
        try:
            return await ask()
        except OpaLate:
            if asyncio.get_running_loop().time() > end:
                raise


async def first_look(opa: Opa, url: str) -> tuple[str, str]:
    """The version of an OPA, which an operator runs at `url`, and its policy's revision.

    Raises `EngineUnavailable`, `PolicyInvalid` or `SetupError`.
    """
    where = f"opa_url {url}: " if url else ""
    try:
        version = await _patiently(opa.version)
        revision = await _patiently(opa.revision)
    except EngineUnavailable as error:
        raise EngineUnavailable(f"{where}{error.sentence}") from None
    except PolicyInvalid:
        revision = ""
    if not revision:
        raise PolicyInvalid("no_revision", f"{where}{_NO_REVISION}")
    return version, revision

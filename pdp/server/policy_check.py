"""Whether OPA is there and new enough, and whether it can take the policy."""

import asyncio
from pathlib import Path

from pdp.config import Config
from pdp.errors import PdpError, SetupError
from pdp.opa.engine import first_look
from pdp.opa.queries import Opa
from pdp.policy.check import findings_in
from pdp.process import toolcache
from pdp.server.observed import Observed, each, fine, wrong

OPA_SECONDS = 10.0
"""Seconds that an OPA of the operator's may take."""


async def policy(config: Config, tool_cache: Path) -> list[Observed]:
    """What is found of OPA and of the policy."""
    return await _of_operator(config.opa_url) if config.opa_url else await asyncio.to_thread(_own, config, tool_cache)


async def _of_operator(url: str) -> list[Observed]:
    try:
        async with asyncio.timeout(OPA_SECONDS), Opa(url) as opa:
            version, revision = await first_look(opa, url)
    except PdpError as error:
        return [wrong("OPA", error.sentence)]
    except TimeoutError:
        return [wrong("OPA", f"opa_url {url}: it does not answer in {OPA_SECONDS:g} s; see what keeps it busy")]
    return [fine("OPA", f"version {version}"), fine("policy", f"revision {revision[:12]} is in force")]


def _own(config: Config, tool_cache: Path) -> list[Observed]:
    """The OPA that a server would start, and the folders that it would build."""
    try:
        binary = toolcache.opa(tool_cache)
    except SetupError as error:
        return [wrong("OPA", error.sentence), wrong("policy", "it was not checked, because there is no OPA")]
    version = ".".join(map(str, toolcache.opa_version(binary)))
    try:
        findings = findings_in(binary, config.policy, full=False, types=config.known_types)
    except (SetupError, OSError) as error:
        return [fine("OPA", f"version {version}"), wrong("policy", _sentence(error))]
    return [
        fine("OPA", f"version {version}"),
        *each("policy", map(str, findings), "a server can load it; `pdp policy check` looks at more"),
    ]


def _sentence(error: SetupError | OSError) -> str:
    if isinstance(error, SetupError):
        return error.sentence
    return f"{error.filename} cannot be read ({error.strerror}); let this user read it"

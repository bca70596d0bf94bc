"""Says what is wrong with a deployment, before or while a server runs. It changes nothing, and quotes no secret."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from pdp.authn.jwks import KeySource
from pdp.config import Config, load
from pdp.errors import SetupError
from pdp.identity_source import Issuer
from pdp.server.certificate_check import certificates
from pdp.server.machine_check import machine
from pdp.server.mongodb_check import mongodb
from pdp.server.observed import Observed, fine, wrong
from pdp.server.policy_check import policy
from pdp.server.port_check import ports
from pdp.server.secret_check import secrets


async def examined(path: Path, tool_cache: Path) -> AsyncIterator[Observed]:
    """A line for each thing that was looked at. Without a usable configuration only the machine is."""
    try:
        config = load(path)
    except SetupError as error:
        first, *fields = error.sentence.splitlines()
        for sentence in fields or [first]:
            yield wrong("configuration", sentence.strip())
        for seen in machine(None):
            yield seen
        return
    yield fine("configuration", f"{path} can be read")
    for seen in (*machine(config), *secrets(config), *certificates(config)):
        yield seen
    for answer in await asyncio.gather(ports(config), mongodb(config), policy(config, tool_cache), _keys(config)):
        for seen in answer:
            yield seen


async def _keys(config: Config) -> list[Observed]:
    return list(await asyncio.gather(*map(_keys_of, config.issuers)))


async def _keys_of(issuer: Issuer) -> Observed:
    what = f"keys of issuer {issuer.type}"
    try:
        source = KeySource(issuer)
        why = await source.look()
    except SetupError as error:
        return wrong(what, error.sentence)
    if why:
        return wrong(what, f"they {why}; its tokens are refused until they can; see `issuer` and `jwks` of its entry")
    return fine(what, f"{len(source.keys)} can be used")

"""A JavaScript library that makes an empty Struct of attributes, without an error.

Under `require_digest` its program is refused, and `pdp dev` warns of it anywhere else.
"""

import asyncio
import os
import tempfile
from pathlib import Path

from pdp.dev import identity
from pdp.dev.losses import Losses
from pdp.dev.stack import configuration
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.server.running import running
from tests.parts import TOOL_CACHE


def tried(program: Path) -> None:
    """Have the program ask a stack as that of `pdp dev`, whose agents have to send a digest."""
    with tempfile.TemporaryDirectory(prefix="placet-languages-") as folder:
        asyncio.run(_tried(program, Path(folder)))


async def _tried(program: Path, state: Path) -> None:
    said: list[str] = []
    async with MongodProcess(toolcache.mongod(), state / "mongodb", say=said.append) as mongod:
        config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=mongod.uri)
        users, agents = config.issuers
        strict = agents.model_copy(update={"require_digest": True})
        config = config.model_copy(update={"issuers": (users, strict), "mask_keys": None})
        async with running(config, TOOL_CACHE, said.append, Losses(said.append)) as server:
            lost = await _answer(program, server.address, state, "user", "alice")
            refused = await _answer(program, server.address, state, "agent", "report-bot")
    assert lost == "EFFECT_ALLOW", f"the library has learnt to write a Struct, or the policy is another: {lost}"
    assert refused == "INVALID_ARGUMENT DIGEST_REQUIRED", refused
    warned = "sends an empty resource.properties and no expected_digest"
    for caller in ("user:alice", "agent:report-bot"):
        assert [line for line in said if line.startswith(f"'{caller}' {warned}")], said


async def _answer(program: Path, address: str, state: Path, kind: str, name: str) -> str:
    variables = {**os.environ, "PDP_ADDRESS": address, "PDP_TOKEN": identity.token(state, name)}
    asking = await asyncio.create_subprocess_exec(
        "node", program, kind, name, env=variables, stdout=asyncio.subprocess.PIPE
    )
    shown, _ = await asking.communicate()
    return shown.decode().strip()

"""A backup with MongoDB's own tools, a restore, and what the log's verification says of both."""

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from joserfc import jwt

from pdp import keys
from pdp.environment import Environment
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from tests.ops.deployment import Deployment
from tests.ops.tools import run, say, tool

PDP = (sys.executable, "-m", "pdp")
AUDITORS = """
[[issuers]]
issuer = "https://login.example.com/people"
audience = "placet"
type = "user"
kind = "person"
jwks = "people.jwk"
roles = ["auditor"]
"""


def tried() -> None:
    """Decide, back up while deciding, decide on, restore elsewhere, and verify against an anchor of each moment."""
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(backed_up_and_restored(Path(name)))


async def backed_up_and_restored(folder: Path) -> None:
    cache = str(Environment.read().tool_cache)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(Path.cwd()), "PDP_TOOL_CACHE": cache}
    (folder / "own").mkdir()
    own = Deployment(folder / "own", environment)
    keys.generate(own.folder / "people.jwk")
    async with MongodProcess(toolcache.mongod(), folder / "first", say=lambda _: None) as mongod:
        own.lay(mongod.uri, AUDITORS)
        environment["PDP_TOKEN"] = own.token()
        async with own.served(*PDP) as address:
            environment["PDP_ADDRESS"] = address
            decide(own, 5)
            backed_up = anchor(own, "backed-up")
            await dumped(own, mongod.uri, folder / "dump")
            decide(own, 3)
            lost = anchor(own, "lost")
    async with MongodProcess(toolcache.mongod(), folder / "second", say=lambda _: None) as mongod:
        run(tool("mongorestore"), "--uri", mongod.uri, "--oplogReplay", folder / "dump")
        own.lay(mongod.uri, AUDITORS)
        async with own.served(*PDP) as address:
            environment["PDP_ADDRESS"] = address
            decide(own, 1)
            own.said(*PDP, "audit", "verify", "--since", backed_up)
            said = own.said(*PDP, "audit", "verify", "--since", lost, status=13)
            why = "the disk of every member was lost"
            own.said(*PDP, "audit", "accept-gap", "--since", lost, "--reason", why, "--token", auditor(own))
            own.said(*PDP, "audit", "verify", "--since", lost, status=13)
            own.said(*PDP, "audit", "verify", "--since", lost, "--accepted")
    say(f"backup: what was backed up verifies; what came after it is missed: {said.strip().splitlines()[-1]}")


def auditor(own: Deployment) -> str:
    """A token of a person, since only people accept a gap."""
    key = keys.private_key(own.folder / "people.jwk")
    claims = {"iss": "https://login.example.com/people", "aud": "placet", "sub": "dana", "exp": int(time.time()) + 600}
    return jwt.encode({"alg": "Ed25519", "kid": key.kid}, claims, key, algorithms=["Ed25519"])


async def dumped(own: Deployment, uri: str, to: Path) -> None:
    """Dump while decisions are made."""
    dump = asyncio.to_thread(run, tool("mongodump"), "--uri", uri, "--oplog", "--out", to)
    await asyncio.gather(dump, asyncio.to_thread(decide, own, 5))


def decide(own: Deployment, times: int) -> None:
    """Ask for decisions, each of which is recorded."""
    for _ in range(times):
        own.said(*PDP, "authorize", "--subject", "agent:etl", "--action", "export", "--resource", "table:orders")


def anchor(own: Deployment, name: str) -> Path:
    """Verify the log, and take the anchor away, as one should."""
    own.said(*PDP, "audit", "verify")
    newest = max((own.folder / ".placet" / "anchors").rglob("log-*.json"))
    return Path(shutil.move(newest, own.folder / name))

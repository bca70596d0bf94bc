"""A small deployment as an operator makes one: keys, a policy, a configuration, and `pdp serve` on them."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pdp.v1 import mask_pb2, mask_pb2_grpc
from pdp.v1.request_pb2 import Subject

SECONDS = 120
CONFIGURATION = """
realm = "example"
listen = "127.0.0.1:0"
mongodb_uri = "{uri}"
policy = ["policy"]
audit_key = "keys/audit.jwk"
grant_key = "keys/grant.jwk"
seal_key = "keys/seal.jwk"
{more}
[[issuers]]
issuer = "https://login.example.com/workloads"
audience = "placet"
type = "agent"
kind = "workload"
jwks = "keys/workloads.jwk"
roles = ["requester", "auditor"]
"""
RULES = """package policy

# METADATA
# title: The loader may do all that is asked here
allow contains {"rule": "loader", "reason": "it is the loader"} if input.subject.id == "etl"

# METADATA
# title: Mail addresses leave as tokens
mask contains {"rule": "mails", "reason": "personal data", "columns": ["mail"], "domain": "mail"}
"""
FIRST = Path("ops/compose/first.py").absolute()


@dataclass
class Deployment:
    """Its folder, and what has to be in the environment of its commands."""

    folder: Path
    environment: dict[str, str]
    server: int = 0
    """The server's process."""

    def lay(self, uri: str, more: str = "") -> None:
        """Write keys, policy and configuration; keys stay as they are."""
        for name in ("keys", "policy"):
            (self.folder / name).mkdir(exist_ok=True)
        self.said(sys.executable, FIRST, "make", "keys")
        (self.folder / "policy" / "rules.rego").write_text(RULES)
        data = {"domains": {"mail": {"mask": "token", "values": "open"}}}
        (self.folder / "policy" / "data.json").write_text(json.dumps(data))
        (self.folder / "placet.toml").write_text(CONFIGURATION.format(uri=uri, more=more))

    def said(self, *command: object, status: int = 0) -> str:
        """What a command prints, if it ends as it should."""
        words, where = list(map(str, command)), {"cwd": self.folder, "env": self.environment}
        done = subprocess.run(words, capture_output=True, text=True, check=False, **where)
        if done.returncode != status:
            sys.exit(f"{command}\nended with {done.returncode}, not {status}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def token(self) -> str:
        """One of its issuer."""
        return self.said(sys.executable, FIRST, "token", "keys").strip()

    @asynccontextmanager
    async def served(self, *command: str | Path) -> AsyncIterator[str]:
        """The address of a server that runs until the block ends, and drains."""
        (self.folder / "log").write_text("")
        with (self.folder / "log").open("w") as log:
            words, where = (*command, "serve", "--config", "placet.toml"), {"cwd": self.folder, "env": self.environment}
            process = await asyncio.create_subprocess_exec(*words, stderr=log, **where)
        self.server = process.pid
        try:
            yield await self._address(process)
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.wait(), SECONDS)

    async def _address(self, process: asyncio.subprocess.Process) -> str:
        """Where it says that it serves."""
        async with asyncio.timeout(SECONDS):
            while "serving on " not in (text := (self.folder / "log").read_text()):
                if process.returncode is not None:
                    sys.exit(f"the server ended with {process.returncode}\n{text}")
                await asyncio.sleep(0.02)
        return text.partition("serving on ")[2].split()[0].rstrip(',"')


def cpu_seconds(process: int) -> float:
    """What a process has computed so far; the time of a clock depends on what else runs here."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def masked(address: str, token: str) -> Sequence[str]:
    """The records of a first mask, once the server is healthy."""
    scope = mask_pb2.MaskScope(subject=Subject(type="agent", id="etl"), table="people", attempt_id=os.urandom(8).hex())
    data = mask_pb2.MaskData(records=mask_pb2.JsonRecords(records=['{"mail": "a@example.com"}']))
    request, own = mask_pb2.MaskRequest(scope=scope, data=data), [("authorization", f"Bearer {token}")]
    async with grpc.aio.insecure_channel(address) as channel, asyncio.timeout(SECONDS):
        health: Any = health_pb2_grpc.HealthStub(channel)
        while (await health.Check(health_pb2.HealthCheckRequest())).status != health_pb2.HealthCheckResponse.SERVING:
            await asyncio.sleep(0.05)
        answer = await mask_pb2_grpc.MaskServiceStub(channel).Mask(request, metadata=own, timeout=SECONDS)
        return answer.data.records.records

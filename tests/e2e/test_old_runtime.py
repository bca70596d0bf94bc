"""The oldest libraries that clients may have (`requirements-gen.lock`) run the generated code and the client."""

import asyncio
import json
import os
from pathlib import Path

from pdp.dev import identity
from tests.parts import Placet

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-gen/bin/python"
PROGRAM = """
import asyncio, importlib.metadata, json
from pdp.client import Client

async def main():
    async with Client() as pdp:
        ask = {"on_behalf_of": ["user:alice"], "properties": {"tags": ["pii"]}, "context": {"n": 1}}
        actions = ("read", "drop", "share")
        decisions = [await pdp.authorize("agent:report-bot", action, "table:t", **ask) for action in actions]
    async with Client(token="wrong") as stranger:
        decisions.append(await stranger.authorize("agent:report-bot", "read", "table:t"))
    versions = {name: importlib.metadata.version(name) for name in ("protobuf", "grpcio")}
    allowed, why = [decision.allowed for decision in decisions], [decision.why for decision in decisions]
    print(json.dumps({"versions": versions, "allowed": allowed, "why": why}))

asyncio.run(main())
"""


async def test_the_client_runs_on_the_oldest_libraries(server: Placet) -> None:
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error",
        "PDP_ADDRESS": server.address,
        "PDP_TOKEN": identity.token(server.state, "report-bot"),
    }
    process = await asyncio.create_subprocess_exec(
        PYTHON, "-c", PROGRAM, env=variables, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, err.decode()
    said = json.loads(out)
    assert said["versions"]["protobuf"].startswith("6.33.")
    assert said["versions"]["grpcio"].startswith("1.76.")
    assert said["allowed"] == [True, False, False, False]
    assert said["why"][1].startswith("DENY: agents never drop a table")
    assert said["why"][2].startswith("NEEDS_APPROVAL: ")
    assert said["why"][3].startswith("UNAUTHENTICATED: ")

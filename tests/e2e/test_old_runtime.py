"""The oldest libraries that clients may have (`requirements-gen.lock`) run the generated code and the client."""

import asyncio
import json
import os
import subprocess
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


def test_every_module_of_the_client_runs_on_what_the_client_alone_brings() -> None:
    """But for those that speak Arrow, which are loaded where a program masks, and come with `placet[mask]`."""
    names = {path.stem for path in (ROOT / "pdp/client").glob("*.py")} - {"__init__", "masks", "unmasking"}
    modules = [f"pdp.client.{name}" for name in sorted(names)]
    done = _alone("-c", f"import importlib; [importlib.import_module(name) for name in {modules!r}]")
    assert done.returncode == 0, done.stderr


def test_command_line_says_which_extra_it_needs() -> None:
    done = _alone("-m", "pdp", "decide")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "pdp: the command line needs typer: pip install 'placet[cli]'\n"


def _alone(*arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return subprocess.run([PYTHON, *arguments], env=variables, capture_output=True, text=True, check=False)

"""What the documents say of generating a client, typed in an empty folder."""

import asyncio
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from pdp.dev import identity
from tests.documents import ROOT, sections
from tests.parts import Placet

PROGRAM = """
import sys
import grpc
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.v1.decision_pb2_grpc import DecisionServiceStub
import pdp.v1.decision_pb2_grpc as stubs

address, token = sys.argv[1:]
request = AuthorizeRequest()
request.subject.type, request.subject.id = "user", "alice"
request.action.name, request.resource.type, request.resource.id = "read", "table", "customers"
with grpc.insecure_channel(address) as channel:
    call = DecisionServiceStub(channel).Authorize
    answer = call(request, metadata=[("authorization", "Bearer " + token)], timeout=10)
print(stubs.__file__, answer.effect)
"""


async def ran(command: list[str], folder: Path, **variables: str) -> str:
    """What a command prints, on a thread: the server is on this one."""
    run = partial(subprocess.run, capture_output=True, text=True, check=True)
    return str((await asyncio.to_thread(run, command, cwd=folder, env={**os.environ, **variables})).stdout)


async def test_generated_client_has_stubs_and_asks(server: Placet, tmp_path: Path) -> None:
    [lines] = [
        block for block in sections("docs/applications.md")["Ask from any language"] if "--python_out" in block.text
    ]
    (tmp_path / "proto").symlink_to(ROOT / "proto")
    path = f"{ROOT / '.venv-gen/bin'}:{os.environ['PATH']}"
    await ran(["bash", "-ec", lines.text], tmp_path, PATH=path)
    client = tmp_path / "client"
    program = [sys.executable, "-c", PROGRAM, server.address, identity.token(server.state, "dev")]
    assert (await ran(program, client, PYTHONPATH=str(client))).split() == [
        str(client / "pdp/v1/decision_pb2_grpc.py"),
        "1",
    ]

"""What the clients of all languages have in common: a README that is typed, and commands that find the server."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from tests.documents import FILES, ROOT, Block, commands, sections
from tests.examples.visit import typed, variables
from tests.reader import Reader

PROTOC = ROOT / ".venv-gen/bin/python-grpc-tools-protoc"
"""The compiler that `make setup` installs, in the version that makes pdp/v1."""


def environment(**more: str) -> dict[str, str]:
    """The variables of a program that finds the server, `pdp`, and the compiler as `PROTOC`."""
    own = {name: os.environ[name] for name in ("PDP_ADDRESS", "PDP_STATE")}
    return variables(**own, PROTOC=str(PROTOC)) | more


def ran(*command: str, folder: Path, more: Mapping[str, str] | None = None) -> str:
    """What a command prints. `CalledProcessError` where it fails; what it said is on standard error."""
    done = subprocess.run(
        command, cwd=folder, env=environment(**(more or {})), check=False, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        sys.stderr.write(done.stdout)
    done.check_returncode()
    return done.stdout


def ran_beside_tls(*command: str, folder: Path, more: Mapping[str, str] | None = None) -> str:
    """The same, beside a server with TLS (`tests.languages.secure`)."""
    beside = {"PYTHONPATH": str(ROOT), "GRPC_VERBOSITY": "NONE", **(more or {})}
    return ran(sys.executable, "-m", "tests.languages.secure", *command, folder=folder, more=beside)


def read(client: str, **more: str) -> None:
    """Type what a client's README says into an empty folder, beside a checkout that is called `placet`.

    The block that starts a server is left out: one runs. `AssertionError` where a command shows something else.
    """
    with tempfile.TemporaryDirectory(prefix="placet-languages-") as parent, ExitStack() as processes:
        (Path(parent) / "placet").symlink_to(ROOT)
        folder = Path(parent) / "app"
        folder.mkdir()
        reader = Reader(folder, environment(**more), "", processes)
        for block in [block for found in sections(f"clients/{client}/README.md").values() for block in found]:
            _try(reader, block)


def _try(reader: Reader, block: Block) -> None:
    if block.language in FILES:
        reader.write(block)
        return
    for command in commands(block):
        if command.text != "pdp dev":
            typed(reader, command, block)

"""Systems without what only Unix has: the client, the commands, the policy check and embedded masking work there.

These tests take the modules away. They are not a run on such a system.
"""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from pdp.dev.presence import FILE
from tests.faults import ROOT
from tests.parts import TOOL_CACHE, Placet

LACKING = ("fcntl", "grp", "pty", "pwd", "readline", "resource", "termios", "tty", "uvloop")
PREFIX = f"""
import sys
class Lacking:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {LACKING!r}:
            raise ImportError(name)
sys.meta_path.insert(0, Lacking())
for name in {LACKING!r}:
    sys.modules.pop(name, None)
"""
EVERY_MODULE = """
import importlib, pkgutil, masker, pdp
for package in (pdp, masker):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
"""
MASKING = """
from pathlib import Path
import masker
from masker import keys
try:
    keys.rotate(Path(sys.argv[1]), now=None)
except masker.KeyRefused as error:
    print(error)
print(masker.Keyring.load(Path(sys.argv[1])).realm)
"""
COMMANDS = "from pdp.__main__ import main\nmain()\n"


async def ran(code: str, *arguments: object, **variables: str) -> tuple[int, str]:
    """The status and the output of Python without these modules."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PREFIX + code, *map(str, arguments)),
        cwd=ROOT,
        env={**os.environ, "PDP_TOOLS": str(TOOL_CACHE), **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_every_module_can_be_imported() -> None:
    assert await ran(EVERY_MODULE) == (0, "")


async def test_policy_is_checked() -> None:
    status, said = await ran(COMMANDS, "policy", "check", "rego")
    assert status == 0, said


async def test_client_asks(server: Placet) -> None:
    [(_, token)] = server.metadata("dev")
    variables = {"PDP_ADDRESS": server.address, "PDP_TOKEN": token.removeprefix("Bearer ")}
    status, said = await ran(COMMANDS, "whoami", **variables)
    assert (status, "agent:dev" in said) == (0, True), said


async def test_keys_are_read_and_what_changes_them_says_what_is_missing(server: Placet) -> None:
    status, said = await ran(MASKING, server.state / "keys" / "mask.json")
    assert status == 0, said
    assert "this system has no file locks" in said
    assert said.splitlines()[-1] == "dev"


@pytest.mark.parametrize("command", [["dev", "--", "true"], ["whoami", "--as", "alice"]])
async def test_command_that_needs_locks_says_so(command: list[str], tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    status, said = await ran(COMMANDS, *command, PDP_STATE=str(tmp_path))
    assert status != 0
    assert "need file locks, which this system lacks" in said
    assert "Traceback" not in said

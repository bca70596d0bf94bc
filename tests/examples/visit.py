"""Somebody who copies an example and does what its README says, against a server as `pdp dev` starts it."""

import asyncio
import os
import re
import shlex
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.documents import ROOT, Block, Command, commands, sections
from tests.parts import Placet, placet
from tests.reader import Reader, on_terminal

EXAMPLES = ROOT / "examples"
NOWHERE = "127.0.0.1:1"
"""An address at which nothing answers."""
NAMES = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())


def left_behind() -> set[str]:
    """Names of what running the examples in the checkout leaves there."""
    lines = (ROOT / ".gitignore").read_text().splitlines()
    return {line.rstrip("/").rpartition("/")[2] for line in lines if line.startswith("/examples/")}


def copied(name: str, checkout: Path) -> Path:
    """An example's folder, alone in what looks like a checkout."""
    folder = checkout / "examples" / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("__pycache__", *left_behind()))
    (checkout / "proto").symlink_to(ROOT / "proto")
    return folder


def blocks(name: str) -> list[Block]:
    """README's blocks, in order."""
    return [block for found in sections(f"examples/{name}/README.md").values() for block in found]


def variables(**more: str) -> dict[str, str]:
    """The environment of a terminal that finds `pdp` and its `python`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PDP_")}
    kept |= {name: os.environ[name] for name in ["PDP_TOOL_CACHE"] if name in os.environ}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return kept | {"PATH": path, "NO_COLOR": "1", "TERM": "dumb"} | more


def policy(start: Block) -> list[str]:
    """The policy folders of the `pdp dev` that a block is."""
    (command,) = commands(start)
    words = [word for word in shlex.split(command.text) if word != "--slack"]
    assert words[:2] == ["pdp", "dev"], f"{start.place} does not start a server"
    assert words[2::2] == ["--policy"] * len(words[3::2]), f"{start.place}: {command.text}"
    return words[3::2]


def typed(reader: Reader, command: Command, block: Block) -> None:
    """Type one command; what it exports stays for the next ones."""
    if exported := re.match(r"export (\w+)=", command.text):
        script = f'{reader.placed(command.text)}; printf %s "${exported[1]}"'
        shown = on_terminal(script, reader.folder, reader.variables)
        reader.variables[exported[1]] = shown
    else:
        reader.run_typed([command], block)


class Visit:
    """One visitor of one example: `folder` is the copy, `blocks` what README says."""

    def __init__(self, name: str, checkout: Path) -> None:
        self.folder = copied(name, checkout)
        self.blocks = blocks(name)
        self.reader = Reader(self.folder, variables(PDP_ADDRESS=NOWHERE), "", ExitStack())

    async def type(self, block: Block) -> None:
        """Type a block into a terminal, command by command; this process goes on serving meanwhile."""
        for command in commands(block):
            await asyncio.to_thread(typed, self.reader, command, block)

    @asynccontextmanager
    async def served(self, start: Block, state: Path, mongodb_uri: str, **changes: Any) -> AsyncIterator[Placet]:
        """The server that README starts, on a free port; it is in this process and on the MongoDB of all tests."""
        folders = [self.folder / name for name in policy(start)]
        async with placet(state, mongodb_uri, policy=folders, **changes) as server:
            http = server.http.removeprefix("http://")
            self.reader.variables |= {"PDP_ADDRESS": server.address, "PDP_STATE": str(state), "READER_HTTP": http}
            yield server

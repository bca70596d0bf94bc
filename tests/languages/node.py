"""What the README of examples/node says, typed in a copy of the folder."""

import asyncio
import tempfile
from pathlib import Path

from tests.examples.visit import Visit
from tests.languages.clients import environment

TOOLS = ("node", "npm")


def tried() -> None:
    """Type the blocks behind the one that starts a server. `AssertionError` where one shows something else."""
    with tempfile.TemporaryDirectory(prefix="placet-languages-") as folder:
        asyncio.run(_typed(Path(folder)))


async def _typed(folder: Path) -> None:
    visit = Visit("node", folder)
    visit.reader.variables |= environment()
    for block in visit.blocks[1:]:
        await visit.type(block)

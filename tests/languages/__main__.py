"""`make languages`: what the READMEs of examples/go and examples/node say, typed against a running server.

Not part of `make test`: it needs Go or Node, and their registries. Run inside `pdp dev -- …`, which names the server.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.documents import ROOT
from tests.examples.visit import Visit

PROTOC = ROOT / ".venv-gen/bin/python-grpc-tools-protoc"


async def tried(language: str, folder: Path) -> None:
    """Type the README's blocks behind the one that starts a server. `AssertionError` where one says something else."""
    visit = Visit(language, folder)
    (folder / "protoc").symlink_to(PROTOC)  # a reader has one of their own
    own = {name: os.environ[name] for name in ("PDP_ADDRESS", "PDP_STATE")}
    visit.reader.variables |= {**own, "PATH": f"{folder}:{visit.reader.variables['PATH']}"}
    for block in visit.blocks[1:]:
        await visit.type(block)


def say(line: str) -> None:
    """To whoever runs this."""
    sys.stdout.write(f"{line}\n")


def main() -> None:
    """Try every language whose tools are here."""
    count = 0
    for language in ("go", "node"):
        if not shutil.which(language):
            say(f"{language}: not on this machine")
            continue
        with tempfile.TemporaryDirectory(prefix="placet-languages-") as folder:
            asyncio.run(tried(language, Path(folder)))
        say(f"{language}: ok")
        count += 1
    if not count:
        sys.exit("neither Go nor Node is on this machine")


if __name__ == "__main__":
    main()

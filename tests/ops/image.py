"""The steps of the image in an empty folder: nothing is written but what is meant to be, and it masks soon."""

import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

from pdp.environment import Environment
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from tests.ops.deployment import Deployment, cpu_seconds, masked
from tests.ops.tools import on_path, run, say

CONTAINERFILE = Path("ops/Containerfile")
IMAGE = "server-mask"


def tried(prefix: Path | None = None) -> None:
    """Install it, unless a prefix is given, and serve from there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prefix = prefix or installed(folder)
        asyncio.run(serves(folder, prefix, prefix.with_name("masks")))


def installed(folder: Path) -> Path:
    """Take the image's steps, but for the system's packages and the user."""
    began, sources = time.monotonic(), folder / "src"
    for line in re.findall(r"^COPY (?!--)(.*) \S+$", CONTAINERFILE.read_text(), re.MULTILINE):
        for path in map(Path, line.split()):
            sources.mkdir(exist_ok=True)
            shutil.copytree(path, sources / path) if path.is_dir() else shutil.copy(path, sources)
    # OPA is the one of the folder for tools, which an image builds or fetches.
    environment = {**os.environ, "PYTHONPATH": "", "PDP_TOOL_CACHE": str(Environment.read().tool_cache)}
    run(sources / "ops/install.sh", IMAGE, folder / "prefix", folder / "masks", env=environment)
    shutil.rmtree(sources)
    say(f"image: installed in {time.monotonic() - began:.0f} s")
    return folder / "prefix"


async def serves(folder: Path, prefix: Path, masks: Path) -> None:
    """Serve from a prefix and with a home that cannot be written; end if anything changes there."""
    home, tmp, own = (folder / name for name in ("home", "tmp", "deployment"))
    for path in (home, tmp, own):
        path.mkdir()
    path = f"{prefix}/bin:/usr/bin:/bin"
    environment = {"HOME": str(home), "TMPDIR": str(tmp), "PATH": path, "PDP_TOOL_CACHE": str(masks)}
    closed(prefix, home, masks)
    before = state(prefix, home, masks)
    async with MongodProcess(toolcache.mongod(), folder / "mongodb", say=lambda _: None) as mongod:
        deployment = Deployment(own, {**environment, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(Path.cwd())})
        deployment.lay(mongod.uri, 'mask_keys = "keys/mask.json"')
        deployment.said(prefix / "bin/pdp", "keys", "rotate", "keys/mask.json", "--realm", "example")
        token = deployment.token()
        del deployment.environment["PYTHONPATH"]  # it serves from its prefix alone
        await first_mask(deployment, token, prefix, "masks from the image")
        deployment.environment["PDP_TOOL_CACHE"] = str(home / "none")
        await first_mask(deployment, token, prefix, "masks compiled, as on a processor of another kind")
    if before != (after := state(prefix, home, masks)):
        sys.exit(f"the server wrote {sorted(set(after.items()) ^ set(before.items()))[:5]}")


async def first_mask(deployment: Deployment, token: str, prefix: Path, what: str) -> None:
    """Say how long it takes from the start to the first masked record."""
    began = time.monotonic()
    async with deployment.served(*unprivileged(), prefix / "bin/pdp") as address:
        ready = time.monotonic() - began
        (record,) = await masked(address, token)
        took, computed = time.monotonic() - began, cpu_seconds(deployment.server)
    if "a@example.com" in record:
        sys.exit(f"it is not masked: {record}")
    cpu = f"{computed:.1f} s of CPU in the server"
    say(f"image: {took:.1f} s to the first mask, {ready:.1f} s to serve, {cpu} ({what})")


def unprivileged() -> list[str]:
    """Root without capabilities, whom modes of files bind as everybody else; nothing for another user."""
    if os.geteuid():
        return []
    return [on_path("setpriv", "util-linux"), "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]


def closed(*folders: Path) -> None:
    """Take away all rights to write."""
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)


def state(*folders: Path) -> dict[str, int]:
    """When each file was changed last."""
    return {str(path): path.lstat().st_mtime_ns for folder in folders for path in (folder, *folder.rglob("*"))}

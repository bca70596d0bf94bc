"""Finds OPA and `mongod`: on the PATH, or else among the tools that were fetched for this user."""

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path

from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.say import say, tell

OPA_VERSION = "1.22.2"
"""The version that is installed if there is no OPA on the PATH."""
OLDEST_OPA = (1, 4, 0)
"""The oldest OPA that is used; in an older one a path can inject a query (CVE-2025-46569)."""
RELEASE_URL = f"https://github.com/open-policy-agent/opa/releases/download/v{OPA_VERSION}"
"""Where the project publishes its binaries."""
CHECKSUMS: Mapping[str, str] = {}
"""SHA-256 of each release binary, by its name. A platform without one gets OPA from Go's module, which Go verifies.

A checksum comes from the project by a way of its own, never from where the binary is fetched. CONTRIBUTING says how.
"""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""What the releases call a machine."""
_SECONDS = 5.0
"""Seconds to connect, and that a download may stand still."""


def opa(cache: Path) -> Path:
    """The OPA on the PATH if it is new enough, else the one in `cache`. `SetupError` says how to get one."""
    found = shutil.which("opa")
    if found and opa_version(Path(found)) >= OLDEST_OPA:
        return Path(found)
    if (pinned := _pinned(cache)).exists():
        return pinned
    problem = f"{found} is not OPA {'.'.join(map(str, OLDEST_OPA))} or newer" if found else "there is no OPA"
    raise SetupError(f"{problem}: run `{sys.executable} -m pdp.process.toolcache`, or put one on the PATH")


def opa_version(binary: Path) -> tuple[int, ...]:
    """The version that the binary prints. If it prints none, an empty tuple, which is less than every version."""
    try:
        done = subprocess.run([binary, "version"], capture_output=True, check=False, timeout=30)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ()
    version = re.match(rb"Version: (\d+)\.(\d+)\.(\d+)", done.stdout)
    return tuple(map(int, version.groups())) if version else ()


def mongod() -> Path:
    """The `mongod` on the PATH, or else the one in the wheel of the extra `mongod`. Raises `SetupError` without one."""
    if found := shutil.which("mongod"):
        return Path(found)
    wheel = importlib.util.find_spec("fiftyone")
    for folder in (wheel and wheel.submodule_search_locations) or ():
        if (binary := Path(folder, "db", "bin", "mongod")).exists():
            if not os.access(binary, os.X_OK):  # some installers do not keep the permission
                binary.chmod(0o755)
            return binary
    raise SetupError(
        "there is no MongoDB: put `mongod` on the PATH, or on Linux x86-64 `pip install 'placet[mongod]'`, "
        "or give a replica set with --mongodb-uri"
    )


def install_opa(
    cache: Path,
    say: Callable[[str], None],
    *,
    url: str = RELEASE_URL,
    checksums: Mapping[str, str] = CHECKSUMS,
) -> Path:
    """Put the pinned OPA into `cache`, as a whole or not at all, unless it is there. Raises `SetupError`.

    1. The official release, where its checksum is known here. One that does not match ends it.
    2. Else, or where the release cannot be had, `go install`.
    """
    if (pinned := _pinned(cache)).exists():
        return pinned
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="opa-") as folder:
        binary, name = Path(folder, "opa"), release_name()
        problem = _downloaded(binary, f"{url}/{name}", checksums.get(name, ""), say)
        if problem and (also := _built(binary, say)):
            raise SetupError(f"OPA {OPA_VERSION} cannot be had: {problem}, and {also}; put `opa` on the PATH")
        if opa_version(binary) != tuple(map(int, OPA_VERSION.split("."))):
            raise SetupError(f"what was fetched is not OPA {OPA_VERSION}; put `opa` on the PATH")
        binary.replace(pinned)
    say(f"OPA {OPA_VERSION} is in {pinned}")
    return pinned


def _pinned(cache: Path) -> Path:
    return cache / f"opa-{OPA_VERSION}"


def _built(binary: Path, say: Callable[[str], None]) -> str:
    """Build OPA from its Go module, which Go's checksum database verifies. Returns what is in the way, or nothing."""
    if not (go := shutil.which("go")):
        return "there is no Go to build it"
    say(f"building OPA {OPA_VERSION} with `go install`: about 80 s, once")
    module = f"github.com/open-policy-agent/opa@v{OPA_VERSION}"
    # env(1) adds to the inherited environment, where Go finds its caches and proxies.
    command = ["/usr/bin/env", "-u", "GOOS", "-u", "GOARCH", f"GOBIN={binary.parent}", go, "install", module]
    done = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603
    said = done.stderr.strip().splitlines() or ["it says nothing"]
    return f"`go install` failed ({said[-1]})" if done.returncode else ""


def _downloaded(binary: Path, url: str, checksum: str, say: Callable[[str], None]) -> str:
    """Fetch a release binary. Returns what is in the way, or nothing. Raises `SetupError` if it is not what it was."""
    if not checksum:
        return "no checksum of a release for this platform is known"
    say(f"downloading OPA {OPA_VERSION}: about 60 MB, once")
    try:
        found = _fetched(binary, url)
    except (OSError, HTTPException) as error:
        return f"{urllib.parse.urlsplit(url).netloc} does not give it ({getattr(error, 'reason', error)})"
    if found != checksum:
        raise SetupError(
            f"the OPA at {url} is not the one that was released: its SHA-256 is {found}, not {checksum}; do not run it"
        )
    binary.chmod(0o755)
    return ""


def _fetched(binary: Path, url: str) -> str:
    """Write what is at `url`, and return its SHA-256."""
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=_SECONDS) as answer, binary.open("wb") as file:  # noqa: S310  # https
        while part := answer.read(1 << 20):
            digest.update(part)
            file.write(part)
    return digest.hexdigest()


def release_name() -> str:
    """The name of the release binary for this machine."""
    machine = platform.machine().lower()
    system = f"{platform.system().lower()}_{_ARCHITECTURES.get(machine, machine)}"
    return {"darwin_amd64": "opa_darwin_amd64", "windows_amd64": "opa_windows_amd64.exe"}.get(
        system, f"opa_{system}_static"
    )


def main() -> None:
    """`python -m pdp.process.toolcache [SHA256]`: print the path of an OPA. It is fetched if there is none.

    SHA256 is that of the release binary for this platform, in place of the one in `CHECKSUMS`.
    """
    cache = Environment.read().tool_cache
    checksums = {release_name(): sys.argv[1]} if sys.argv[1:] else CHECKSUMS
    try:
        binary = opa(cache)
    except SetupError:
        binary = _installed(cache, checksums)
    tell(str(binary))


def _installed(cache: Path, checksums: Mapping[str, str]) -> Path:
    try:
        return install_opa(cache, say, checksums=checksums)
    except SetupError as error:
        sys.exit(error.sentence)


if __name__ == "__main__":
    main()

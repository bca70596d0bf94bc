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
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from pdp.environment import Environment
from pdp.errors import SetupError

OPA_VERSION = "1.22.2"
"""The version that is installed if there is no OPA on the PATH."""
OLDEST_OPA = (1, 4, 0)
"""The oldest OPA that is used; in an older one a path can inject a query (CVE-2025-46569)."""
_RELEASE = f"https://github.com/open-policy-agent/opa/releases/download/v{OPA_VERSION}"


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


def install_opa(cache: Path, say: Callable[[str], None]) -> Path:
    """Put the pinned OPA into `cache`, as a whole or not at all, unless it is there. Raises `SetupError`."""
    if (pinned := _pinned(cache)).exists():
        return pinned
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="opa-") as folder:
        binary = Path(folder, "opa")
        if not _build(binary, say):
            _download(binary, say)
        if opa_version(binary) != tuple(map(int, OPA_VERSION.split("."))):
            raise SetupError(f"what was fetched is not OPA {OPA_VERSION}; put `opa` on the PATH")
        binary.replace(pinned)
    say(f"OPA {OPA_VERSION} is in {pinned}")
    return pinned


def _pinned(cache: Path) -> Path:
    return cache / f"opa-{OPA_VERSION}"


def _build(binary: Path, say: Callable[[str], None]) -> bool:
    """Build OPA from its Go module, which Go's checksum database verifies. Returns False without Go or if it fails."""
    if not (go := shutil.which("go")):
        return False
    say(f"building OPA {OPA_VERSION} with `go install`: about 80 s, once")
    module = f"github.com/open-policy-agent/opa@v{OPA_VERSION}"
    # env(1) adds to the inherited environment, where Go finds its caches and proxies.
    command = ["/usr/bin/env", "-u", "GOOS", "-u", "GOARCH", f"GOBIN={binary.parent}", go, "install", module]
    done = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603
    if done.returncode:
        say(f"`go install` failed:\n{done.stderr.strip()}")
    return done.returncode == 0


def _download(binary: Path, say: Callable[[str], None]) -> None:
    """Fetch the project's release binary and compare it with the checksum that is published beside it."""
    name = _release_name()
    say(f"downloading OPA {OPA_VERSION} ({name}): about 60 MB, once")
    content = _fetch(name)
    if _fetch(f"{name}.sha256").split()[:1] != [hashlib.sha256(content).hexdigest().encode()]:
        raise SetupError("the OPA download does not match its checksum; put `opa` on the PATH")
    binary.write_bytes(content)
    binary.chmod(0o755)


def _release_name() -> str:
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    system = f"{platform.system().lower()}_{architecture}"
    return f"opa_{system}" if system == "darwin_amd64" else f"opa_{system}_static"


def _fetch(name: str) -> bytes:
    try:
        with urllib.request.urlopen(f"{_RELEASE}/{name}", timeout=60) as answer:  # noqa: S310  # https
            return bytes(answer.read())
    except (OSError, HTTPException) as error:
        raise SetupError(f"cannot download OPA ({error}); install Go, or put `opa` on the PATH") from error


def main() -> None:
    """`python -m pdp.process.toolcache`: print the path of an OPA. It is fetched if there is none."""
    cache = Environment.read().tool_cache
    try:
        binary = opa(cache)
    except SetupError:
        binary = _installed(cache)
    print(binary)  # noqa: T201


def _installed(cache: Path) -> Path:
    try:
        return install_opa(cache, lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201
    except SetupError as error:
        sys.exit(error.sentence)


if __name__ == "__main__":
    main()

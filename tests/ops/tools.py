"""What checks `ops/`: programs that are built from their Go modules once, and kept in the folder for tools."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pdp.environment import Environment

FOLDER = Environment.read().tool_cache / "ops"
PACKAGES: Mapping[str, tuple[str, str]] = {
    "helm": ("helm.sh/helm/v3/cmd/helm", "v3.22.0"),
    "kubeconform": ("github.com/yannh/kubeconform/cmd/kubeconform", "v0.8.0"),
    "promtool": ("github.com/prometheus/prometheus/cmd/promtool", "v0.316.0"),
    "prometheus": ("github.com/prometheus/prometheus/cmd/prometheus", "v0.316.0"),
}
"""A tool's package and version, which Go verifies."""
MODULES: Mapping[str, tuple[str, str]] = {
    "mongodump": ("mongo_tools", "github.com/mongodb/mongo-tools/mongodump/main"),
    "mongorestore": ("mongo_tools", "github.com/mongodb/mongo-tools/mongorestore/main"),
    "dashboard-types": ("dashboard_types", "."),
}
"""A tool's module beside this file, which pins what it is built from, and its package."""
BESIDE = Path(".venv-ops")


def tool(name: str) -> Path:
    """A program of Go's, built if it is not here yet: up to some minutes."""
    if not (kept := FOLDER / f"{name}-{version(name)}").exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        say(f"building {name} {version(name)}: up to some minutes, once")
        with tempfile.TemporaryDirectory(dir=FOLDER) as made:
            built(name, Path(made)).replace(kept)
    return kept


def version(name: str) -> str:
    """That of its package, or what its module is now."""
    if name in PACKAGES:
        return PACKAGES[name][1]
    files = sorted(Path(__file__).with_name(MODULES[name][0]).iterdir())
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def built(name: str, folder: Path) -> Path:
    """Build a tool in a folder."""
    go = shutil.which("go") or sys.exit(f"{name} is built by Go, which is not on the PATH")
    environment = {**os.environ, "GOBIN": str(folder)}
    if name in PACKAGES:
        run(go, "install", "@".join(PACKAGES[name]), env=environment)
    else:
        module, package = MODULES[name]
        run(go, "build", "-o", folder / name, package, cwd=Path(__file__).with_name(module), env=environment)
    return folder / name


def hadolint() -> Path:
    """Checks Containerfiles; `make ops` installed it."""
    return BESIDE / "bin" / "hadolint"


def on_path(name: str, package: str) -> str:
    """A program of the system."""
    return shutil.which(name) or sys.exit(f"there is no {name} on the PATH: apt-get install {package}")


def run(*command: object, **options: object) -> str:
    """What a command prints. If it fails, what it said is shown, and this ends."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
    return str(done.stdout + done.stderr)


def say(line: str) -> None:
    """To whom runs this."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()

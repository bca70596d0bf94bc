"""What checks `ops/`: programs that are built from their Go modules once, and kept in the folder for tools."""

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
}
"""A tool's package and version, which Go verifies."""
MONGO_TOOLS = Path(__file__).with_name("mongo_tools")
"""The module that pins MongoDB's tools: their versions have no tags that Go knows."""
BESIDE = Path(".venv-ops")


def tool(name: str) -> Path:
    """A program of Go's, built if it is not here yet: up to some minutes."""
    version = PACKAGES[name][1] if name in PACKAGES else "pinned"
    if not (kept := FOLDER / f"{name}-{version}").exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        say(f"building {name} {version}: up to some minutes, once")
        with tempfile.TemporaryDirectory(dir=FOLDER) as made:
            built(name, Path(made)).replace(kept)
    return kept


def built(name: str, folder: Path) -> Path:
    """Build a tool in a folder."""
    go = shutil.which("go") or sys.exit(f"{name} is built by Go, which is not on the PATH")
    environment = {**os.environ, "GOBIN": str(folder)}
    if name in PACKAGES:
        run(go, "install", "@".join(PACKAGES[name]), env=environment)
    else:
        package = f"github.com/mongodb/mongo-tools/{name}/main"
        run(go, "build", "-o", folder / name, package, cwd=MONGO_TOOLS, env=environment)
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

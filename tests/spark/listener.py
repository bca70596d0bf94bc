"""OpenLineage's listener for Spark: a jar that Maven fetches into the tool cache, once."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.parts import TOOL_CACHE

VERSION = "1.37.0"
"""The version that is tried."""
CHECKSUMS = {
    "2.12": "b2a97461f0c4ad8e11c1a75d44244dddba2a40118cf6893b558a89797e50049d",
    "2.13": "0f819ec262c58f899d117306ecc05a69ab966a67d5fe0c277ee1f407f33d4455",
}
"""SHA-256 of the jar, by the version of Scala that it is for: Spark 3.5 is built with 2.12, Spark 4 with 2.13."""


def jar(scala: str, cache: Path = TOOL_CACHE) -> Path:
    """The jar for a version of Scala; fetched if it is not in the cache. `LookupError` says why not."""
    name = f"openlineage-spark_{scala}"
    path = cache / f"{name}-{VERSION}.jar"
    if not path.exists():
        _fetch(f"io.openlineage:{name}:{VERSION}", cache)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != CHECKSUMS[scala]:
        path.unlink()
        raise LookupError(f"{path.name} is not the one that was released: its SHA-256 is {found}")
    return path


def _fetch(artifact: str, cache: Path) -> None:
    if not (maven := shutil.which("mvn")):
        raise LookupError("the listener of OpenLineage comes by Maven: put `mvn` on the PATH")
    to = [f"-Dartifact={artifact}", "-Dtransitive=false", f"-DoutputDirectory={cache}"]
    cache.mkdir(parents=True, exist_ok=True)
    command = [maven, "--batch-mode", "--quiet", "dependency:get", "dependency:copy", *to]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LookupError(f"Maven does not give {artifact}: {done.stdout[-500:]}")

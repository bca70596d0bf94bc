"""`make spark`: the tests in this folder on each version of Spark, with executors in processes of their own.

Arguments name some of the files. The packages of the tests are those of the suite; Spark comes from venvs of its own.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.spark.cluster import ROOT

VENVS = {"Spark 4.0": ".venv-spark", "Spark 3.5": ".venv-spark35"}
"""Where each version of Spark is."""

OPTIONS = ("--timeout", "600", "-W", "ignore::ResourceWarning", "-W", "ignore::DeprecationWarning")
"""A session starts slowly. The driver's Python leaves sockets for the garbage collector; Spark 3.5 uses distutils."""


def main() -> None:
    """Run the tests on each version; the first that fails ends it."""
    files = [str(ROOT / "tests/spark" / name) for name in sys.argv[1:]] or [str(ROOT / "tests/spark")]
    for name, venv in VENVS.items():
        began = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", "-n", "0", *OPTIONS, *files]
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": packages(venv)}, check=False)
        if done.returncode:
            sys.exit(done.returncode)
        sys.stdout.write(f"{name}: ok, {time.monotonic() - began:.0f} s\n")
        sys.stdout.flush()


def packages(venv: str) -> str:
    """The packages of a venv, as PYTHONPATH has them."""
    return str(next(Path(ROOT, venv).glob("lib/python*/site-packages")))


if __name__ == "__main__":
    main()

"""Runs the few tests that failed in a whole run once more, alone: `python -m tests.again`.

A test that bounds a time may fail while others use the machine. One that fails alone, too, is broken, and so are many.
"""

import json
import subprocess
import sys
from pathlib import Path

FAILED = Path(".pytest_cache/v/cache/lastfailed")
FEW = 12
"""Files that have tests which failed. All tests of a file fail where a busy machine kept its fixture from starting."""


def main() -> int:
    """Exit status 0 where all of them pass, as of pytest."""
    failed = list(json.loads(FAILED.read_text())) if FAILED.exists() else []
    if not 0 < len({name.partition("::")[0] for name in failed}) <= FEW:
        return 1
    print(f"{len(failed)} tests failed beside others; they run once more, alone:", *failed, sep="\n  ", flush=True)  # noqa: T201
    return subprocess.run([sys.executable, "-m", "pytest", "-n", "0", "-q", *failed], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

"""`pdp dev` in a process of its own, for a bench that measures it from outside."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_HELD = "import json, os, sys; print(json.dumps(dict(os.environ)), flush=True); sys.stdin.read()"


@contextmanager
def dev(tree: Path, *options: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """`pdp dev` of a tree, with this Python and its packages: its process, and the variables that it gives programs."""
    command = [sys.executable, "-m", "pdp", "dev", *options, "--", sys.executable, "-c", _HELD]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tree), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(
        command, cwd=tree, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.pid, json.loads(process.stdout.readline())
        finally:
            process.stdin.close()

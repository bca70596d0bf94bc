"""A folder in memory, for data that ends with the run.

A MongoDB of many small databases has thousands of files, and writes them all to the disk once a minute. A slow disk
takes seconds for it, in which nothing is confirmed.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108  # Linux's file system in memory
PREFIX = "placet-tests-"
ROOM = 4 * 2**30
"""Bytes that must be free there; some hundred MiB are used."""


@contextmanager
def in_memory(otherwise: Path) -> Iterator[Path]:
    """A folder in memory that is removed at the end; `otherwise`, where this machine has no room for one."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        yield otherwise
        return
    _remove_those_of_ended_runs()
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", dir=MEMORY) as folder:
        yield Path(folder)


def _remove_those_of_ended_runs() -> None:
    """A run that is killed leaves its folder."""
    for folder in MEMORY.glob(f"{PREFIX}*"):
        process = folder.name.removeprefix(PREFIX).partition("-")[0]
        if not Path("/proc", process).exists():
            shutil.rmtree(folder, ignore_errors=True)

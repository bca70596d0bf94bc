"""The folder in which processes of one user find each other."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from pdp.environment import Environment


def runtime_folder(*, make: bool = False) -> Path | None:
    """A folder that only this user can enter; None if there is none, or if others could have put something into it."""
    runtime = Environment.read().runtime
    if not hasattr(os, "getuid"):
        return None
    if runtime is not None and _is_ours(runtime):
        folder = runtime / "placet"
    else:
        folder = Path(tempfile.gettempdir(), f"placet-{os.getuid()}")
    if make:
        with suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
    return folder if _is_ours(folder) else None


def _is_ours(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077

"""The folder of a running server: sockets, the bundle that OPA watches, and what workers are told."""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pdp.errors import SetupError
from pdp.file_lock import locked

PREFIX = "placet."
"""How the names of these folders begin, and of no others."""
LOOK_SECONDS = 2.0
"""Seconds between two looks whether a file is still there."""
YOUNG_SECONDS = 60.0
"""Seconds for which a folder without a lock is left alone: its server may not have come to lock it."""


@contextmanager
def private_folder() -> Iterator[Path]:
    """A new folder that only this user can enter, until the block ends.

    It is locked: systemd-tmpfiles, which removes old files below /tmp, leaves a locked folder as it is (tmpfiles.d(5)).
    What servers left behind that were killed is removed: nothing locks it.
    """
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
        held = os.open(name, os.O_RDONLY)
        try:
            locked(held, _WHO, alone=False)
            for other in Path(name).parent.glob(f"{PREFIX}*"):
                with suppress(OSError):
                    _remove_if_left(other)
            yield Path(name)
        finally:
            os.close(held)


_WHO = "servers"


def _remove_if_left(folder: Path) -> None:
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(held)
        is_old = time.time() - found.st_mtime > YOUNG_SECONDS
        if found.st_uid == os.getuid() and is_old and locked(held, _WHO):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(held)


async def require_kept(file: Path) -> None:
    """Look until the file is gone, and then raise `SetupError`: OPA and workers could not be started again."""
    while await asyncio.to_thread(file.exists):  # noqa: ASYNC110  # nothing tells that it is removed
        await asyncio.sleep(LOOK_SECONDS)
    raise SetupError(
        f"{file} was removed, so the server ends; start it again, and let nothing clean the folder that TMPDIR names"
    )

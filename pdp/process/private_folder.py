"""The folder of a running server: sockets, the bundle that OPA watches, and what workers are told."""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pdp.errors import SetupError
from pdp.file_lock import locked

LOOK_SECONDS = 2.0
"""Seconds between two looks whether a file is still there."""


@contextmanager
def private_folder() -> Iterator[Path]:
    """A new folder that only this user can enter, until the block ends.

    It is locked: systemd-tmpfiles, which removes old files below /tmp, leaves a locked folder as it is (tmpfiles.d(5)).
    """
    with tempfile.TemporaryDirectory(prefix="placet-") as name:
        held = os.open(name, os.O_RDONLY)
        try:
            locked(held, "servers", alone=False)
            yield Path(name)
        finally:
            os.close(held)


async def require_kept(file: Path) -> None:
    """Look until the file is gone, and then raise `SetupError`: OPA and workers could not be started again."""
    while await asyncio.to_thread(file.exists):  # noqa: ASYNC110  # nothing tells that it is removed
        await asyncio.sleep(LOOK_SECONDS)
    raise SetupError(
        f"{file} was removed, so the server ends; start it again, and let nothing clean the folder that TMPDIR names"
    )

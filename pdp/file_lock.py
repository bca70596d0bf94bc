"""Locks of files, which a system may lack."""

import importlib

from pdp.errors import SetupError


def locked(file: int, who: str, *, alone: bool = True) -> bool:
    """Whether this process got the lock of an open file, to hold until it closes it. `who` needs it, in plural.

    Raises `SetupError` on a system without such locks.
    """
    try:
        fcntl = importlib.import_module("fcntl")
    except ImportError:
        raise SetupError(f"{who} need file locks, which this system lacks; use Linux or macOS") from None
    try:
        fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

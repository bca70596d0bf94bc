"""How the memory of this process is kept small where messages are large."""

import ctypes
from contextlib import suppress

LARGE_BYTES = 256 * 1024
"""Bytes from which a block has pages of its own, which go back to the system when it is freed."""
_SETTINGS = ((-3, LARGE_BYTES), (-8, 1))
"""M_MMAP_THRESHOLD, and M_ARENA_MAX: one heap for all threads. Numbers of glibc's malloc.h."""


def give_back() -> None:
    """Let what is freed go back to the system, or to the next that needs memory.

    glibc would keep tens of MiB in blocks that the next message does not fit into. Another C library has no such
    setting.
    """
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        for setting, value in _SETTINGS:
            mallopt(setting, value)

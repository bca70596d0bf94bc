"""Makes this process keep freed memory, if the C library is glibc. With other C libraries it does nothing.

A stream allocates and frees megabytes for each message, and glibc gives them back to the kernel at once. That takes
more time than to mask the data: for every 4 KiB the kernel must map and zero a page, again for each message.
"""

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
"""The numbers of options of mallopt(3)."""
KEPT_BYTES = 128 * 1024 * 1024
"""Bytes of free memory that the process keeps. Memory in use is bounded elsewhere."""
_PAD_BYTES = 16 * 1024 * 1024
"""Bytes that are taken from the kernel beyond each need. It bounds how often the process asks the kernel."""
_LARGEST_BYTES = 32 * 1024 * 1024
"""Bytes from which a block comes directly from the kernel and goes back to it: the most that glibc allows."""


def keep_freed() -> None:
    """Keep up to `KEPT_BYTES` of freed memory. Only a program that owns the whole process may call it."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    for option, size in ((_MMAP_THRESHOLD, _LARGEST_BYTES), (_TRIM_THRESHOLD, KEPT_BYTES), (_TOP_PAD, _PAD_BYTES)):
        mallopt(option, size)

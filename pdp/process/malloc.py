"""How this process keeps freed memory, where the C library is glibc; elsewhere nothing happens.

A stream allocates and frees megabytes for each message. glibc gives them back to the kernel at once, which takes more
time than to mask what was in them: a page is faulted in and zeroed for every 4 KiB, again and again.
"""

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
KEPT_BYTES = 128 * 1024 * 1024
"""At most so much that is free stays; what is in use is bounded elsewhere."""
_PAD_BYTES = 16 * 1024 * 1024
_LARGEST_BYTES = 32 * 1024 * 1024
"""Larger ones come from the kernel and go back to it."""


def keep_freed() -> None:
    """Keep up to `KEPT_BYTES` of what is freed, for whoever owns the whole process."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    for option, size in ((_MMAP_THRESHOLD, _LARGEST_BYTES), (_TRIM_THRESHOLD, KEPT_BYTES), (_TOP_PAD, _PAD_BYTES)):
        mallopt(option, size)

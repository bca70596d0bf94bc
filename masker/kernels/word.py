"""64-bit words: unaligned loads, byte order, high products.

A word in memory order has the first byte lowest, as a little-endian load gives it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from masker.kernels import device, instruction

Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]
U = np.uint64
"""Makes a number an unsigned word: an index of this type needs no check for its sign."""
ALL = U(0xFFFFFFFFFFFFFFFF)
"""A word with all bits set."""
LEAST = 8
"""Bytes that a buffer of values has at least, so that a whole word can be loaded from any of them."""
mulhi = instruction("mulhi")
"""(a, b): the high 64 bits of the 128-bit product."""
swap = instruction("swap")
"""(word): its bytes in reverse."""
zero_bytes = instruction("zero_bytes")
"""(word): how many zero bytes stand before the first other one in memory order, 8 for zero."""
load = instruction("load")
"""(data, p): 8 bytes in memory order."""
store = instruction("store")
"""(data, p, word): store 8 bytes in memory order."""
copy = instruction("copy")
"""(data, p, count, output, q): copy `count` bytes, none if negative, between buffers that do not overlap."""


@device
def load_part(data: Any, p: Any, count: Any) -> Any:
    """Load `count` bytes (at most 8, none if negative), zeros above; never reads past a buffer of LEAST."""
    start = p if p < data.size - 8 else data.size - 8
    return front(load(data, start) >> U((8 * (p - start)) & 63), count)


@device
def front(word: Any, count: Any) -> Any:
    """Keep the first `count` bytes, all of 8 or more, none if negative."""
    return word & (ALL >> U((64 - 8 * count) & 63 if count < 8 else 0)) if count > 0 else U(0)

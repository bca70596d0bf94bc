"""Padding, so that the length of a token tells the length of its value only in steps.

A value is followed by one byte 0x80 and as many zeros as bring it to a multiple of the step (ISO/IEC 7816-4). It always
gets the 0x80, so that every value has one padded form and comes back as it was.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from masker.kernels import kernel
from masker.kernels.column import UNFIT, Masked, Text, copy_into, ends, ranges

END = 0x80
"""The byte behind a value."""


def padded(text: Text, step: int) -> Text:
    """Return every valid value with its padding; null stays null."""
    lengths = np.diff(text.offsets)
    offsets = ends(np.where(text.valid, (lengths // step + 1) * step, 0))
    data = np.zeros(int(offsets[-1]), np.uint8)
    copy_into(text.data, text.offsets, text.valid, data, offsets)
    data[(offsets[:-1] + lengths)[text.valid]] = END
    return Text(data, offsets, text.valid)


def unpadded(text: Text, status: NDArray[np.uint8]) -> Masked:
    """Return the values without their padding; UNFIT where it is not one."""
    lengths = np.diff(text.offsets)
    find_ends(text.data, text.offsets, text.valid, lengths)
    fits = lengths >= 0
    starts = text.offsets[:-1]
    values = ranges(text, starts, starts + lengths, text.valid & fits)
    return Masked(values, np.where(text.valid & ~fits, np.uint8(UNFIT), status))


@kernel
def find_ends(data: Any, offsets: Any, valid: Any, lengths: Any) -> None:
    """Set the length of each value without its padding, -1 where it has none."""
    for i in range(valid.size):
        if valid[i]:
            end = offsets[i + 1]
            while end > offsets[i] and data[end - 1] == 0:
                end -= 1
            lengths[i] = end - 1 - offsets[i] if end > offsets[i] and data[end - 1] == END else -1

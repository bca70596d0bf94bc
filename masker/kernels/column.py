"""What a kernel reads and writes: values as flat buffers, with a flag for each."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masker.kernels import kernel
from masker.kernels.word import LEAST, copy

Flags = NDArray[np.bool_]
Offsets = NDArray[np.int64]
Bytes = NDArray[np.uint8]

UNFIT = 1
"""Status of a value that does not fit its mask; 0 is the status of a masked value."""
SHORT = 2
"""Status of a value that is too short to encrypt."""


@dataclasses.dataclass(frozen=True)
class Text:
    """Byte strings: value i is data[offsets[i]:offsets[i + 1]] where valid[i], else null.

    `data` may be longer than its values, and is padded to LEAST bytes.
    """

    data: Bytes
    offsets: Offsets
    valid: Flags

    def __post_init__(self) -> None:
        padded = self.data if self.data.size >= LEAST else np.append(self.data, np.zeros(LEAST, np.uint8))
        object.__setattr__(self, "data", _frozen(padded))

    def __len__(self) -> int:
        return self.valid.size

    def value(self, row: int) -> bytes:
        """Return one value. It is for rare values; a kernel goes over all of them."""
        return self.data[self.offsets[row] : self.offsets[row + 1]].tobytes()

    def only(self, chosen: Flags) -> "Text":
        """Return the same values with all others null."""
        return Text(self.data, self.offsets, self.valid & chosen)

    def part(self, low: int, high: int) -> "Text":
        """Return the values from low to high."""
        return Text(self.data, self.offsets[low : high + 1], self.valid[low:high])

    def chunks(self, rows: int) -> Iterator[tuple[int, int]]:
        """Cut into ranges of at most `rows` values."""
        for low in range(0, len(self), rows):
            yield low, min(low + rows, len(self))


@dataclasses.dataclass(frozen=True)
class Fixed:
    """Machine numbers, null where not valid."""

    values: NDArray[Any]
    valid: Flags

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", _frozen(self.values))

    def __len__(self) -> int:
        return self.valid.size


@dataclasses.dataclass(frozen=True)
class Masked:
    """A masked column; `status` is 0, UNFIT or SHORT for each value."""

    values: Any
    status: NDArray[np.uint8]


def fitting(values: Any) -> Masked:
    """Return a column in which every value fits."""
    return Masked(values, np.zeros(len(values), np.uint8))


def _frozen(values: NDArray[Any]) -> NDArray[Any]:
    """View as read-only, as Arrow's buffers are: one type means one compilation of a kernel."""
    if not values.flags.writeable:
        return values
    view = values.view()
    view.flags.writeable = False
    return view


def text_from(values: list[bytes | None]) -> Text:
    """Lay Python values out as one column."""
    lengths = np.array([len(value or b"") for value in values], np.int64)
    data = np.frombuffer(b"".join(value or b"" for value in values), np.uint8)
    return Text(data, ends(lengths), np.array([value is not None for value in values], np.bool_))


def ends(lengths: NDArray[np.int64]) -> Offsets:
    """Return the n + 1 offsets of values with these lengths."""
    offsets = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def compact(text: Text) -> Text:
    """Copy the valid values only: no byte under a null or outside the slice stays."""
    lengths = np.where(text.valid, np.diff(text.offsets), 0)
    offsets = ends(lengths)
    data = np.zeros(int(offsets[-1]), np.uint8)
    if data.size == text.offsets[-1] - text.offsets[0]:
        data[:] = text.data[text.offsets[0] : text.offsets[-1]]
    else:
        copy_into(text.data, text.offsets, text.valid, data, offsets)
    return Text(data, offsets, text.valid)


def merge(first: Text, second: Text) -> Text:
    """Take the value of `second` where it is valid, else that of `first`."""
    lengths = np.where(first.valid, np.diff(first.offsets), 0)
    lengths = np.where(second.valid, np.diff(second.offsets), lengths)
    offsets = ends(lengths)
    data = np.zeros(int(offsets[-1]), np.uint8)
    copy_into(first.data, first.offsets, first.valid & ~second.valid, data, offsets)
    copy_into(second.data, second.offsets, second.valid, data, offsets)
    return Text(data, offsets, first.valid | second.valid)


def ranges(text: Text, starts: Offsets, stops: Offsets, valid: Flags) -> Text:
    """Copy data[starts[i]:stops[i]] of every valid value."""
    offsets = ends(np.where(valid, stops - starts, 0))
    output = np.zeros(int(offsets[-1]), np.uint8)
    copy_ranges(text.data, starts, offsets, output)
    return Text(output, offsets, valid)


@kernel
def copy_ranges(data: Bytes, starts: Offsets, places: Offsets, output: Bytes) -> None:
    """Copy each range to its place."""
    for i in range(places.size - 1):
        copy(data, starts[i], places[i + 1] - places[i], output, places[i])


@kernel
def copy_into(data: Bytes, offsets: Offsets, take: Flags, output: Bytes, places: Offsets) -> None:
    """Copy the taken values to their places."""
    for i in range(take.size):
        if take[i]:
            copy(data, offsets[i], offsets[i + 1] - offsets[i], output, places[i])


@kernel
def gather(data: Bytes, offsets: Offsets, rows: Offsets, output: Bytes, places: Offsets) -> None:
    """Copy the values at `rows`, in that order; a negative row copies nothing."""
    for i in range(rows.size):
        if rows[i] >= 0:
            copy(data, offsets[rows[i]], places[i + 1] - places[i], output, places[i])

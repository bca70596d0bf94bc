"""Numbers: their shortest text, and their rounding."""

import decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masker.kernels import kernel
from masker.kernels.column import Fixed, Text, ends
from masker.kernels.word import U


def numerals(numbers: Fixed) -> Text:
    """Write integers as shortest base-10 text."""
    values = numbers.values
    negative = values < 0
    size = values.astype(np.uint64)  # two's complement: the magnitude of a negative one is its negation
    size = np.where(negative, ~size + U(1), size)
    lengths = np.zeros(len(numbers), np.int64)
    measure(size, negative, numbers.valid, lengths)
    offsets = ends(lengths)
    output = np.zeros(int(offsets[-1]), np.uint8)
    write(size, negative, offsets, output)
    return Text(output, offsets, numbers.valid)


def plain(value: decimal.Decimal) -> str:
    """Write a decimal without exponent, trailing zeros or an empty fraction."""
    written = format(value, "f")
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


@kernel
def measure(size: Any, negative: Any, valid: Any, lengths: Any) -> None:
    """Count the characters of each number."""
    for i in range(valid.size):
        if valid[i]:
            limit, digits = U(10), 1
            while digits < 20 and size[i] >= limit:
                digits += 1
                limit = limit * U(10) if digits < 20 else limit
            lengths[i] = digits + (1 if negative[i] else 0)


@kernel
def write(size: Any, negative: Any, offsets: Any, output: Any) -> None:
    """Write the digits of each number from the right."""
    for i in range(size.size):
        start, rest = offsets[i], size[i]
        if start < offsets[i + 1] and negative[i]:
            output[start] = 45
            start += 1
        for p in range(offsets[i + 1] - 1, start - 1, -1):
            output[p] = np.uint8(U(48) + rest % U(10))
            rest //= U(10)


def rounded(values: NDArray[Any], step: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Round to the nearest multiple of `step`, a half upwards; flags where it overflows or is not a finite number."""
    if values.dtype.kind == "f":
        result = (np.floor(values / step + 0.5) * step).astype(values.dtype)
        return result, ~np.isfinite(values) | ~np.isfinite(result)
    limits = np.iinfo(values.dtype)
    low = values // values.dtype.type(step) * values.dtype.type(step)
    up = (values - low) >= step - step // 2
    bad = up & (low > limits.max - step)
    # // rounds down, so only below the smallest value can `low` have wrapped.
    bad |= low > values
    return np.where(up & ~bad, low + values.dtype.type(step), low), bad

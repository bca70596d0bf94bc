"""Characters to digits and back: in bytes where alphabet and separators are ASCII, else in UTF-8.

1. The digits of value i begin at place offsets[i] - offsets[0]; counts[i] says how many they are.
2. Tables map a byte or code point to its digit, to -2 for a separator, and to -1 for anything else.
"""

from typing import Any

import numpy as np

from masker.kernels import decimals, device, kernel
from masker.kernels.word import U


@kernel
def read_bytes(
    data: Any,
    offsets: Any,
    valid: Any,
    digit_of: Any,
    decimal: Any,
    limit: Any,
    digits: Any,
    counts: Any,
    status: Any,
) -> None:
    """Read ASCII; with `decimal`, a value of digits alone is read eight digits at a time."""
    first = offsets[0]
    for i in range(valid.size):
        if not valid[i]:
            continue
        size, q = offsets[i + 1] - offsets[i], U(offsets[i] - first)
        if decimal and size <= limit and decimals.take(data, offsets[i], size, digits, offsets[i] - first):
            counts[i] = size
            continue
        n, good = U(0), True
        for p in range(U(offsets[i]), U(offsets[i + 1])):
            digit = digit_of[data[p]]
            if digit >= 0 and n < U(limit):
                digits[q + n] = digit
                n += U(1)
            elif digit != -2:
                good = False
        counts[i] = np.int64(n)
        if not good:
            status[i] = 1


@kernel
def read_characters(
    data: Any, offsets: Any, valid: Any, digit_of: Any, limit: Any, digits: Any, counts: Any, status: Any
) -> None:
    """Read UTF-8."""
    first = offsets[0]
    for i in range(valid.size):
        if not valid[i]:
            continue
        p, end, q, n = U(offsets[i]), U(offsets[i + 1]), U(offsets[i] - first), U(0)
        while p < end:
            point = U(data[p])
            width = character_width(point)
            if width > 1:
                point = code_point(data, p)
            p += U(width)
            digit = digit_of[point] if point < U(digit_of.size) else -1
            if digit >= 0 and n < U(limit):
                digits[q + n] = digit
                n += U(1)
            elif digit != -2:
                status[i] = 1
                break
        counts[i] = np.int64(n)


@kernel
def check(offsets: Any, valid: Any, digits: Any, counts: Any, add: Any, status: Any) -> None:
    """Mark values whose last digit is not their check digit plus `add`."""
    for i in range(valid.size):
        if valid[i] and status[i] == 0:
            start = offsets[i] - offsets[0]
            last = start + counts[i] - 1
            if digits[last] != (luhn(digits, start, last) + add) % 10:
                status[i] = 1


@kernel
def set_check(offsets: Any, valid: Any, counts: Any, status: Any, add: Any, digits: Any) -> None:
    """Set the last digit of every fitting value to its check digit plus `add`."""
    for i in range(status.size):
        if valid[i] and status[i] == 0:
            start = offsets[i] - offsets[0]
            last = start + counts[i] - 1
            digits[last] = (luhn(digits, start, last) + add) % 10


@device
def luhn(digits: Any, start: Any, end: Any) -> Any:
    """Return the check digit (ISO/IEC 7812-1, annex B) of digits[start:end]."""
    total = np.int64(0)
    for k in range(end - start):
        digit = np.int64(digits[end - 1 - k])
        if k & 1 == 0:
            digit = 2 * digit - 9 if digit > 4 else 2 * digit
        total += digit
    return (10 - total % 10) % 10


@kernel
def write_bytes(
    data: Any,
    offsets: Any,
    valid: Any,
    status: Any,
    digit_of: Any,
    decimal: Any,
    counts: Any,
    digits: Any,
    letters: Any,
    output: Any,
    places: Any,
) -> None:
    """Spell ASCII digits over their characters; separators are copied, what did not fit is left out."""
    q = places[0]
    for i in range(valid.size):
        places[i] = q
        if not valid[i] or status[i]:
            continue
        n, size = offsets[i] - offsets[0], offsets[i + 1] - offsets[i]
        if decimal and counts[i] == size:
            decimals.put(digits, n, size, output, q)
            q += size
            continue
        place, from_digit = U(q), U(n)
        for p in range(U(offsets[i]), U(offsets[i + 1])):
            byte = data[p]
            if digit_of[byte] >= 0:
                byte = letters[digits[from_digit]]
                from_digit += U(1)
            output[place] = byte
            place += U(1)
        q += size
    places[valid.size] = q


@kernel
def write_characters(
    data: Any,
    offsets: Any,
    valid: Any,
    status: Any,
    digit_of: Any,
    digits: Any,
    spelling: Any,
    widths: Any,
    output: Any,
    places: Any,
) -> None:
    """Spell digits over their characters in UTF-8; separators are copied, what did not fit is left out."""
    q = U(places[0])
    for i in range(valid.size):
        places[i] = np.int64(q)
        if valid[i] and not status[i]:
            n = U(offsets[i] - offsets[0])
            q = spell(data, U(offsets[i]), U(offsets[i + 1]), digit_of, digits, n, spelling, widths, output, q)
    places[valid.size] = np.int64(q)


@device
def spell(
    data: Any,
    p: Any,
    end: Any,
    digit_of: Any,
    digits: Any,
    n: Any,
    spelling: Any,
    widths: Any,
    output: Any,
    q: Any,
) -> Any:
    """Write one value; returns the place after it."""
    while p < end:
        point = U(data[p])
        width = character_width(point)
        if width > 1:
            point = code_point(data, p)
        if digit_of[point] < 0:
            for k in range(U(width)):
                output[q + k] = data[p + k]
            q += U(width)
        else:
            digit = digits[n]
            output[q] = spelling[digit, 0]
            for k in range(U(1), U(widths[digit])):
                output[q + k] = spelling[digit, k]
            q += U(widths[digit])
            n += U(1)
        p += U(width)
    return q


@device
def character_width(byte: Any) -> Any:
    """Return the bytes of the UTF-8 character that begins with `byte`."""
    return 1 if byte < U(0x80) else 2 if byte < U(0xE0) else 3 if byte < U(0xF0) else 4


@device
def code_point(data: Any, p: Any) -> Any:
    """Decode a character of several bytes."""
    width = character_width(U(data[p]))
    point = U(data[p]) & (U(0x7F) >> U(width))
    for k in range(U(1), U(width)):
        point = point << U(6) | (U(data[p + k]) & U(0x3F))
    return point

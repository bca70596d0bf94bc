"""Dates in text with a format: read, truncated, written back; a word of eight bytes at a time.

A field of a format has a fixed number of digits, so all values have the same size, and each field has one place. A
whole date has eight digits, so each value is at least a word.
"""

import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from masker.kernels import device, kernel
from masker.kernels.column import UNFIT, Bytes, Fixed, Masked, Offsets, Text
from masker.kernels.date import LEAST, MOST, civil, days_of
from masker.kernels.decimals import strange
from masker.kernels.word import U, load, store

_FIELDS = {"%Y": (0, 4, 9999), "%m": (1, 2, 12), "%d": (2, 2, 31), "%H": (3, 2, 23), "%M": (4, 2, 59), "%S": (5, 2, 59)}


class Layout(NamedTuple):
    """A format, compiled.

    1. `size` is the number of bytes of every value.
    2. A row of `fields` is the place of a field, the place of the word that is loaded for it, and its greatest value.
       The rows are year, month, day, and the times that the format has.
    3. A row of `words` is the place of a word, the bits of its literals, the literals, and the bits of its digits.
    """

    size: int
    fields: NDArray[np.int64]
    words: NDArray[np.uint64]


def layout(date_format: str) -> Layout | None:
    """Compile a format of %Y %m %d %H %M %S and ASCII literals; None where it is wrong or lacks a part of the date."""
    places: dict[int, tuple[int, int]] = {}
    literals = digits = b""
    for part in re.findall(r"%.|[^%]", date_format):
        if part in _FIELDS and _FIELDS[part][0] not in places:
            number, width, most = _FIELDS[part]
            places[number] = (len(literals), most)
            literals, digits = literals + bytes(width), digits + b"\xff" * width
        elif part.startswith("%") or not part.isascii() or part.isdigit() or part == "\0":
            return None
        else:
            literals, digits = literals + part.encode(), digits + b"\0"
    if not {0, 1, 2} <= set(places) or date_format.endswith("%"):
        return None
    size = len(literals)
    last = size - 8
    fields = [(place, min(place, last), most) for _, (place, most) in sorted(places.items())]
    words = []
    for place in [*range(0, last, 8), last]:
        text, number = (int.from_bytes(each[place : place + 8], "little") for each in (literals, digits))
        words.append((place, number ^ ((1 << 64) - 1), text, number))
    return Layout(size, np.array(fields, np.int64), np.array(words, np.uint64))


def parsed(text: Text, form: Layout) -> tuple[Fixed, NDArray[np.uint8]]:
    """Read days from text; UNFIT where it does not follow the format or no such day exists."""
    days, status = np.zeros(len(text), np.int64), np.zeros(len(text), np.uint8)
    read(text.data, text.offsets, text.valid, *form, days, status)
    return Fixed(days, text.valid & (status == 0)), status


def truncated(text: Text, months: int, form: Layout) -> Masked:
    """Go back to the first day of the period; UNFIT also where that is before the year 1."""
    firsts = np.array([0, *((month // months * months % 12 + 1) for month in range(12))], np.int64)
    status, places = np.zeros(len(text), np.uint8), np.zeros(len(text) + 1, np.int64)
    output = np.zeros(int(np.count_nonzero(text.valid)) * form.size, np.uint8)
    every = max(months // 12, 1)
    inverse = -(-(1 << 16) // every)  # exact for every year of four digits
    truncate(text.data, text.offsets, text.valid, *form, every, inverse, firsts, output, places, status)
    return Masked(Text(output[: places[-1]], places, text.valid & (status == 0)), status)


def written(data: Bytes, starts: Offsets, days: Fixed, form: Layout) -> Masked:
    """Write days over the year, month and day of the texts at `starts`; UNFIT outside the years 1 to 9999.

    Every valid day must have been read from the text at its start.
    """
    inside = days.valid & (days.values >= LEAST) & (days.values <= MOST)
    status = np.where(days.valid & ~inside, np.uint8(UNFIT), np.uint8(0))
    places = np.zeros(len(days) + 1, np.int64)
    output = np.zeros(int(np.count_nonzero(inside)) * form.size, np.uint8)
    write(data, starts, inside, *form, days.values, output, places)
    return Masked(Text(output, places, inside), status)


@kernel
def read(data: Any, offsets: Any, valid: Any, size: Any, fields: Any, words: Any, days: Any, status: Any) -> None:
    """Read the day of every valid value."""
    for i in range(valid.size):
        if valid[i]:
            good, year, month, day = take(data, offsets[i], offsets[i + 1] - offsets[i] == size, fields, words)
            days[i] = days_of(year, month, day) if good else 0
            status[i] = 0 if good else 1


@kernel
def truncate(
    data: Any,
    offsets: Any,
    valid: Any,
    size: Any,
    fields: Any,
    words: Any,
    every: Any,
    inverse: Any,
    firsts: Any,
    output: Any,
    places: Any,
    status: Any,
) -> None:
    """Write the first day of each period. Years count from 0, so that periods of five begin in 0 and 5."""
    q = 0
    for i in range(valid.size):
        places[i] = q
        if not valid[i]:
            continue
        good, year, month, _ = take(data, offsets[i], offsets[i + 1] - offsets[i] == size, fields, words)
        year = ((year * inverse) >> 16) * every
        if good and year > 0:
            put(data, offsets[i], fields, words, year, firsts[month], 1, output, q)
            q += size
        else:
            status[i] = 1
    places[valid.size] = q


@kernel
def write(
    data: Any, starts: Any, valid: Any, size: Any, fields: Any, words: Any, days: Any, output: Any, places: Any
) -> None:
    """Write the day of every valid value."""
    q = 0
    for i in range(valid.size):
        places[i] = q
        if valid[i]:
            year, month, day = civil(days[i])
            put(data, starts[i], fields, words, year, month, day, output, q)
            q += size
    places[valid.size] = q


@device
def take(data: Any, p: Any, fits: Any, fields: Any, words: Any) -> Any:
    """Return whether the text at p is a day, if its size `fits`, and year, month, day."""
    if not fits:
        return False, 0, 0, 0
    wrong = U(0)
    for w in range(U(words.shape[0])):
        word = load(data, U(p) + words[w, 0])
        wrong |= ((word ^ words[w, 2]) & words[w, 1]) | (strange(word) & words[w, 3])
    year, month, day = field(data, p, fields, U(0)), field(data, p, fields, U(1)), field(data, p, fields, U(2))
    last = 30 + ((month + (month >> 3)) & 1)
    if month == 2:
        last = 29 if year & (3 if year % 25 else 15) == 0 else 28
    good = wrong == U(0) and year > 0 and 0 < month <= 12 and 0 < day <= last
    for number in range(U(3), U(fields.shape[0])):
        good = good and field(data, p, fields, number) <= fields[number, 2]
    return good, year, month, day


@device
def field(data: Any, p: Any, fields: Any, number: Any) -> Any:
    """Return the number of a field: four digits of a year, two of all others."""
    word = load(data, p + fields[number, 1]) >> U(8 * (fields[number, 0] - fields[number, 1]))
    word &= U(0x0F0F0F0F)
    word = (word * U(10) + (word >> U(8))) & U(0x00FF00FF)
    return np.int64((word * U(100) + (word >> U(16))) & U(0xFFFF) if number == U(0) else word & U(0xFF))


@device
def put(data: Any, p: Any, fields: Any, words: Any, year: Any, month: Any, day: Any, output: Any, q: Any) -> None:
    """Copy a value, and write another day over its year, month and day."""
    for w in range(U(words.shape[0])):
        store(output, U(q) + words[w, 0], load(data, U(p) + words[w, 0]))
    century = (year * 5243) >> 19  # // 100 below 10^4
    pair(century, output, q + fields[0, 0])
    pair(year - century * 100, output, q + fields[0, 0] + 2)
    pair(month, output, q + fields[1, 0])
    pair(day, output, q + fields[2, 0])


@device
def pair(number: Any, output: Any, q: Any) -> None:
    """Write two digits."""
    tens = (number * 103) >> 10
    output[U(q)] = np.uint8(48 + tens)
    output[U(q) + U(1)] = np.uint8(48 + number - tens * 10)

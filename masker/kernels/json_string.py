"""Texts and numbers of JSON: read as a mask takes them, and written as JSON."""

from typing import Any

import numpy as np

from masker.kernels import device, kernel
from masker.kernels.column import Bytes, Flags, Offsets, Text, ends, ranges
from masker.kernels.word import copy

ESCAPES = np.zeros(256, np.uint8)
"""The byte that an escape of two characters stands for, by its second one; 0 for all others."""
for _letter, _byte in zip(b'"\\/bfnrt', b'"\\/\b\f\n\r\t', strict=True):
    ESCAPES[_letter] = _byte
LETTERS = np.zeros(256, np.uint8)
"""The second character of the escape that a byte is written as; 117 for `\\u00..`, 0 where it is written as it is."""
LETTERS[:32] = ord("u")
for _letter, _byte in zip(b'"\\bfnrt', b'"\\\b\f\n\r\t', strict=True):
    LETTERS[_byte] = _letter
TEXT, NUMBER = 0, 1
"""How a value is written: between quotation marks, or as it is."""
_HIGH, _LOW, _BEYOND = 0xD800, 0xDC00, 0xE000


def texts(data: Bytes, starts: Offsets, stops: Offsets, valid: Flags, escaped: Flags) -> tuple[Text, Flags]:
    """The values of texts as they read, and whether each holds half of a surrogate pair."""
    halves = np.zeros(valid.size, np.bool_)
    if not escaped.any():
        return ranges(Text(data, np.zeros(1, np.int64), np.zeros(0, np.bool_)), starts, stops, valid), halves
    room = ends(np.where(valid, stops - starts, 0))
    output = np.zeros(int(room[-1]), np.uint8)
    until = np.zeros(valid.size, np.int64)
    unescape_all(data, starts, stops, valid, room, output, until, halves)
    return ranges(Text(output, np.zeros(1, np.int64), np.zeros(0, np.bool_)), room[:-1], until, valid), halves


def written(values: Text, kinds: Bytes) -> tuple[Bytes, Offsets]:
    """Values as JSON, one behind the other, and where each begins and the last ends; null where not valid."""
    lengths = np.zeros(len(values), np.int64)
    measure(values.data, values.offsets, values.valid, kinds, LETTERS, lengths)
    places = ends(lengths)
    output = np.zeros(int(places[-1]), np.uint8)
    write(values.data, values.offsets, values.valid, kinds, LETTERS, places, output)
    return output, places


@device
def width(data: Any, at: Any, stop: Any) -> Any:
    """How many bytes the escape at a backslash has, 0 where it is none."""
    if at + 1 >= stop:
        return 0
    letter = data[at + 1]
    if letter != 117:
        known = letter == 34 or letter == 92 or letter == 47 or letter == 98
        return 2 if known or letter == 102 or letter == 110 or letter == 114 or letter == 116 else 0
    if at + 6 > stop:
        return 0
    for k in range(2, 6):
        if digit(data[at + k]) < 0:
            return 0
    return 6


@device
def digit(byte: Any) -> Any:
    """The value of a hexadecimal digit, -1 for another byte."""
    if byte >= 48 and byte <= 57:
        return np.int64(byte) - 48
    letter = np.int64(byte | 32)
    return letter - 87 if letter >= 97 and letter <= 102 else np.int64(-1)


@device
def point(data: Any, at: Any) -> Any:
    """The number that four hexadecimal digits of an escape write."""
    found = np.int64(0)
    for k in range(2, 6):
        found = found * 16 + digit(data[at + k])
    return found


@device
def unescape(data: Any, start: Any, stop: Any, output: Any, to: Any) -> Any:
    """Write a valid text as it reads, half of a surrogate pair as three bytes; returns where it ends."""
    at = start
    while at < stop:
        byte = data[at]
        if byte != 92:
            output[to] = byte
            at, to = at + 1, to + 1
        elif data[at + 1] != 117:
            output[to] = ESCAPES[data[at + 1]]
            at, to = at + 2, to + 1
        else:
            code = point(data, at)
            at += 6
            if code >= _HIGH and code < _LOW and at + 6 <= stop and data[at] == 92 and data[at + 1] == 117:
                low = point(data, at)
                if low >= _LOW and low < _BEYOND:
                    code = 0x10000 + ((code - _HIGH) << 10) + (low - _LOW)
                    at += 6
            to = encode(code, output, to)
    return to


@device
def encode(code: Any, output: Any, to: Any) -> Any:
    """Write a character in UTF-8; returns where it ends."""
    if code < 0x80:
        output[to] = code
        return to + 1
    if code < 0x800:
        output[to], output[to + 1] = 0xC0 | (code >> 6), 0x80 | (code & 63)
        return to + 2
    if code < 0x10000:
        output[to], output[to + 1], output[to + 2] = 0xE0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)
        return to + 3
    output[to], output[to + 1] = 0xF0 | (code >> 18), 0x80 | ((code >> 12) & 63)
    output[to + 2], output[to + 3] = 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)
    return to + 4


@kernel
def unescape_all(
    data: Bytes, starts: Offsets, stops: Offsets, valid: Flags, room: Offsets, output: Bytes, until: Offsets,
    halves: Flags,
) -> None:  # fmt: skip
    """Write each valid text as it reads, from room[i] to until[i], and note halves of surrogate pairs."""
    for i in range(valid.size):
        if valid[i]:
            end = unescape(data, starts[i], stops[i], output, room[i])
            until[i] = end
            for at in range(room[i], end - 1):
                halves[i] |= output[at] == 0xED and output[at + 1] >= 0xA0


@kernel
def shortest(data: Bytes, stops: Offsets, fractions: Flags, valid: Flags, until: Offsets) -> None:
    """Where each number ends without the zeros behind its point, and the point where only zeros are."""
    for i in range(valid.size):
        end = stops[i]
        if valid[i] and fractions[i]:
            while data[end - 1] == 48:
                end -= 1
            if data[end - 1] == 46:
                end -= 1
        until[i] = end


@kernel
def measure(data: Bytes, offsets: Offsets, valid: Flags, kinds: Bytes, letters: Bytes, lengths: Offsets) -> None:
    """How many bytes each value has as JSON."""
    for i in range(valid.size):
        if not valid[i]:
            lengths[i] = 4
        else:
            length = offsets[i + 1] - offsets[i]
            if kinds[i] == TEXT:
                length += 2
                for at in range(offsets[i], offsets[i + 1]):
                    letter = letters[data[at]]
                    if letter != 0:
                        length += 5 if letter == 117 else 1
            lengths[i] = length


@kernel
def write(
    data: Bytes, offsets: Offsets, valid: Flags, kinds: Bytes, letters: Bytes, places: Offsets, output: Bytes
) -> None:
    """Write each value as JSON at its place."""
    for i in range(valid.size):
        to, length = places[i], offsets[i + 1] - offsets[i]
        if not valid[i]:
            output[to], output[to + 1], output[to + 2], output[to + 3] = 110, 117, 108, 108
        elif kinds[i] == NUMBER or places[i + 1] - to == length + 2:
            inner = 1 if kinds[i] == TEXT else 0
            copy(data, offsets[i], length, output, to + inner)
            if inner:
                output[to], output[to + length + 1] = 34, 34
        else:
            output[to] = 34
            to += 1
            for at in range(offsets[i], offsets[i + 1]):
                byte = data[at]
                letter = letters[byte]
                if letter == 0:
                    output[to] = byte
                    to += 1
                else:
                    output[to], output[to + 1] = 92, letter
                    to += 2
                    if letter == 117:
                        low = byte & 15
                        output[to], output[to + 1], output[to + 2] = 48, 48, 48 + (byte >> 4)
                        output[to + 3] = low + (48 if low < 10 else 87)
                        to += 4
            output[to] = 34


@kernel
def splice(
    data: Bytes, offsets: Offsets, valid: Flags, spans: Any, parts: Bytes, places: Offsets, lengths: Offsets,
    output: Bytes, into: Offsets,
) -> None:  # fmt: skip
    """Copy each document with its spans replaced: span i by `lengths[i]` bytes of `parts` from `places[i]` on."""
    span = 0
    for row in range(valid.size):
        at, to = offsets[row], into[row]
        while span < lengths.size and spans[span, 0] == row:
            kept = spans[span, 2] - at
            copy(data, at, kept, output, to)
            copy(parts, places[span], lengths[span], output, to + kept)
            at, to = spans[span, 3], to + kept + lengths[span]
            span += 1
        if valid[row]:
            copy(data, at, offsets[row + 1] - at, output, to)

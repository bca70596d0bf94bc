"""Canonical forms of text, so that equal things are equal bytes before a key touches them.

ASCII goes through a kernel, a value with other characters through `unicodedata`. For ASCII both give the same.
"""

import unicodedata
from typing import Any

import numpy as np

from masker.kernels import kernel
from masker.kernels.column import Bytes, Text, merge, ranges, text_from
from masker.kernels.word import U

FORMS = ("trim", "nfc", "lower", "upper", "lower_host")
"""What a domain can do to its values first: remove blanks, compose (NFC), change case, lower what follows the `@`."""
_FIRST = {"lower": ord("A"), "upper": ord("a")}  # the first letter that each changes
_BLANK = np.array([chr(byte).isspace() for byte in range(128)] + [False] * 128)  # what str.strip takes away
_PART = 1 << 16  # bytes that stay in cache


def canonical(text: Text, forms: tuple[str, ...]) -> Text:
    """Apply the forms in a fixed order: NFC, trim, case, NFC."""
    if not forms:
        return text
    foreign = np.zeros(len(text), np.bool_)
    span = text.data[text.offsets[0] : text.offsets[-1]]
    if span.size and int(span.max()) >= 128:
        find_foreign(text.data, text.offsets, text.valid, foreign)
    starts, stops = text.offsets[:-1].copy(), text.offsets[1:].copy()
    if "trim" in forms:
        strip(text.data, _BLANK, starts, stops)
    result = ranges(text, starts, stops, text.valid & ~foreign)
    result = Text(_cased(result, forms), result.offsets, result.valid)
    return merge(result, _slow(text, foreign, forms)) if foreign.any() else result


def _cased(text: Text, forms: tuple[str, ...]) -> Bytes:
    """The bytes of ASCII text in its form's case."""
    output = text.data.copy()
    if "lower_host" in forms:
        lower_hosts(text.offsets, output)
    for first in (_FIRST[form] for form in forms if form in _FIRST):
        for low in range(0, output.size, _PART):
            part = output[low : low + _PART]
            letters = (part - np.uint8(first)) < 26
            part ^= letters.view(np.uint8) << np.uint8(5)
    return output


def canonical_text(value: str, forms: tuple[str, ...]) -> str:
    """Return the canonical form of one value; `canonical` is the same for a column."""
    value = unicodedata.normalize("NFC", value) if "nfc" in forms else value
    value = value.strip() if "trim" in forms else value
    if "lower" in forms:
        value = value.lower()
    elif "upper" in forms:
        value = value.upper()
    elif "lower_host" in forms:
        local, at, host = value.rpartition("@")
        value = local + at + host.lower() if at else value
    return unicodedata.normalize("NFC", value) if "nfc" in forms else value


def _slow(text: Text, rows: Any, forms: tuple[str, ...]) -> Text:
    values: list[bytes | None] = [None] * len(text)
    for row in np.flatnonzero(rows):
        values[row] = canonical_text(text.value(int(row)).decode(), forms).encode()
    return text_from(values)


@kernel
def find_foreign(data: Any, offsets: Any, valid: Any, foreign: Any) -> None:
    """Mark values that are not all ASCII."""
    for i in range(valid.size):
        high = np.uint8(0)
        for p in range(offsets[i], offsets[i + 1]):
            high |= data[p]
        foreign[i] = valid[i] and high >= 128


@kernel
def strip(data: Any, blank: Any, starts: Any, stops: Any) -> None:
    """Move the ends of ASCII values over their blanks."""
    for i in range(starts.size):
        p, end = U(starts[i]), U(stops[i])
        while p < end and blank[data[p]]:
            p += U(1)
        while p < end and blank[data[end - U(1)]]:
            end -= U(1)
        starts[i], stops[i] = np.int64(p), np.int64(end)


@kernel
def lower_hosts(offsets: Any, data: Any) -> None:
    """Lower what follows the last `@` of each value."""
    for i in range(offsets.size - 1):
        end = U(offsets[i + 1])
        p = end
        while p > U(offsets[i]) and data[p - U(1)] != 64:
            p -= U(1)
        if p > U(offsets[i]):
            for k in range(p, end):
                data[k] ^= np.uint8(32) if 65 <= data[k] <= 90 else np.uint8(0)

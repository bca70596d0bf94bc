"""Canonical forms of text, so that equal things are equal bytes before a key touches them.

ASCII goes through a kernel; a value with other characters through `unicodedata`, with
the same result where both apply.
"""

import unicodedata
from typing import Any

import numpy as np

from masker.kernels import device, kernel
from masker.kernels.column import Text, ends, merge, text_from

FORMS = ("trim", "nfc", "lower", "upper", "lower_host")
_CASES = {"lower": 1, "upper": 2, "lower_host": 3}


def canonical(text: Text, forms: tuple[str, ...]) -> Text:
    """Apply the forms in one order: NFC, trim, case, NFC."""
    if not forms:
        return text
    case = next((_CASES[form] for form in forms if form in _CASES), 0)
    foreign = np.zeros(len(text), np.bool_)
    starts, stops = text.offsets[:-1].copy(), text.offsets[1:].copy()
    bounds(text.data, text.valid, "trim" in forms, starts, stops, foreign)
    valid = text.valid & ~foreign
    offsets = ends(np.where(valid, stops - starts, 0))
    output = np.zeros(int(offsets[-1]), np.uint8)
    copy_case(text.data, starts, case, offsets, output)
    result = Text(output, offsets, valid)
    return merge(result, _slow(text, foreign, forms)) if foreign.any() else result


def canonical_text(value: str, forms: tuple[str, ...]) -> str:
    """The same for one value."""
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
def bounds(data: Any, valid: Any, trim: Any, starts: Any, stops: Any, foreign: Any) -> None:
    """Find non-ASCII values and, of the others, where they begin and end without blanks."""
    for i in range(valid.size):
        if not valid[i]:
            continue
        high = np.uint8(0)
        for p in range(starts[i], stops[i]):
            high |= data[p]
        if high >= 128:
            foreign[i] = True
        elif trim:
            while starts[i] < stops[i] and blank(data[starts[i]]):
                starts[i] += 1
            while starts[i] < stops[i] and blank(data[stops[i] - 1]):
                stops[i] -= 1


@device
def blank(byte: Any) -> Any:
    """Tell what str.strip takes away."""
    return byte == 32 or 9 <= byte <= 13 or 28 <= byte <= 31


@kernel
def copy_case(data: Any, starts: Any, case: Any, places: Any, output: Any) -> None:
    """Copy with case 0 as it is, 1 lower, 2 upper, 3 lower after the last `@`."""
    for i in range(places.size - 1):
        p, q = starts[i], places[i]
        length = places[i + 1] - q
        begin = 0
        if case == 3:
            begin = length
            for k in range(length):
                if data[p + k] == 64:
                    begin = k
        for k in range(length):
            byte = data[p + k]
            upper, lower = 65 <= byte <= 90, 97 <= byte <= 122
            turned = (upper and k >= begin and case != 2) or (lower and case == 2)
            output[q + k] = byte ^ np.uint8(32) if turned and case else byte

"""Unpadded base64url (RFC 4648, section 5), read strictly."""

from typing import Any

import numpy as np

from masker.kernels import device, kernel
from masker.kernels.word import U, store, swap

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
PAIRS = np.array([a | b << 8 for a in _ALPHABET for b in _ALPHABET], np.uint16)
"""12 bits -> their two characters, the first one lowest."""
SIXES = np.full(256, 255, np.uint8)
"""Character -> its 6 bits; 255 for every other byte."""
SIXES[np.frombuffer(_ALPHABET, np.uint8)] = np.arange(64, dtype=np.uint8)


@device
def eight(pairs: Any, bits: Any) -> Any:
    """Return the eight characters of 48 bits as a word."""
    return (
        U(pairs[bits >> U(36)])
        | U(pairs[(bits >> U(24)) & U(4095)]) << U(16)
        | U(pairs[(bits >> U(12)) & U(4095)]) << U(32)
        | U(pairs[bits & U(4095)]) << U(48)
    )


@kernel
def decode(
    data: Any,
    offsets: Any,
    valid: Any,
    prefixes: Any,
    sizes: Any,
    sixes: Any,
    which: Any,
    raw: Any,
    places: Any,
) -> None:
    """Decode strictly: known prefix, only the alphabet, unused bits zero, a whole tag; else -1."""
    q = 0
    for i in range(valid.size):
        places[i] = q
        if not valid[i]:
            continue
        p, end = offsets[i], offsets[i + 1]
        for number in range(sizes.size):
            size = sizes[number]
            same = end - p > size
            for k in range(size):
                same = same and data[p + k] == prefixes[number, k]
            if same:
                length = decode_body(data, p + size, end, sixes, raw, q)
                if length >= 16:
                    which[i] = number
                    q += length
    places[valid.size] = q


@device
def decode_body(data: Any, p: Any, end: Any, sixes: Any, raw: Any, q: Any) -> Any:
    """Return the number of bytes written at q, or -1 where a character or the unused bits are wrong."""
    whole, rest = (end - p) // 8, (end - p) & 7
    seen = np.uint8(0)
    for k in range(whole):
        bits = U(0)
        for c in range(8):
            six = sixes[data[p + 8 * k + c]]
            seen |= six
            bits = bits << U(6) | U(six)
        store(raw, q + 6 * k, swap(bits << U(16)))
    bits = U(0)
    for c in range(rest):
        six = sixes[data[end - rest + c]]
        seen |= six
        bits = bits << U(6) | U(six)
    size = rest * 6 // 8
    unused = U(rest * 6 - size * 8)
    good = seen < 64 and rest != 1 and rest != 5 and bits & ((U(1) << unused) - U(1)) == U(0)
    bits >>= unused
    for c in range(size):
        raw[q + 6 * whole + c] = np.uint8((bits >> U(8 * (size - 1 - c))) & U(255))
    return 6 * whole + size if good else -1

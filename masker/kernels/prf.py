"""Keyed one-way functions: AES-CMAC (RFC 4493) of whole columns, as pseudonyms or offsets."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from masker.aes import BlockCipher, cmac
from masker.kernels import decimals, kernel
from masker.kernels.column import Fixed, Text, ends
from masker.kernels.lanes import LANES, LONG, Lanes, Words, double, endings, octets
from masker.kernels.number import numerals
from masker.kernels.vector import get, get_pair, put, put_pair
from masker.kernels.word import U, swap, zero_bytes

PSEUDONYM = 26
"""Characters of a pseudonym: 128 bits in base32. Among 10^10 values two are equal with probability 10^-19."""
_ROWS = 8192
"""Integers of a chunk, whose blocks take 128 KiB."""

_ALPHABET = b"abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = np.array([[a, b] for a in _ALPHABET for b in _ALPHABET], np.uint8)


class Prf:
    """AES-CMAC under one key. It belongs to one thread."""

    def __init__(self, key: bytes) -> None:
        self._key, self._cipher = key, BlockCipher(key)
        key2 = double(double(self._cipher.block(bytes(16))))
        self._masks = endings(self._cipher, key2, bytes(16))
        self._lanes = Lanes()

    def digests(self, text: Text) -> Words:
        """Return 128 bits for each value, as two words in memory order: shape (n, 2), zero for nulls."""
        output = np.zeros((len(text), 2), np.uint64)
        long = text.valid & (np.diff(text.offsets) > LONG)
        for low, high in text.chunks(LANES):
            part = text.part(low, high)
            self._lanes.arrange(part.offsets, part.valid & ~long[low:high])
            scatter(self._lanes.mac(part, self._cipher, self._masks), self._lanes.lane[: len(part)], output[low:])
        for row in np.flatnonzero(long):
            output[row] = np.frombuffer(cmac(self._key, text.value(int(row))), "<u8")
        return output

    def integer_digests(self, numbers: Fixed) -> Iterator[tuple[int, Words]]:
        """Yield the first row of a chunk and the digests of its integers, as those of their shortest base-10 text.

        The next chunk overwrites them. Most integers are one block of text, so their text is never written out.
        """
        rows = min(_ROWS, len(numbers))
        output, blocks = np.zeros((rows + 1, 2), np.uint64), np.zeros((rows, 2), np.uint64)
        odd = np.zeros(rows, np.bool_)
        for low in range(0, len(numbers), _ROWS):
            values, valid = numbers.values[low : low + _ROWS], numbers.valid[low : low + _ROWS]
            count = values.size
            fill_integers(values, self._masks.last, blocks, odd)
            self._cipher.encrypt(octets(blocks[:count]), octets(output[: count + 1]))
            rare = odd[:count] & valid
            if rare.any():
                output[:count][rare] = self.digests(numerals(Fixed(values[rare], rare[rare])))
            yield low, output[:count]


def pseudonyms(text: Text, prf: Prf) -> Text:
    """Return PSEUDONYM lower-case base32 characters for each value; null stays null."""
    offsets = ends(np.where(text.valid, PSEUDONYM, 0))
    output = np.zeros(int(offsets[-1]), np.uint8)
    spell(prf.digests(text), text.valid, _PAIRS, output, offsets)
    return Text(output, offsets, text.valid)


@kernel
def scatter(macs: Any, lane: Any, output: Any) -> None:
    """Bring lanes back into the order of the values."""
    for i in range(lane.size):
        if lane[i] >= 0:
            one, two = get_pair(macs, lane[i], 0)
            put_pair(output, 0, i, one, two)


@kernel
def fill_integers(values: Any, short: Any, blocks: Any, odd: Any) -> None:
    """Lay out padded blocks of numbers of 1 to 15 digits. All others are marked as odd, and their blocks mean nothing.

    Sixteen digits in two words, moved down over their leading zeros: no branch, so eight numbers at a time.
    """
    key_one, key_two = short[0, 0] ^ U(0x80), short[0, 1]  # without the padding of an empty value
    for i in range(values.size):
        number = U(get(values, 0, i))
        put(odd, 0, i, number >= U(1_000_000_000_000_000))
        one, two = decimals.sixteen(number)
        first, second = zero_bytes(one), zero_bytes(two)
        drop = U(first) if first < 8 else U(8 + (second if second < 7 else 7))
        one, two = one | decimals.ASCII, two | decimals.ASCII
        bits = (drop & U(7)) << U(3)
        carried = (two << U(1)) << (U(63) - bits)  # nothing where bits is 0
        below, above = (one >> bits) | carried, two >> bits
        size = U(16) - drop
        mark = U(0x80) << ((size & U(7)) << U(3))
        is_short = drop > U(7)
        below = (above | (mark if size < U(8) else U(0))) if is_short else below
        above = (mark if size == U(8) else U(0)) if is_short else above | mark
        put_pair(blocks, 0, i, below ^ key_one, above ^ key_two)


@kernel
def spell(digests: Any, valid: Any, pairs: Any, output: Any, places: Any) -> None:
    """Write base32: 12 pairs of 10 bits, then 5 and 3 bits."""
    for i in range(valid.size):
        if not valid[i]:
            continue
        high, low = swap(digests[i, 0]), swap(digests[i, 1])
        q = places[i]
        for k in range(6):
            pair = (high >> U(54 - 10 * k)) & U(1023)
            output[q + 2 * k] = pairs[pair, 0]
            output[q + 2 * k + 1] = pairs[pair, 1]
        pair = (high & U(15)) << U(6) | low >> U(58)
        output[q + 12] = pairs[pair, 0]
        output[q + 13] = pairs[pair, 1]
        for k in range(5):
            pair = (low >> U(48 - 10 * k)) & U(1023)
            output[q + 14 + 2 * k] = pairs[pair, 0]
            output[q + 15 + 2 * k] = pairs[pair, 1]
        pair = (low & U(255)) << U(2)
        output[q + 24] = pairs[pair, 0]
        output[q + 25] = pairs[pair, 1]

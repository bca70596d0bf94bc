"""Keyed one-way functions: AES-CMAC (RFC 4493) of whole columns, as pseudonyms or offsets."""

from typing import Any

import numpy as np

from masker.aes import BlockCipher, cmac
from masker.kernels import decimals, kernel
from masker.kernels.column import Fixed, Text, ends
from masker.kernels.lanes import LANES, LONG, Lanes, Words, double, endings, octets
from masker.kernels.number import numerals
from masker.kernels.word import U, swap, zero_bytes

PSEUDONYM = 26  # characters of 128 bits in base32

_ALPHABET = b"abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = np.array([[a, b] for a in _ALPHABET for b in _ALPHABET], np.uint8)


class Prf:
    """AES-CMAC under one key; not for two threads at once."""

    def __init__(self, key: bytes) -> None:
        self._key, self._cipher = key, BlockCipher(key)
        key2 = double(double(self._cipher.block(bytes(16))))
        self._masks = endings(self._cipher, key2, bytes(16))
        self._lanes = Lanes()

    def digests(self, text: Text) -> Words:
        """Return 128 bits a value as two words in memory order; zero for nulls. Shape (n, 2)."""
        output = np.zeros((len(text), 2), np.uint64)
        long = text.valid & (np.diff(text.offsets) > LONG)
        for low, high in text.chunks(LANES):
            part = text.part(low, high)
            self._lanes.arrange(part.offsets, part.valid & ~long[low:high])
            scatter(self._lanes.mac(part, self._cipher, self._masks), self._lanes.lane[: len(part)], output[low:])
        for row in np.flatnonzero(long):
            output[row] = np.frombuffer(cmac(self._key, text.value(int(row))), "<u8")
        return output

    def integer_digests(self, numbers: Fixed) -> Words:
        """The same for integers as shortest base-10 text, which mostly is one block."""
        output = np.zeros((len(numbers) + 1, 2), np.uint64)
        blocks = np.zeros((LANES, 2), np.uint64)
        odd = np.zeros(len(numbers), np.bool_)
        for low in range(0, len(numbers), LANES):
            high = min(low + LANES, len(numbers))
            fill_integers(numbers.values[low:high], self._masks.short, blocks, odd[low:high])
            self._cipher.encrypt(octets(blocks[: high - low]), octets(output[low : high + 1]))
        odd &= numbers.valid
        if odd.any():
            output[:-1][odd] = self.digests(numerals(Fixed(numbers.values[odd], odd[odd])))
        return output[:-1]


def pseudonyms(text: Text, prf: Prf) -> Text:
    """Return 26 lower base32 characters a value; null stays null."""
    offsets = ends(np.where(text.valid, PSEUDONYM, 0))
    output = np.zeros(int(offsets[-1]), np.uint8)
    spell(prf.digests(text), text.valid, _PAIRS, output, offsets)
    return Text(output, offsets, text.valid)


@kernel
def scatter(macs: Any, lane: Any, output: Any) -> None:
    """Bring lanes back into the order of the values."""
    for i in range(lane.size):
        if lane[i] >= 0:
            output[i, 0] = macs[lane[i], 0]
            output[i, 1] = macs[lane[i], 1]


@kernel
def fill_integers(values: Any, short: Any, blocks: Any, odd: Any) -> None:
    """Lay out padded blocks of 1 to 15 digits; all other numbers are odd."""
    for i in range(values.size):
        number = U(values[i])
        odd[i] = values[i] < 0 or number >= U(1_000_000_000_000_000)
        high = number // decimals.TEN8 if number >= decimals.TEN8 else U(0)
        low = decimals.word_of(number - high * decimals.TEN8)
        one, two = low | decimals.ASCII, U(0)
        if high:
            word = decimals.word_of(high & U(0x3FFFFFF))  # wrong only where odd
            drop = zero_bytes(word)
            drop = 1 if drop < 1 else drop if drop < 7 else 7
            size = 16 - drop
            one = (word | decimals.ASCII) >> U(8 * drop) | one << U(64 - 8 * drop)
            two = (low | decimals.ASCII) >> U(8 * drop)
        else:
            drop = zero_bytes(low)
            drop = drop if drop < 7 else 7
            size = 8 - drop
            one >>= U(8 * drop)
        blocks[i, 0] = one ^ short[size, 0]
        blocks[i, 1] = two ^ short[size, 1]


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

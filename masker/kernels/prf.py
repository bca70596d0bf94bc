"""Keyed one-way functions: AES-CMAC (RFC 4493) of whole columns, as pseudonyms or offsets."""

from typing import Any

import numpy as np

from masker.aes import BlockCipher, cmac
from masker.kernels import kernel
from masker.kernels.column import Text, ends
from masker.kernels.lanes import LANES, LONG, Lanes, Words, double, endings
from masker.kernels.word import U, swap

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
            scatter(
                self._lanes.mac(part, self._cipher, self._masks), self._lanes.lane[: len(part)], output[low:]
            )
        for row in np.flatnonzero(long):
            output[row] = np.frombuffer(cmac(self._key, text.value(int(row))), "<u8")
        return output


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

"""FF1 where a half fits 48 bits and the tweak fits the only block of a round: ten AES calls for a chunk.

Then b <= 6 and d <= 12. So the last block of P || Q is tweak, zeros, [i], NUM(B), only E(P) comes before it, and S is
the head of R (SP 800-38G, algorithm 7, steps 5 and 6).
"""

from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from masker.aes import BlockCipher
from masker.kernels import kernel
from masker.kernels.ff1_digits import halves, halves_decimal, spread, spread_decimal
from masker.kernels.lanes import octets
from masker.kernels.vector import get, get_pair, least, put, put_pair, remainder
from masker.kernels.word import ALL, U, swap

HALF_BITS = 48
"""Bits of a half at most, so that a remainder shifted by 16 bits fits a word."""
LENGTHS = 97
"""Window lengths from 0: with radix 2 a half has 48 digits, and other radices have fewer."""
WIDTH = 4
"""Bytes of a half up to which a round takes eight bytes of R; above, it takes twelve."""

Words = NDArray[np.uint64]
Digits = NDArray[Any]


class Form(Protocol):
    """What this file needs of a domain's format."""

    @property
    def radix(self) -> int:
        """The number of characters in the alphabet."""

    @property
    def keep_prefix(self) -> int:
        """Characters before the window."""

    @property
    def keep_suffix(self) -> int:
        """Characters after the window that join the tweak."""

    @property
    def decimal(self) -> bool:
        """Whether the digits are 0 to 9 in bytes, with room for whole words after them."""

    @property
    def spelling(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Digit -> UTF-8."""


class Constants(NamedTuple):
    """By window length: moduli and Barrett inverses of both halves (n, 2), and the bytes of a half."""

    modulus: Words
    inverse: Words
    width: NDArray[np.int64]


@cache
def longest(radix: int, kept: int, *, ascii_only: bool) -> int:
    """Return the longest window that this file takes; 0 where tweaks can differ in length."""
    if kept and not ascii_only:
        return 0
    tweak = kept + 1 if kept else 0
    length = 0
    while radix ** -(-(length + 1) // 2) <= 1 << HALF_BITS and tweak + 1 + width(radix, length + 1) <= 16:
        length += 1
    return length


class Rounds:
    """FF1 with one key and format, for at most `rows` windows in a call. It belongs to one thread."""

    def __init__(self, cipher: BlockCipher, form: Form, rows: int) -> None:
        self._cipher, self._form, self._numbers = cipher, form, constants(form.radix)
        kept = form.keep_prefix + form.keep_suffix
        self._heads = _heads(cipher, form.radix, kept + 1 if kept else 0)
        self._order = np.zeros(rows, np.int64)
        self._halves = np.zeros((2, rows), np.uint64)
        self._base, self._blocks = np.zeros((rows, 2), np.uint64), np.zeros((rows, 2), np.uint64)
        self._output = np.zeros((rows + 1, 2), np.uint64)

    def run(self, digits: Digits, starts: NDArray[np.int64], sizes: NDArray[np.int64], *, decrypt: bool) -> None:
        """Replace digits[starts[i]:starts[i] + sizes[i]] by its permutation, for every size above 0."""
        form, order = self._form, self._order
        groups = np.zeros(LENGTHS + 1, np.uint64)  # unsigned, or every index is checked for its sign
        if not sort_sizes(sizes, order, groups, np.zeros_like(groups)):
            return
        left, right = self._halves
        if form.decimal:
            halves_decimal(digits, starts, order, groups, left, right)
        else:
            halves(digits, starts, order, groups, U(form.radix), left, right)
        for length in np.flatnonzero(np.diff(groups)):
            base = self._base[groups[length] : groups[length + 1]]
            base[:, 0], base[:, 1] = self._heads[length]
        if form.keep_prefix or form.keep_suffix:
            kept = (form.keep_prefix, form.keep_suffix, form.spelling[0])
            add_tweaks(digits, starts, order, groups, *kept, self._base)
        left, right = self._feistel(groups, left, right, decrypt=decrypt)
        if form.decimal:
            spread_decimal(left, right, order, groups, starts, self._blocks, self._output, digits)
        else:
            spread(left, right, order, groups, starts, U(form.radix), U((1 << 64) // form.radix + 1), digits)

    def _feistel(self, groups: Words, left: Words, right: Words, *, decrypt: bool) -> tuple[Words, Words]:
        """Ten rounds; decryption is the same on swapped halves, backwards, with subtraction."""
        base, blocks, output, numbers = self._base, self._blocks, self._output, self._numbers
        taken = int(groups[-1])
        given, made = octets(blocks[:taken]), octets(output)
        left, right = (right, left) if decrypt else (left, right)
        narrow = int(np.argmax(numbers.width > WIDTH))
        steps = [(step, 0, narrow), (step_wide, narrow, LENGTHS)]
        steps = [(run, low, high) for run, low, high in steps if groups[high] > groups[low]]
        output[:taken] = 0  # adds nothing: the first blocks
        for run, low, high in steps:
            run(low, high, groups, output, right, base, *numbers, 1 - decrypt, 9 if decrypt else 0, decrypt, blocks)
        for i in range(9, -1, -1) if decrypt else range(10):
            self._cipher.encrypt(given, made)
            following = max(i - 1, 0) if decrypt else i + 1
            for run, low, high in steps:
                run(low, high, groups, output, left, base, *numbers, i & 1, following, decrypt, blocks)
            left, right = right, left
        return (right, left) if decrypt else (left, right)


@cache
def constants(radix: int) -> Constants:
    """Return the tables for every window length."""
    modulus, inverse = np.zeros((LENGTHS, 2), np.uint64), np.zeros((LENGTHS, 2), np.uint64)
    widths = np.zeros(LENGTHS, np.int64)
    for length in range(2, LENGTHS):
        sizes = (length // 2, length - length // 2)
        if radix ** sizes[1] > 1 << HALF_BITS:
            break
        modulus[length] = [radix**size for size in sizes]
        inverse[length] = [(1 << 64) // radix**size for size in sizes]
        widths[length] = width(radix, length)
    return Constants(modulus, inverse, widths)


def head(radix: int, length: int, tweak_length: int) -> bytes:
    """Return the block P of algorithm 7, step 5."""
    half = (length // 2) % 256
    return (
        bytes([1, 2, 1])
        + radix.to_bytes(3, "big")
        + bytes([10, half])
        + length.to_bytes(4, "big")
        + tweak_length.to_bytes(4, "big")
    )


def width(radix: int, length: int) -> int:
    """Return the bytes of NUM(B): the b of algorithm 7, step 3."""
    return (int(radix ** -(-length // 2) - 1).bit_length() + 7) // 8


def _heads(cipher: BlockCipher, radix: int, tweak_length: int) -> Words:
    """E(P) by window length."""
    heads = [cipher.block(head(radix, length, tweak_length)) for length in range(LENGTHS)]
    return np.frombuffer(b"".join(heads), "<u8").astype(np.uint64).reshape(-1, 2)


@kernel
def sort_sizes(sizes: Any, order: Any, groups: Any, place: Any) -> Any:
    """List in `order` the values by the length of their windows, and in `groups` where each length begins."""
    for i in range(sizes.size):
        if sizes[i] > 0:
            groups[sizes[i] + 1] += U(1)
    for n in range(1, groups.size):
        groups[n] += groups[n - 1]
        place[n] = groups[n]
    for i in range(sizes.size):
        if sizes[i] > 0:
            order[place[sizes[i]]] = i
            place[sizes[i]] += U(1)
    return groups[groups.size - 1]


@kernel
def add_tweaks(
    digits: Any, starts: Any, order: Any, groups: Any, prefix: Any, suffix: Any, spelling: Any, base: Any
) -> None:
    """XOR the tweak of each value into its block."""
    for n in range(groups.size - 1):
        for k in range(groups[n], groups[n + 1]):
            p = starts[order[k]]
            base[k, 0] ^= U(prefix)
            for j in range(prefix + suffix):
                letter = spelling[digits[p - prefix + j if j < prefix else p + n + j - prefix], 0]
                base[k, (j + 1) >> 3] ^= U(letter) << U(8 * ((j + 1) & 7))


@kernel
def step(
    low: Any,
    high: Any,
    groups: Any,
    output: Any,
    left: Any,
    base: Any,
    modulus: Any,
    inverse: Any,
    width: Any,
    parity: Any,
    following: Any,
    subtract: Any,
    blocks: Any,
) -> None:
    """One Feistel round and the blocks of the next: left becomes (left +- y) mod M, the caller swaps.

    For window lengths from low to high where d = 8: y is one word of R.
    """
    flip = ALL if subtract else U(0)
    for n in range(low, high):
        m, inv, start = modulus[n, parity], inverse[n, parity], np.int64(groups[n])
        number, more = U(following) << U(8 * width[n]), (m + U(1)) & flip
        for k in range(np.int64(groups[n + 1]) - start):
            word, _ = get_pair(output, start, k)
            y = remainder(swap(word), m, inv)
            c = get(left, start, k) + (y ^ flip) + more  # m - y where subtracting
            c = least(c, c - m)
            put(left, start, k, c)
            one, two = get_pair(base, start, k)
            put_pair(blocks, start, k, one, two ^ swap(c | number))


@kernel
def step_wide(
    low: Any,
    high: Any,
    groups: Any,
    output: Any,
    left: Any,
    base: Any,
    modulus: Any,
    inverse: Any,
    width: Any,
    parity: Any,
    following: Any,
    subtract: Any,
    blocks: Any,
) -> None:
    """One Feistel round as in `step`, where d = 12: four more bytes of R, sixteen bits at a time."""
    flip = ALL if subtract else U(0)
    for n in range(low, high):
        m, inv, start = modulus[n, parity], inverse[n, parity], np.int64(groups[n])
        number, more = U(following) << U(8 * width[n]), (m + U(1)) & flip
        for k in range(np.int64(groups[n + 1]) - start):
            word, tail = get_pair(output, start, k)
            y, tail = remainder(swap(word), m, inv), swap(tail)
            y = remainder(y << U(16) | tail >> U(48), m, inv)
            y = remainder(y << U(16) | (tail >> U(32)) & U(0xFFFF), m, inv)
            c = get(left, start, k) + (y ^ flip) + more
            c = least(c, c - m)
            put(left, start, k, c)
            one, two = get_pair(base, start, k)
            put_pair(blocks, start, k, one, two ^ swap(c | number))

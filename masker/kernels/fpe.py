"""FF1 (NIST SP 800-38G Rev. 1 draft) over whole columns, separators left in place.

The values of a chunk are read as digits. The windows to encrypt go through ten rounds side by side (`ff1_small` where a
half fits 48 bits, `ff1_wide` for all others). The digits are written back over the characters they came from.
"""

import dataclasses
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masker.aes import BlockCipher
from masker.kernels import ff1_small, ff1_wide
from masker.kernels.column import SHORT, Masked, Text
from masker.kernels.digits import (
    check,
    read_bytes,
    read_characters,
    set_check,
    write_bytes,
    write_characters,
)

FLOOR = 1_000_000
"""Possible values of a window at least (SP 800-38G Rev. 1 draft, section 5.1): fewer could be tried one by one."""
LIMIT = 128
"""Characters of the alphabet in a value at most: the work grows with the square of the length."""
ROWS = 8192
"""Values of a chunk. Measured on 16 digits: 4,096 encrypt 10 % fewer values a second, 65,536 encrypt 9 % more."""
LUHN_VALID, LUHN_INVALID = 0, 1
"""What is added to the check digit: a number that is `invalid` cannot be charged."""
_FOREIGN, _SEPARATOR = -1, -2
_PLAIN = np.zeros(0, np.uint8)


@dataclasses.dataclass(frozen=True)
class Format:
    """What a domain declares about its values, already checked.

    `luhn` is None, LUHN_VALID or LUHN_INVALID. `bits` is the length of the AES key.
    """

    alphabet: tuple[str, ...]
    separators: tuple[str, ...] = (" ", "-")
    keep_prefix: int = 0
    keep_suffix: int = 0
    luhn: int | None = None
    bits: int = 256

    @property
    def radix(self) -> int:
        """The number of characters in the alphabet."""
        return len(self.alphabet)

    @cached_property
    def least(self) -> int:
        """The shortest window: two digits, and as many as reach the floor."""
        length = 2
        while self.radix**length < FLOOR:
            length += 1
        return length

    @cached_property
    def wide(self) -> int:
        """The shortest window whose rounds take twelve bytes of AES's output and not eight."""
        length = self.least
        while ff1_small.width(self.radix, length) <= ff1_small.WIDTH:
            length += 1
        return length

    @property
    def tail(self) -> int:
        """Characters after the window: the kept suffix or the check digit."""
        return 1 if self.luhn is not None else self.keep_suffix

    @property
    def decimal(self) -> bool:
        """Whether digits can be read and written eight at a time."""
        return self.alphabet == tuple("0123456789")

    @property
    def digit_type(self) -> Any:
        """The type of a digit."""
        return np.uint8 if self.radix <= 256 else np.uint16

    @cached_property
    def ascii_only(self) -> bool:
        """Whether every character is one byte."""
        return all(character.isascii() for character in self.alphabet + self.separators)

    @cached_property
    def digit_of(self) -> NDArray[np.int32]:
        """Code point (or any byte) -> digit, _SEPARATOR or _FOREIGN."""
        size = max(256, *(ord(character) + 1 for character in self.alphabet + self.separators))
        table = np.full(size, _FOREIGN, np.int32)
        table[[ord(character) for character in self.separators]] = _SEPARATOR
        table[[ord(character) for character in self.alphabet]] = np.arange(self.radix)
        return table

    @property
    def letters(self) -> NDArray[np.uint8]:
        """Digit -> its one byte."""
        return np.ascontiguousarray(self.spelling[0][:, 0])

    @cached_property
    def spelling(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Digit -> UTF-8 (rows of 4 bytes) and its length."""
        texts = [character.encode() for character in self.alphabet]
        table = np.frombuffer(b"".join(text.ljust(4, b"\0") for text in texts), np.uint8).reshape(-1, 4)
        return table, np.array([len(text) for text in texts], np.int64)

    def tweak(self, prefix: Any, suffix: Any) -> bytes:
        """Return the length of the prefix in one byte, prefix and suffix; nothing if the domain keeps no characters."""
        if not self.keep_prefix and not self.keep_suffix:
            return b""
        kept = [self.alphabet[digit] for digit in (*prefix, *suffix)]
        return bytes([self.keep_prefix]) + "".join(kept).encode()


def run(text: Text, form: Format, key: bytes, *, decrypt: bool = False) -> Masked:
    """Encrypt or decrypt a column.

    A value is UNFIT with a foreign character, more than LIMIT characters or a wrong check digit. It is SHORT where its
    window has fewer than FLOOR possible values.
    """
    return _Column(text, form, BlockCipher(key[: form.bits // 8]), decrypt=decrypt).run()


class _Column:
    """One column on its way: read, encrypted and written a chunk at a time."""

    def __init__(self, text: Text, form: Format, cipher: BlockCipher, *, decrypt: bool) -> None:
        self.text, self.form, self.cipher, self.decrypt = text, form, cipher, decrypt
        self.status = np.zeros(len(text), np.uint8)
        bounds = text.offsets[[*range(0, len(text), ROWS), len(text)]]
        longest = int(np.diff(bounds).max(initial=0))
        self.digits = np.zeros(longest + 16, form.digit_type)  # at the places of their characters' bytes
        self.counts = np.zeros(ROWS, np.int64)
        self.rounds = ff1_small.Rounds(cipher, form, min(ROWS, len(text)))
        self.most = ff1_small.longest(form.radix, form.keep_prefix + form.keep_suffix, ascii_only=form.ascii_only)

    def run(self) -> Masked:
        text, form = self.text, self.form
        size = int(text.offsets[-1] - text.offsets[0]) * int(form.spelling[1].max())
        output = np.zeros(size + 8, np.uint8)  # whole words are written
        places = np.zeros(len(text) + 1, np.int64)
        for low, high in text.chunks(ROWS):
            part, status = text.part(low, high), self.status[low:high]
            counts = self.counts[: high - low]
            self._read(part, counts, status)
            self._encrypt(part, counts, status)
            source = (part.data, part.offsets, part.valid, status, form.digit_of)
            if form.ascii_only:
                write_bytes(*source, form.decimal, counts, self.digits, form.letters, output, places[low:])
            else:
                write_characters(*source, self.digits, *form.spelling, output, places[low:])
        return Masked(Text(output[: places[-1]], places, text.valid & (self.status == 0)), self.status)

    def _read(self, part: Text, counts: NDArray[np.int64], status: NDArray[np.uint8]) -> None:
        form = self.form
        source = (part.data, part.offsets, part.valid, form.digit_of)
        if form.ascii_only:
            read_bytes(*source, form.decimal, LIMIT, self.digits, counts, status)
        else:
            read_characters(*source, LIMIT, self.digits, counts, status)
        least = form.keep_prefix + form.tail + form.least
        status[part.valid & (status == 0) & (counts < least)] = SHORT
        if form.luhn is not None:
            add = form.luhn if self.decrypt else LUHN_VALID
            check(part.offsets, part.valid, self.digits, counts, add, status)

    def _encrypt(self, part: Text, counts: NDArray[np.int64], status: NDArray[np.uint8]) -> None:
        """Replace the digits of every fitting window, and the check digit."""
        form = self.form
        starts = part.offsets[:-1] - part.offsets[0] + form.keep_prefix
        sizes = np.where(part.valid & (status == 0), counts - form.keep_prefix - form.tail, 0)
        wide = sizes > self.most
        if wide.any():
            _encrypt_wide(form, self.cipher, self.digits, starts[wide], sizes[wide], decrypt=self.decrypt)
            sizes[wide] = 0
        self.rounds.run(self.digits, starts, sizes, decrypt=self.decrypt)
        if form.luhn is not None:
            set_check(part.offsets, part.valid, counts, status, 0 if self.decrypt else form.luhn, self.digits)


def _encrypt_wide(
    form: Format,
    cipher: BlockCipher,
    digits: NDArray[Any],
    starts: NDArray[np.int64],
    sizes: NDArray[np.int64],
    *,
    decrypt: bool,
) -> None:
    """Group the windows by length and tweak length, which fix the shape of the blocks."""
    groups: dict[tuple[int, int], list[tuple[int, bytes]]] = {}
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        after = start + size
        tweak = form.tweak(digits[start - form.keep_prefix : start], digits[after : after + form.keep_suffix])
        groups.setdefault((size, len(tweak)), []).append((start, tweak))
    for (size, _), members in groups.items():
        places = np.array([start for start, _ in members], np.int64)
        ff1_wide.run(cipher, form.radix, digits, places, size, [tweak for _, tweak in members], decrypt=decrypt)

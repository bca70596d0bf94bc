"""FF1 (NIST SP 800-38G Rev. 1 draft) over whole columns, separators left in place.

A chunk's values are read as digits, the encrypted windows go through ten rounds side
by side (`ff1_small` where a half fits 48 bits, `ff1_wide` for all others), and the
digits are written back over the characters they came from.
"""

import dataclasses
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masker.aes import BlockCipher
from masker.kernels import decimals, device, ff1_small, ff1_wide, kernel
from masker.kernels.column import Masked, Text
from masker.kernels.word import U

FLOOR = 1_000_000  # SP 800-38G Rev. 1 draft, section 5.1
LIMIT = 128  # characters of the alphabet in one value
ROWS = 8192
LUHN_VALID, LUHN_INVALID = 0, 1  # what is added to the check digit
_FOREIGN, _SEPARATOR = -1, -2
_PLAIN = np.zeros(0, np.uint8)


@dataclasses.dataclass(frozen=True)
class Format:
    """What a domain declares about its numbers; checked by the plan.

    `luhn` is None, LUHN_VALID or LUHN_INVALID. `bits` is the AES key length.
    """

    alphabet: tuple[str, ...]
    separators: tuple[str, ...] = (" ", "-")
    keep_prefix: int = 0
    keep_suffix: int = 0
    luhn: int | None = None
    bits: int = 256

    @property
    def radix(self) -> int:
        """The number of characters."""
        return len(self.alphabet)

    @cached_property
    def least(self) -> int:
        """The shortest window: two digits, and as many as reach the floor."""
        length = 2
        while self.radix**length < FLOOR:
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
    def digit_of(self) -> NDArray[np.int32]:
        """Code point -> digit, _SEPARATOR or _FOREIGN; at least all of ASCII."""
        size = max(128, *(ord(character) + 1 for character in self.alphabet + self.separators))
        table = np.full(size, _FOREIGN, np.int32)
        table[[ord(character) for character in self.separators]] = _SEPARATOR
        table[[ord(character) for character in self.alphabet]] = np.arange(self.radix)
        return table

    @cached_property
    def spelling(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Digit -> UTF-8 (rows of 4 bytes) and its length."""
        texts = [character.encode() for character in self.alphabet]
        table = np.frombuffer(b"".join(text.ljust(4, b"\0") for text in texts), np.uint8).reshape(-1, 4)
        return table, np.array([len(text) for text in texts], np.int64)

    def tweak(self, prefix: Any, suffix: Any) -> bytes:
        """uint8 length of the prefix in characters, prefix, suffix; empty if the domain keeps nothing."""
        if not self.keep_prefix and not self.keep_suffix:
            return b""
        kept = [self.alphabet[digit] for digit in (*prefix, *suffix)]
        return bytes([self.keep_prefix]) + "".join(kept).encode()


def run(text: Text, form: Format, key: bytes, *, decrypt: bool = False) -> Masked:
    """Encrypt or decrypt; UNFIT: foreign characters, over 128, wrong check digit; SHORT: under the floor."""
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
        ascii_only = form.digit_of.size == 128
        self.most = ff1_small.longest(form.radix, form.keep_prefix + form.keep_suffix, ascii_only=ascii_only)

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
            write(*source, counts, self.digits, *form.spelling, form.decimal, output, places[low:])
        return Masked(Text(output[: places[-1]], places, text.valid & (self.status == 0)), self.status)

    def _read(self, part: Text, counts: NDArray[np.int64], status: NDArray[np.uint8]) -> None:
        form = self.form
        source = (part.data, part.offsets, part.valid, form.digit_of, form.decimal)
        read(*source, LIMIT, self.digits, counts, status)
        check = -1 if form.luhn is None else form.luhn if self.decrypt else LUHN_VALID
        least = form.keep_prefix + form.tail + form.least
        judge(part.offsets, part.valid, self.digits, counts, least, check, status)

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
        ff1_wide.run(
            cipher, form.radix, digits, places, size, [tweak for _, tweak in members], decrypt=decrypt
        )


@kernel
def read(
    data: Any,
    offsets: Any,
    valid: Any,
    digit_of: Any,
    decimal: Any,
    limit: Any,
    digits: Any,
    counts: Any,
    status: Any,
) -> None:
    """Decode UTF-8 and map each character to its digit."""
    first = offsets[0]
    for i in range(valid.size):
        if not valid[i]:
            continue
        size = offsets[i + 1] - offsets[i]
        if decimal and size <= limit and decimals.take(data, offsets[i], size, digits, offsets[i] - first):
            counts[i] = size
            continue
        p, end, q, n = U(offsets[i]), U(offsets[i + 1]), U(offsets[i] - first), U(0)
        while p < end:
            point = U(data[p])
            width = character_width(point)
            if width > 1:
                point = code_point(data, p)
            p += U(width)
            digit = digit_of[point] if point < U(digit_of.size) else -1
            if digit >= 0 and n < U(limit):
                digits[q + n] = digit
                n += U(1)
            elif digit != -2:
                status[i] = 1
                break
        counts[i] = np.int64(n)


@kernel
def judge(offsets: Any, valid: Any, digits: Any, counts: Any, least: Any, check: Any, status: Any) -> None:
    """Mark what is under the floor and, with check >= 0, what has not the check digit plus `check`."""
    for i in range(valid.size):
        if not valid[i] or status[i]:
            continue
        if counts[i] < least:
            status[i] = 2
        elif check >= 0:
            start = offsets[i] - offsets[0]
            last = start + counts[i] - 1
            if digits[last] != (luhn(digits, start, last) + check) % 10:
                status[i] = 1


@kernel
def set_check(offsets: Any, valid: Any, counts: Any, status: Any, add: Any, digits: Any) -> None:
    """Set the last digit of every fitting value to its check digit plus `add`."""
    for i in range(status.size):
        if valid[i] and status[i] == 0:
            start = offsets[i] - offsets[0]
            last = start + counts[i] - 1
            digits[last] = (luhn(digits, start, last) + add) % 10


@device
def luhn(digits: Any, start: Any, end: Any) -> Any:
    """Return the check digit (ISO/IEC 7812-1, annex B) of digits[start:end]."""
    total = np.int64(0)
    for k in range(end - start):
        digit = np.int64(digits[end - 1 - k])
        if k & 1 == 0:
            digit = 2 * digit - 9 if digit > 4 else 2 * digit
        total += digit
    return (10 - total % 10) % 10


@kernel
def write(
    data: Any,
    offsets: Any,
    valid: Any,
    status: Any,
    digit_of: Any,
    counts: Any,
    digits: Any,
    spelling: Any,
    widths: Any,
    decimal: Any,
    output: Any,
    places: Any,
) -> None:
    """Spell the digits over their characters; separators are copied, what did not fit is left out."""
    q = places[0]
    for i in range(valid.size):
        places[i] = q
        if not valid[i] or status[i]:
            continue
        n, size = offsets[i] - offsets[0], offsets[i + 1] - offsets[i]
        if decimal and counts[i] == size:
            decimals.put(digits, n, size, output, q)
            q += size
            continue
        q = np.int64(
            spell(
                data, U(offsets[i]), U(offsets[i + 1]), digit_of, digits, U(n), spelling, widths, output, U(q)
            )
        )
    places[valid.size] = q


@device
def spell(
    data: Any,
    p: Any,
    end: Any,
    digit_of: Any,
    digits: Any,
    n: Any,
    spelling: Any,
    widths: Any,
    output: Any,
    q: Any,
) -> Any:
    """Write one value; returns the place after it."""
    while p < end:
        point = U(data[p])
        width = character_width(point)
        if width > 1:
            point = code_point(data, p)
        if digit_of[point] < 0:
            for k in range(U(width)):
                output[q + k] = data[p + k]
            q += U(width)
        else:
            digit = digits[n]
            output[q] = spelling[digit, 0]
            for k in range(U(1), U(widths[digit])):
                output[q + k] = spelling[digit, k]
            q += U(widths[digit])
            n += U(1)
        p += U(width)
    return q


@device
def character_width(byte: Any) -> Any:
    """Return the bytes of the UTF-8 character that begins with `byte`."""
    return 1 if byte < U(0x80) else 2 if byte < U(0xE0) else 3 if byte < U(0xF0) else 4


@device
def code_point(data: Any, p: Any) -> Any:
    """Decode a character of several bytes."""
    width = character_width(U(data[p]))
    point = U(data[p]) & (U(0x7F) >> U(width))
    for k in range(U(1), U(width)):
        point = point << U(6) | (U(data[p + k]) & U(0x3F))
    return point

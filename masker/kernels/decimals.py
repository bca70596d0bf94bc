"""Decimal digits eight at a time: a word holds eight digits, one in each byte, the first one lowest."""

from typing import Any

from masker.kernels import device
from masker.kernels.word import U, front, load, load_part, store

TEN8 = U(100_000_000)
"""10^8: what the first of two words of digits counts."""
ASCII = U(0x3030303030303030)
"""Eight times "0": the difference between digits and their characters."""
_HIGH, _SIX, _THREE = U(0xF0F0F0F0F0F0F0F0), U(0x0606060606060606), U(0x3333333333333333)


@device
def take(data: Any, p: Any, size: Any, digits: Any, q: Any) -> Any:
    """Copy ASCII digits as numbers 0 to 9, up to 8 bytes too far; False where a byte is not a digit."""
    wrong, whole, rest = U(0), size & ~7, size & 7
    for k in range(0, whole, 8):
        word = load(data, p + k)
        wrong |= strange(word)
        store(digits, q + k, word - ASCII)
    if rest:
        word = load_part(data, p + whole, rest) | ASCII << U(8 * rest)
        wrong |= strange(word)
        store(digits, q + whole, word - ASCII)
    return wrong == U(0)


@device
def strange(word: Any) -> Any:
    """Return 0 for eight ASCII digits: bytes whose high half is 3 and stays 3 when 6 is added."""
    return ((word & _HIGH) | ((word + _SIX) & _HIGH) >> U(4)) ^ _THREE


@device
def put(digits: Any, p: Any, size: Any, output: Any, q: Any) -> None:
    """Write digits as ASCII, up to 7 bytes too far."""
    for k in range(0, size, 8):
        store(output, q + k, load(digits, p + k) | ASCII)


@device
def number(digits: Any, p: Any, size: Any) -> Any:
    """Return the number of up to 16 digits; reads up to 8 bytes too far."""
    if size > 8:
        return eight(load(digits, p) << U(8 * (16 - size))) * TEN8 + eight(load(digits, p + size - 8))
    return eight(load(digits, p) << U(8 * (8 - size)))


@device
def write(high: Any, low: Any, size: Any, digits: Any, p: Any) -> None:
    """Write the last of sixteen digits into exactly `size` places; what follows is read and written back."""
    if size > 8:
        store(digits, p, high >> U(8 * (16 - size)))
        p, size = p + size - 8, 8
    after = load(digits, p)
    store(digits, p, (after ^ front(after, size)) | low >> U(8 * (8 - size)))


@device
def sixteen(value: Any) -> Any:
    """Spell a number below 10^15 in two words; without a division, so that vectors can."""
    high = (((value >> U(20)) & U(0xFFFFFFFF)) * U(45_035_996)) >> U(32)  # // 10^8, or one less
    low = value - high * TEN8
    more = U(low >= TEN8)
    return word_of(high + more), word_of(low - more * TEN8)


@device
def eight(word: Any) -> Any:
    """Return the number that eight digits spell: pairs, then fours, then all."""
    word = (word * U(10) + (word >> U(8))) & U(0x00FF00FF00FF00FF)
    word = (word * U(100) + (word >> U(16))) & U(0x0000FFFF0000FFFF)
    return (word * U(10_000) + (word >> U(32))) & U(0xFFFFFFFF)


@device
def word_of(value: Any) -> Any:
    """Spell a number below 10^8; each step splits by a multiplication that is exact in its range."""
    high = (value * U(109_951_163)) >> U(40)  # value // 10^4 below 10^8
    word = high | (value - high * U(10_000)) << U(32)
    high = ((word * U(10_486)) >> U(20)) & U(0x0000007F0000007F)  # // 100 below 10^4
    word = high | (word - high * U(100)) << U(16)
    high = ((word * U(103)) >> U(10)) & U(0x000F000F000F000F)  # // 10 below 100
    return high | (word - high * U(10)) << U(8)

"""Text without keys: partial, redact, zip3, IP networks, and the halves of an e-mail address."""

import ipaddress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masker.kernels import device, kernel
from masker.kernels.column import UNFIT, Masked, Text, ends, fitting, gather, merge, ranges, text_from
from masker.kernels.word import U, copy

MASKED_HOST = b"@masked.invalid"
"""The end of an e-mail address whose local part is a token (RFC 2606: such a name never resolves)."""
_ZIP_KEPT, _ZIP_LEAST = 3, 4
_LETTERS = np.array([chr(byte).isalnum() and byte < 128 for byte in range(256)])


def partial(text: Text, first: int, last: int, character: str) -> Masked:
    """Keep `first` and `last` code points, and write `character` (ASCII) over each of the others.

    A value that is not at least twice as long as what is kept is covered completely.
    """
    lengths = np.where(text.valid, np.diff(text.offsets), 0)
    span = text.data[text.offsets[0] : text.offsets[-1]]
    if span.size == 0 or int(span.max()) < 128:
        offsets = ends(lengths)
        output = np.zeros(int(offsets[-1]), np.uint8)
        output[:] = ord(character)
        keep_ascii(text.data, text.offsets, text.valid, first, last, output, offsets)
        return fitting(Text(output, offsets, text.valid))
    sizes = np.zeros(len(text), np.int64)
    measure_partial(text.data, text.offsets, text.valid, first, last, sizes)
    offsets = ends(sizes)
    output = np.zeros(int(offsets[-1]), np.uint8)
    keep(text.data, text.offsets, text.valid, first, last, ord(character), output, offsets)
    return fitting(Text(output, offsets, text.valid))


def constant(valid: NDArray[np.bool_], value: bytes) -> Text:
    """Return `value` for everything that is not null."""
    count = int(np.count_nonzero(valid))
    data = np.frombuffer(value * count, np.uint8)
    return Text(data, ends(np.where(valid, len(value), 0)), valid)


def zip3(text: Text) -> Masked:
    """Return the first three characters of a code of at least four ASCII letters or digits."""
    status = np.zeros(len(text), np.uint8)
    check_zip(text.data, text.offsets, text.valid, _ZIP_LEAST, _LETTERS, status)
    valid = text.valid & (status == 0)
    starts = text.offsets[:-1]
    return Masked(ranges(text, starts, starts + _ZIP_KEPT, valid), status)


def network(text: Text) -> Masked:
    """Return the /24 of an IPv4 and the /48 of an IPv6 address, as `192.0.2.0/24`."""
    status = np.zeros(len(text), np.uint8)
    lengths = np.zeros(len(text), np.int64)
    measure_ipv4(text.data, text.offsets, text.valid, lengths, status)
    offsets = ends(lengths)
    output = np.zeros(int(offsets[-1]), np.uint8)
    write_ipv4(text.data, text.offsets, offsets, output)
    first = Text(output, offsets, text.valid & (status == 0))
    others: list[bytes | None] = [None] * len(text)
    for row in np.flatnonzero(status):  # rare beside IPv4, and its text has too many forms for a kernel
        others[row] = _ipv6(text.value(int(row)))
        status[row] = UNFIT if others[row] is None else 0
    second = text_from(others)
    return Masked(merge(first, second) if second.valid.any() else first, status)


def halves(text: Text) -> tuple[Text, Text, NDArray[np.uint8]]:
    """Cut at the one `@`; UNFIT where there is not exactly one."""
    status = np.zeros(len(text), np.uint8)
    at = np.zeros(len(text), np.int64)
    find_at(text.data, text.offsets, text.valid, at, status)
    valid = text.valid & (status == 0)
    return ranges(text, text.offsets[:-1], at, valid), ranges(text, at + 1, text.offsets[1:], valid), status


def join(first: Text, middle: bytes, second: Text | None, end: bytes) -> Text:
    """Concatenate value by value, null where the first is."""
    parts = [first, constant(first.valid, middle), *([second] if second else []), constant(first.valid, end)]
    lengths = sum(np.where(first.valid, np.diff(part.offsets), 0) for part in parts)
    offsets = ends(np.asarray(lengths, np.int64))
    output = np.zeros(int(offsets[-1]), np.uint8)
    place = offsets[:-1].copy()
    for part in parts:
        append(part.data, part.offsets, first.valid, output, place)
    return Text(output, offsets, first.valid)


def cut(text: Text, end: bytes) -> Masked:
    """Remove a fixed ending; UNFIT where it is missing."""
    status = np.zeros(len(text), np.uint8)
    stop = text.offsets[1:].copy()
    strip_end(text.data, text.offsets, text.valid, np.frombuffer(end, np.uint8), stop, status)
    return Masked(ranges(text, text.offsets[:-1], stop, text.valid & (status == 0)), status)


def _ipv6(value: bytes) -> bytes | None:
    try:
        address = ipaddress.IPv6Address(value.decode())
    except ValueError:
        return None
    return str(ipaddress.IPv6Network((int(address) >> 80 << 80, 48))).encode()


@kernel
def keep_ascii(data: Any, offsets: Any, valid: Any, first: Any, last: Any, output: Any, places: Any) -> None:
    """Copy what is kept over the covering characters."""
    for i in range(valid.size):
        p, q = offsets[i], places[i]
        length = places[i + 1] - q
        if length >= 2 * (first + last):
            copy(data, p, first, output, q)
            copy(data, p + length - last, last, output, q + length - last)


@kernel
def measure_partial(data: Any, offsets: Any, valid: Any, first: Any, last: Any, sizes: Any) -> None:
    """Count the bytes of each result: those of kept characters, and one for each covered character."""
    for i in range(valid.size):
        if valid[i]:
            points = code_points(data, offsets[i], offsets[i + 1])
            sizes[i] = points
            if points >= 2 * (first + last):
                k = 0
                for p in range(offsets[i], offsets[i + 1]):
                    starts = data[p] & 0xC0 != 0x80
                    k += 1 if starts else 0
                    if not starts and (k <= first or k > points - last):
                        sizes[i] += 1


@kernel
def keep(data: Any, offsets: Any, valid: Any, first: Any, last: Any, character: Any, output: Any, places: Any) -> None:
    """Write each result, which has the size that `measure_partial` counted."""
    for i in range(valid.size):
        if not valid[i]:
            continue
        points = code_points(data, offsets[i], offsets[i + 1])
        whole = points < 2 * (first + last)
        q, k = places[i], 0
        for p in range(offsets[i], offsets[i + 1]):
            starts = data[p] & 0xC0 != 0x80
            k += 1 if starts else 0
            if not whole and (k <= first or k > points - last):
                output[q] = data[p]
                q += 1
            elif starts:
                output[q] = character
                q += 1


@device
def code_points(data: Any, start: Any, end: Any) -> int:
    """Count characters: bytes that do not continue one in UTF-8."""
    points = 0
    for p in range(start, end):
        points += 1 if data[p] & 0xC0 != 0x80 else 0
    return points


@kernel
def check_zip(data: Any, offsets: Any, valid: Any, least: Any, letters: Any, status: Any) -> None:
    """Mark what is too short or not ASCII letters and digits in its first characters."""
    for i in range(valid.size):
        if valid[i]:
            p = U(offsets[i])
            good = offsets[i + 1] - offsets[i] >= least
            if good:
                for k in range(U(least)):
                    good &= letters[data[p + k]]
            status[i] = not good


@kernel
def append(data: Any, offsets: Any, valid: Any, output: Any, place: Any) -> None:
    """Append each value at its running place."""
    for i in range(valid.size):
        if valid[i]:
            size = offsets[i + 1] - offsets[i]
            copy(data, offsets[i], size, output, place[i])
            place[i] += size


@kernel
def find_at(data: Any, offsets: Any, valid: Any, at: Any, status: Any) -> None:
    """Find the one `@`."""
    for i in range(valid.size):
        if not valid[i]:
            continue
        seen = 0
        for p in range(offsets[i], offsets[i + 1]):
            if data[p] == 64:
                seen += 1
                at[i] = p
        if seen != 1:
            status[i] = 1


@kernel
def strip_end(data: Any, offsets: Any, valid: Any, end: Any, stop: Any, status: Any) -> None:
    """Move each stop before the ending."""
    for i in range(valid.size):
        if not valid[i]:
            continue
        start = offsets[i + 1] - end.size
        same = start >= offsets[i]
        if same:
            for k in range(end.size):
                same = same and data[start + k] == end[k]
        if same:
            stop[i] = start
        else:
            status[i] = 1


@kernel
def measure_ipv4(data: Any, offsets: Any, valid: Any, lengths: Any, status: Any) -> None:
    """Check four decimal parts of 0 to 255 without leading zeros; the result ends in `.0/24`."""
    for i in range(valid.size):
        if not valid[i]:
            continue
        dots, digits, third = 0, 0, offsets[i]
        part: Any = 0
        good: Any = True
        for p in range(offsets[i], offsets[i + 1]):
            if data[p] == 46:
                good = good and digits > 0
                dots, digits, part, third = dots + 1, 0, 0, p
            elif 48 <= data[p] <= 57:
                good = good and not (digits > 0 and part == 0)
                part = part * 10 + np.int64(data[p]) - 48 if part < 256 else 256
                digits += 1
            else:
                good = False
            good = good and part < 256
        if good and dots == 3 and digits > 0:
            lengths[i] = third - offsets[i] + 5
        else:
            status[i] = 1


@kernel
def write_ipv4(data: Any, offsets: Any, places: Any, output: Any) -> None:
    """Copy three parts, then `.0/24`."""
    ending = (46, 48, 47, 50, 52)
    for i in range(places.size - 1):
        size = places[i + 1] - places[i]
        if size > 0:
            copy(data, offsets[i], size - 5, output, places[i])
            for k in range(5):
                output[places[i] + size - 5 + k] = ending[k]


def chosen(labels: Text, codes: NDArray[np.int64], valid: NDArray[np.bool_]) -> Text:
    """Return the label of each code; null where not valid."""
    rows = np.where(valid, codes, -1).astype(np.int64)
    offsets = ends(np.where(valid, np.diff(labels.offsets)[np.maximum(rows, 0)], 0))
    output = np.zeros(int(offsets[-1]), np.uint8)
    gather(labels.data, labels.offsets, rows, output, offsets)
    return Text(output, offsets, valid)

"""Lines leave in order and whole, and a reader that stops reading stops nothing."""

import os
import time
from collections.abc import Iterator

import pytest

from pdp.log_outlet import ATOMIC_BYTES, CLOSE_SECONDS, Outlet, together


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def lost(count: int) -> bytes:
    return b"lost %d\n" % count


def test_lines_leave_in_their_order(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    outlet = Outlet(writing, lost)
    lines = [b"%d\n" % number for number in range(1000)]
    for line in lines:
        outlet.put(line)
    outlet.close()
    assert os.read(reading, 65536) == b"".join(lines)


def test_lines_are_written_whole_in_pieces_that_the_system_does_not_part() -> None:
    lines = [b"x" * size + b"\n" for size in (10, 4000, 90, 4095, 9000, 1)]
    parts = [*together(lines)]
    assert b"".join(parts) == b"".join(lines)
    assert all(part.endswith(b"\n") for part in parts)
    assert [len(part) for part in parts if len(part) > ATOMIC_BYTES] == [9001]


def test_full_pipe_stops_nothing_and_what_is_lost_is_counted(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    outlet = Outlet(writing, lost, most=1000)
    line = b"x" * 99 + b"\n"
    began = time.thread_time()
    for _ in range(20_000):  # 2 MB, of which a pipe takes 64 KiB
        outlet.put(line)
    assert time.thread_time() - began < 5, "it waited for a reader"
    outlet_ended = time.monotonic()
    outlet.close()
    assert time.monotonic() - outlet_ended < 10 * CLOSE_SECONDS
    os.set_blocking(reading, False)
    written, counted = drained(reading, line, 20_000)
    assert counted > 0
    assert written + counted == 20_000


def drained(reading: int, line: bytes, most: int) -> tuple[int, int]:
    """How many lines are read and how many are told to be lost, as soon as they are all."""
    told, end = b"", time.monotonic() + 30
    written = counted = 0
    while written + counted < most and time.monotonic() < end:
        try:
            told += os.read(reading, 65536)
        except BlockingIOError:
            time.sleep(0.01)
        written = told.count(line)
        counted = sum(int(one.split()[1]) for one in told.split(b"\n")[:-1] if one.startswith(b"lost"))
    return written, counted


def test_reader_that_is_gone_stops_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    outlet = Outlet(writing, lost)
    outlet.put(b"a\n")
    outlet.close()
    os.close(writing)


def test_stream_that_others_made_not_to_wait_loses_nothing(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.set_blocking(writing, False)
    outlet = Outlet(writing, lost)
    line = b"x" * 999 + b"\n"
    for _ in range(200):
        outlet.put(line)
    told = b""
    while len(told) < 200 * len(line):
        told += os.read(reading, 65536)
    outlet.close()
    assert told == line * 200

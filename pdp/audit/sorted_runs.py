"""Sorts more byte strings than memory holds, in files that outlive the process.

What is added is kept in memory until it is `full`. Then `spill` writes it as a sorted run, a file that is on the disk
as a whole before it has its name. Many runs of one level are merged into one run of the next. To read is to merge all
runs. A run that was merged stays until `forget`, so that a list of `runs` that was stored before still holds.
"""

import heapq
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

MEMORY_BYTES = 3 * 1024 * 1024
"""Bytes that are sorted in memory, with what Python needs for each byte string."""
FAN_IN = 16
"""Runs of one level that are merged into one: few files are open, and each byte is written a few times."""
_OVERHEAD = 48
"""Bytes that a byte string and its place in a list take beside its own."""
_BUFFER = 64 * 1024
"""Bytes that are read at one time from a run while runs are merged."""
_LENGTH = 4


class Damaged(Exception):
    """A run is not as it was written. The sentence names the file."""


class SortedRuns:
    """Byte strings, some in memory and some in a folder. Two processes must not use one folder."""

    def __init__(
        self, folder: Path, runs: Mapping[str, int] | None = None, *, memory: int = 0, fan_in: int = FAN_IN
    ) -> None:
        """`runs` are those of an earlier process; others in the folder go. Raises `Damaged` and `OSError`."""
        self._folder, self._memory, self._fan_in = folder, memory or MEMORY_BYTES, fan_in
        self.runs = dict(runs or {})
        """The name and the bytes of each file."""
        self._taken: list[bytes] = []
        self._size = 0
        self._merged: list[str] = []
        self._next = 1 + max((_number(name) for name in self.runs), default=0)
        for name, size in self.runs.items():
            path = folder / name
            if not path.is_file() or path.stat().st_size != size:
                raise Damaged(f"{path} is not as it was written")
        for path in folder.glob("*.run*"):
            if path.name not in self.runs:
                path.unlink()

    def add(self, one: bytes) -> None:
        """Take a byte string."""
        self._taken.append(one)
        self._size += len(one) + _OVERHEAD

    @property
    def full(self) -> bool:
        """Whether it is time to `spill`."""
        return self._size >= self._memory

    def spill(self) -> None:
        """Write what is in memory, and merge runs where there are many. Where it fails, all stays as it was."""
        if not self._taken:
            return
        self._taken.sort()
        self._write(0, self._taken)
        self._taken, self._size = [], 0
        level = 0
        while len(same := [name for name in self.runs if _level(name) == level]) >= self._fan_in:
            self._write(level + 1, heapq.merge(*map(self._read, same)))
            for name in same:
                del self.runs[name]
            self._merged += same
            level += 1

    def forget(self) -> None:
        """Remove the runs that were merged into others."""
        while self._merged:
            (self._folder / self._merged.pop()).unlink(missing_ok=True)

    def __iter__(self) -> Iterator[bytes]:
        """All byte strings, sorted."""
        self._taken.sort()
        return heapq.merge(*map(self._read, self.runs), self._taken)

    def _write(self, level: int, ordered: Iterable[bytes]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"{level}-{self._next:08d}.run"
        part = self._folder / f"{name}.part"
        try:
            with part.open("wb", buffering=_BUFFER) as file:
                for one in ordered:
                    file.write(len(one).to_bytes(_LENGTH, "big") + one)
                file.flush()
                os.fsync(file.fileno())
                size = file.tell()
            part.replace(self._folder / name)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        sync_folder(self._folder)
        self._next += 1
        self.runs[name] = size

    def _read(self, name: str) -> Iterator[bytes]:
        with (self._folder / name).open("rb", buffering=_BUFFER) as file:
            while length := file.read(_LENGTH):
                size = int.from_bytes(length, "big")
                one = file.read(size)
                if len(one) < size:
                    raise Damaged(f"{self._folder / name} is not as it was written")
                yield one


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _level(name: str) -> int:
    return int(name.partition("-")[0])


def _number(name: str) -> int:
    return int(name.partition("-")[2].partition(".")[0])

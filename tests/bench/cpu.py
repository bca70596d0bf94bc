"""CPU time of a server and of its OPA and mongod, from the operating system's counters.

A rate varies by a third from run to run on a shared machine, and the CPU time that a decision takes by a tenth.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.load import Rate

_TICKS = os.sysconf("SC_CLK_TCK")
_OTHERS = ("opa", "mongod")
"""The children that are told apart, by how the names of their programs begin."""


@dataclass(frozen=True)
class Spent:
    """Seconds of CPU since each process started."""

    server: float
    opa: float = 0.0
    mongod: float = 0.0

    def each(self, since: "Spent", decisions: float) -> "Spent":
        """Microseconds a decision since then."""
        parts = zip((self.server, self.opa, self.mongod), (since.server, since.opa, since.mongod), strict=True)
        return Spent(*(1e6 * (now - before) / decisions for now, before in parts))


def spent(server: int) -> Spent:
    """What the process `server` has spent by now, and the OPA and mongod that it started."""
    names = {child: _name(child) for child in _children(server)}
    return Spent(
        _seconds(server), *(sum(_seconds(one) for one in names if names[one].startswith(part)) for part in _OTHERS)
    )


@dataclass(frozen=True)
class Figure:
    """One load: its rate, and the microseconds of CPU that a decision took."""

    rate: Rate
    cpu: Spent


def figure(server: int, items: int, run: Callable[[], Rate]) -> Figure:
    """What a load of calls with `items` decisions each costs the process `server`, and its OPA and mongod."""
    before = spent(server)
    rate = run()
    return Figure(rate, spent(server).each(before, items * rate.calls))


def medians(figures: Sequence[Figure]) -> Spent:
    """Of each process."""
    return Spent(*(median(getattr(one.cpu, part) for one in figures) for part in ("server", *_OTHERS)))


def _children(process: int) -> list[int]:
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for one in lists for child in one.read_text().split()]


def _name(process: int) -> str:
    return Path(f"/proc/{process}/comm").read_text().strip()


def _seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS

"""Decisions of this tree against those of another commit, in one interleaved run: rates, and CPU time a decision.

    python -m tests.bench.versus COMMIT [--rounds N] [--seconds S]

Both stacks run all the time, and the no-op server of the references beside them. The last column says which part of the
no-op's CPU time, or of the other commit's, a decision takes. Only one of them is asked at a time.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.cpu import Figure, figure, medians
from tests.bench.decisions import AUTHORIZE, BATCH, BATCHES_IN_FLIGHT, ITEMS, Bench
from tests.bench.dev import dev
from tests.bench.references import noop

TREE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Side:
    """One stack, and the process of its server."""

    bench: Bench
    server: int

    def asked(self, rpc: str, body: bytes, loops: int, items: int) -> Figure:
        """The figure of so many loops that send `body`, with `items` decisions in it."""
        return figure(self.server, items, lambda: self.bench.placet(rpc, body, loops))


@contextmanager
def stack(tree: Path, seconds: float) -> Iterator[Side]:
    """`pdp dev` of a tree."""
    with dev(tree) as (process, told):
        yield Side(Bench(seconds, told), process)


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """The tree of another commit."""
    with tempfile.TemporaryDirectory(prefix="placet-versus-") as folder:
        tree = Path(folder, "tree")
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", tree, commit], cwd=TREE, check=True)
        try:
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=TREE, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    arguments = parser.parse_args()
    figures: dict[str, dict[str, list[Figure]]] = defaultdict(lambda: defaultdict(list))
    with (
        checkout(arguments.commit) as other,
        stack(TREE, arguments.seconds) as now,
        stack(other, arguments.seconds) as before,
        noop(now.bench.answer) as reference,
    ):
        for side in (now, before):
            side.asked(AUTHORIZE, side.bench.unary, 64, 1)
        for number in range(arguments.rounds):
            print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
            figures["no-op 64"]["now"].append(
                figure(reference.process, 1, lambda: now.bench.noop(reference.address, 64))
            )
            sides = [("now", now), ("before", before)]
            for name, side in sides if number % 2 else reversed(sides):
                figures["unary 64"][name].append(side.asked(AUTHORIZE, side.bench.unary, 64, 1))
                figures[f"batch {ITEMS}"][name].append(side.asked(BATCH, side.bench.batch, BATCHES_IN_FLIGHT, ITEMS))
    _report(figures)


def _report(figures: dict[str, dict[str, list[Figure]]]) -> None:
    print(f"{'':20}{'a second':>10}{'server us':>11}{'opa us':>9}{'mongod us':>11}{'of no-op':>10}{'of before':>11}")
    floor = medians(figures["no-op 64"]["now"]).server
    for load, sides in figures.items():
        items = ITEMS if load.startswith("batch") else 1
        for name, some in sides.items():
            rate = items * statistics.median(one.rate.per_second for one in some)
            cpu = medians(some)
            line = f"{load + ' ' + name:20}{rate:10.0f}{cpu.server:11.1f}{cpu.opa:9.1f}{cpu.mongod:11.1f}"
            line += f"{cpu.server / floor:10.2f}"
            if name == "now" and "before" in sides:
                pairs = zip(some, sides["before"], strict=True)
                line += f"{statistics.median(ours.cpu.server / other.cpu.server for ours, other in pairs):11.2f}"
            print(line)


if __name__ == "__main__":
    main()

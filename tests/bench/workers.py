"""Decisions a second of one, two and four workers at one address, 256 in flight over 16 connections, in the same run.

Each count has a server and a database in one MongoDB; rounds take turns, and load comes from another process.

    python -m tests.bench.workers [rounds] [seconds]
"""

import asyncio
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import grpc

from pdp.dev import identity
from pdp.dev.stack import configuration
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from tests.bench.decisions import ALLOW, AUTHORIZE, question
from tests.bench.load import Load, Rate, measure
from tests.faults import ROOT, configured

COUNTS = (1, 2, 4)
IN_FLIGHT, CONNECTIONS = 256, 16
MUST = {2: (1.25, 2), 4: (2.5, 4)}
"""How many times the decisions of one worker so many must give, on a machine with at least so many cores."""
FEW = (1, 2, 4, 8, 16, 32)
"""Connections, with 16 calls in flight on each, from which it is seen where a second worker pays."""


@asynccontextmanager
async def serving(file: Path, workers: int) -> AsyncIterator[str]:
    """The address of `pdp serve` with so many workers."""
    arguments = ("serve", "--config", str(file), "--log-format", "console", "--workers", str(workers))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pdp", *arguments, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        while not (line := (await process.stderr.readline()).decode()).startswith("serving on "):
            if not line:
                sys.exit("the server did not start")
        yield line.split()[2].rstrip(",")
    finally:
        process.terminate()
        await process.communicate()


class Bench:
    """The same questions to each server."""

    def __init__(self, state: Path, seconds: float) -> None:
        self.seconds = seconds
        self.metadata = (("authorization", f"Bearer {identity.token(state, 'report-bot')}"),)
        self.unary = question().SerializeToString()

    def rate(self, address: str, connections: int, in_flight: int) -> Rate:
        with grpc.insecure_channel(address) as channel:
            answer = bytes(channel.unary_unary(AUTHORIZE)(self.unary, metadata=self.metadata))
        if ALLOW not in answer:
            sys.exit("the server does not allow what it should")
        size = len(answer)
        return measure(
            Load(address, AUTHORIZE, self.unary, size, self.metadata, in_flight, self.seconds, connections=connections)
        )


async def main(rounds: int, seconds: float) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder, state = Path(name), Path(name, "state")
        async with AsyncExitStack() as stack:
            mongod = await stack.enter_async_context(MongodProcess(toolcache.mongod(), folder / "mongodb", say=print))
            config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri=mongod.uri)
            config = config.model_copy(update={"mask_keys": None, "lineage": None, "http": None})
            servers = {}
            for count in COUNTS:
                file = configured(config.model_copy(update={"database": f"workers{count}"}), folder)
                servers[count] = await stack.enter_async_context(serving(file, count))
            return await asyncio.to_thread(compared, Bench(state, seconds), servers, rounds)


def compared(bench: Bench, servers: dict[int, str], rounds: int) -> int:
    """Measure and print; 1 if a bar is missed."""
    rates: dict[int, list[Rate]] = defaultdict(list)
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for count, address in servers.items():
            rates[count].append(bench.rate(address, CONNECTIONS, IN_FLIGHT))
    print(f"{'':24}{'decisions/s':>12}{'p50 ms':>9}{'p99 ms':>9}")
    for count, some in rates.items():
        cells = [statistics.median(cell) for cell in zip(*((r.per_second, r.p50, r.p99) for r in some), strict=True)]
        print(f"{count:2} workers{'':14}{cells[0]:12.0f}{cells[1]:9.2f}{cells[2]:9.2f}")
    missed = [count for count in MUST if is_missed(count, rates)]
    for connections in FEW:
        pairs = [[bench.rate(servers[count], connections, 16 * connections) for count in (1, 2)] for _ in range(rounds)]
        ratio = statistics.median(two.per_second / one.per_second for one, two in pairs)
        print(f"{connections:3} connections: 2 workers / 1 worker {ratio:5.2f}", flush=True)
    return 1 if missed else 0


def is_missed(count: int, rates: dict[int, list[Rate]]) -> bool:
    """Print how many times one worker's decisions these gave; whether that misses a bar that applies here."""
    bar, cores = MUST[count]
    ratios = [many.per_second / one.per_second for many, one in zip(rates[count], rates[1], strict=True)]
    applies = (os.cpu_count() or 1) >= cores
    must = f"must be at least {bar}" if applies else f"the bar of {bar} needs {cores} cores"
    ratio = statistics.median(ratios)
    print(f"{count} workers / 1 worker {ratio:5.2f}  (of {min(ratios):.2f} to {max(ratios):.2f})  {must}")
    return applies and ratio < bar


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int((sys.argv[1:] or ["5"])[0]), float((sys.argv[2:] or ["3"])[0]))))

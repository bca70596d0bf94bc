"""HTTP beside gRPC, on one server: run inside a dev stack; and gRPC on a server without the HTTP face."""

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from pdp.dev import identity
from pdp.dev.stack import configuration
from pdp.environment import Environment
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.server.running import running
from tests.bench.cpu import spent
from tests.bench.decisions import AUTHORIZE, BATCH, BATCHES_IN_FLIGHT, ITEMS, Bench
from tests.bench.load import Load, Rate, measure

LOOPS = 64
ONE, MANY = "/access/v1/evaluation", "/access/v1/evaluations"
OFF = "off"
QUESTION = {
    "subject": {"type": "agent", "id": "report-bot"},
    "action": {"name": "read"},
    "resource": {"type": "table", "id": "customers", "properties": {"tags": ["pii"]}},
    "context": {"purpose": "weekly report"},
    "options": {"on_behalf_of": [{"type": "user", "id": "alice"}]},
}
"""What `tests.bench.decisions` asks over gRPC."""
MUSTS = (("http 64", "unary 64", 1.2, 1.8), ("http batch", "batch", 0.8, 1.0), ("unary 64", "unary 64, face off", 0, 0))


class Http:
    """The HTTP face of the dev stack."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._url = seconds, os.environ["PDP_HTTP_URL"]
        token = identity.token(Environment.read().state, "report-bot")
        self._headers = (("authorization", f"Bearer {token}"),)

    def rate(self, path: str, body: bytes, loops: int) -> Rate:
        address = self._url.removeprefix("http://")
        load = Load(address, path, body, self._size(path, body), self._headers, loops, self._seconds, is_http=True)
        return measure(load)

    def _size(self, path: str, body: bytes) -> int:
        headers = {**dict(self._headers), "Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, body, headers)  # the stack's own
        with urllib.request.urlopen(request) as answer:
            told = answer.read()
        if b'"decision":true' not in told:
            sys.exit(f"{path} does not allow what it should")
        return len(told)


def main(rounds: int, seconds: float) -> None:
    bench, http = Bench(seconds), Http(seconds)
    one = json.dumps(QUESTION).encode()
    many = json.dumps({"evaluations": [QUESTION] * ITEMS}).encode()
    figures: dict[str, list[Rate]] = defaultdict(list)
    costs: dict[str, list[float]] = defaultdict(list)

    def measured(name: str, run: Callable[[], Rate]) -> None:
        before = spent(os.getppid())
        rate = run()
        figures[name].append(rate)
        costs[name].append(spent(os.getppid()).each(before, rate.calls).server / 1000)

    with faceless() as (address, token):
        for number in range(rounds):
            sys.stderr.write(f"round {number + 1} of {rounds}\n")
            measured("unary 64", lambda: bench.placet(AUTHORIZE, bench.unary, LOOPS))
            measured("http 64", lambda: http.rate(ONE, one, LOOPS))
            measured("batch", lambda: bench.placet(BATCH, bench.batch, BATCHES_IN_FLIGHT))
            measured("http batch", lambda: http.rate(MANY, many, BATCHES_IN_FLIGHT))
            metadata = (("authorization", f"Bearer {token}"),)
            load = Load(address, AUTHORIZE, bench.unary, len(bench.answer), metadata, LOOPS, seconds)
            figures["unary 64, face off"].append(measure(load))
    report(figures)
    for name, used in costs.items():
        print(f"{name:>10}: {statistics.median(used):6.2f} ms of the server's processor a call")


def report(figures: dict[str, list[Rate]]) -> None:
    print(f"{'':24}{'decisions/s':>12}{'p50 ms':>9}{'p99 ms':>9}")
    for name, rates in figures.items():
        per_second = (ITEMS if "batch" in name else 1) * statistics.median(rate.per_second for rate in rates)
        p50, p99 = statistics.median(rate.p50 for rate in rates), statistics.median(rate.p99 for rate in rates)
        print(f"{name:24}{per_second:12.0f}{p50:9.2f}{p99:9.2f}")
    print()
    for ours, reference, must, aim in MUSTS:
        pairs = zip(figures[ours], figures[reference], strict=True)
        ratios = [our.per_second / other.per_second for our, other in pairs]
        floor = f"  must be at least {must}, aim {aim}" if must else ""
        spread = f"of {min(ratios):.2f} to {max(ratios):.2f}"
        print(f"{ours:>10} / {reference:18} {statistics.median(ratios):5.2f}  {spread}{floor}")


@contextlib.contextmanager
def faceless() -> Iterator[tuple[str, str]]:
    """The address of a server without the HTTP face, in a process of its own, and a token for it."""
    command = [sys.executable, "-m", "tests.bench.http", OFF]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            address, token = process.stdout.readline().split()
            yield address, token
        finally:
            process.stdin.close()


async def serve() -> None:
    """Serve until the input ends."""
    with tempfile.TemporaryDirectory() as folder:
        state, tools = Path(folder), Environment.read().tool_cache
        async with MongodProcess(toolcache.mongod(), state / "mongodb", say=_silent) as mongod:
            config = configuration(state=state, listen="127.0.0.1:0", policy=[], mongodb_uri=mongod.uri)
            async with running(config, tools, _silent) as server:
                print(server.address, identity.token(state, "report-bot"), flush=True)
                await asyncio.to_thread(sys.stdin.read)


def _silent(_: str) -> None:
    """Nobody reads what this server says."""


if __name__ == "__main__":
    if sys.argv[1] == OFF:
        asyncio.run(serve())
    else:
        main(int(sys.argv[1]), float(sys.argv[2]))

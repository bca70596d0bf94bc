"""What it costs to be watched: a server with metrics, a scrape a second and a JSON access log, and one without.

Each is a process of its own with its own MongoDB and OPA. They get the same load by turns.
"""

import asyncio
import contextlib
import statistics
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc

from pdp.call_summary import Calls
from pdp.dev import identity
from pdp.dev.stack import configuration
from pdp.environment import Environment
from pdp.logs import LogFormat, Logs
from pdp.operations_settings import Operations
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.server.running import running
from pdp.v1.decision_pb2 import BatchAuthorizeRequest
from tests.bench.cpu import spent
from tests.bench.decisions import AUTHORIZE, BATCH, BATCHES_IN_FLIGHT, ITEMS, question
from tests.bench.load import Load, Rate, measure

LOOPS = 64
MUST, AIM = 0.95, 0.98
SCRAPE_SECONDS = 1.0
"""Seconds between two scrapes: fifteen times as often as is usual."""


@dataclass(frozen=True)
class Serving:
    """A server in a process of its own."""

    process: int
    address: str
    token: str
    operations: str

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),)


def main(rounds: int, seconds: float) -> None:
    rates: dict[tuple[str, bool], list[Rate]] = defaultdict(list)
    costs: dict[tuple[str, bool], list[float]] = defaultdict(list)
    one = question().SerializeToString()
    many = BatchAuthorizeRequest(items=[question()] * ITEMS).SerializeToString()
    with serving("off") as off, serving("on") as on, scraping(on.operations):
        for number in range(rounds):
            sys.stderr.write(f"round {number + 1} of {rounds}\n")
            for what, rpc, body, loops in (
                ("unary 64", AUTHORIZE, one, LOOPS),
                ("batch", BATCH, many, BATCHES_IN_FLIGHT),
            ):
                for server in (off, on) if number % 2 else (on, off):
                    key = what, server is on
                    size = answer_bytes(server, rpc, body)
                    load = Load(server.address, rpc, body, size, server.metadata, loops, seconds)
                    before = spent(server.process)
                    rates[key].append(measured := measure(load))
                    costs[key].append(spent(server.process).each(before, measured.calls).server)
    report(rates, costs)


def report(rates: dict[tuple[str, bool], list[Rate]], costs: dict[tuple[str, bool], list[float]]) -> None:
    for what in dict.fromkeys(name for name, _ in rates):
        items = ITEMS if what == "batch" else 1
        for is_watched in (False, True):
            per_second = items * statistics.median(rate.per_second for rate in rates[what, is_watched])
            cost = statistics.median(costs[what, is_watched]) / items
            name = "watched" if is_watched else "off"
            print(f"{what:10}{name:9}{per_second:8.0f} decisions/s{cost:8.1f} us of the server's processor each")
        ratios = [off / on for off, on in zip(costs[what, False], costs[what, True], strict=True)]
        spread = f"of {min(ratios):.2f} to {max(ratios):.2f}"
        bars = f"must be at least {MUST}, aim {AIM}"
        print(f"{what:10}off / watched, by processor {statistics.median(ratios):5.2f}  {spread}  {bars}")


def answer_bytes(server: Serving, rpc: str, body: bytes) -> int:
    with grpc.insecure_channel(server.address) as channel:
        return len(channel.unary_unary(rpc)(body, metadata=server.metadata))


@contextlib.contextmanager
def scraping(address: str) -> Iterator[None]:
    """Scrape in a thread until the block ends."""
    ended = threading.Event()

    def scrape() -> None:
        while not ended.wait(SCRAPE_SECONDS):
            with urllib.request.urlopen(f"http://{address}/metrics") as answer:  # our own
                answer.read()

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextlib.contextmanager
def serving(mode: str) -> Iterator[Serving]:
    """A server in a process of its own, whose log goes into a file."""
    command = [sys.executable, "-m", "tests.bench.watching", mode]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            address, token, *operations = process.stdout.readline().split()
            yield Serving(process.pid, address, token, "".join(operations))
        finally:
            process.stdin.close()


async def serve(*, is_watched: bool) -> None:
    """Serve until the input ends."""
    logs = Logs(LogFormat.JSON)
    with tempfile.TemporaryDirectory() as folder:
        state, tools = Path(folder), Environment.read().tool_cache
        async with MongodProcess(toolcache.mongod(), state / "mongodb", say=logs.say) as mongod:
            config = configuration(state=state, listen="127.0.0.1:0", policy=[], mongodb_uri=mongod.uri)
            shown = Operations(listen="127.0.0.1:0", drain_seconds=0, access_log=True) if is_watched else None
            config = config.model_copy(update={"operations": shown, "mask_keys": None})
            calls = Calls(logs.access.write) if is_watched else Calls()
            async with running(config, tools, logs.say, calls=calls) as server:
                print(server.address, identity.token(state, "report-bot"), server.operations, flush=True)
                await asyncio.to_thread(sys.stdin.read)
    logs.close()


if __name__ == "__main__":
    if sys.argv[1] in {"on", "off"}:
        asyncio.run(serve(is_watched=sys.argv[1] == "on"))
    else:
        main(int(sys.argv[1]), float(sys.argv[2]))

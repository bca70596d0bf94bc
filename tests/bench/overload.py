"""More calls than the server can decide: what is still decided, how late, what memory it takes, and what others notice.

Closed loops over several connections, in another process than the server. A call that is refused waits as long as
RetryInfo says. The first load of each kind is the peak, which all others are held against; the bars decide the exit
status. The same is done while MongoDB is slow, and while OPA is stopped and goes on. The clock's share of the
peak decides; that of the processors' time is printed beside it.

    python -m tests.bench.overload [seconds]
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import uvloop
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from grpc_status import rpc_status

from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.v1.decision_pb2 import BatchAuthorizeRequest
from tests.bench.decisions import AUTHORIZE, BATCH, question
from tests.faults import Served, served, slow, stopped

ITEMS = 1000
PEAK_BATCHES, PEAK_UNARY = 3, 128
"""Calls in flight that give the most decisions, as measured: the load that can be sustained."""
TIMES = (1, 2, 4, 10)
CONNECTIONS = 4
CALL_SECONDS = 8.0
SHARE, LATER, MEBIBYTES = 0.8, 3.0, 100
"""The bars at four times the peak's load: of the peak's decisions, of its p99, and of memory beyond the peak's."""
BARRED = 4
SLOW_MILLISECONDS = 20
"""What each command of MongoDB takes longer in the second part."""
AGAIN_SECONDS = 5.0
"""Seconds after OPA goes on in which decisions may be fewer."""


@dataclass
class Loop:
    """What closed loops have seen. `in_time` is what was decided before their end, when nothing new begins."""

    decided: int = 0
    in_time: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    refused_seconds: list[float] = field(default_factory=list)
    began: list[float] = field(default_factory=list)
    """Of what was decided, by this process's clock."""

    @property
    def p99(self) -> float:
        return statistics.quantiles([*self.seconds, 0.0, 0.0], n=100)[98]


Send = Callable[[], Awaitable[bytes]]


async def closed(send: Send, items: int, end: float, seen: Loop, pause: float = 0.0) -> None:
    """One loop, whose last call begins before `end`."""
    while (began := time.perf_counter()) < end:
        try:
            await send()
        except grpc.aio.AioRpcError as error:
            seen.errors[error.code().name] += 1
            seen.refused_seconds.append(time.perf_counter() - began)
            await asyncio.sleep(min(retry_seconds(error), max(end - time.perf_counter(), 0)))
            continue
        done = time.perf_counter()
        seen.seconds.append(done - began)
        seen.began.append(began)
        seen.decided += items
        seen.in_time += items if done <= end else 0
        await asyncio.sleep(pause)


def retry_seconds(error: grpc.aio.AioRpcError) -> float:
    """What RetryInfo says; a call that ran out of its own time is sent again at once."""
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        if detail.Is(RetryInfo.DESCRIPTOR):
            info = RetryInfo()
            detail.Unpack(info)
            delay: Duration = info.retry_delay
            return float(delay.seconds + delay.nanos / 1e9)
    return 0.0


@dataclass(frozen=True)
class Kind:
    """Calls of one kind, over several connections, and how many of them give the most decisions."""

    name: str
    send: Sequence[Send]
    items: int
    peak: int

    async def load(self, times: int, lone: Send, seconds: float) -> tuple[Loop, Loop]:
        """So many times the peak's loops, and a caller of its own beside them."""
        many, one, end = Loop(), Loop(), time.perf_counter() + seconds
        calls = [
            closed(self.send[number % len(self.send)], self.items, end, many) for number in range(times * self.peak)
        ]
        await asyncio.gather(*calls, closed(lone, 1, end, one, 0.02))
        return many, one


class Bench:
    """A server of its own, its loads, and the bars that it missed."""

    def __init__(self, server: Served, mongod: MongodProcess, seconds: float) -> None:
        self.server, self.mongod, self.seconds, self.missed = server, mongod, seconds, list[str]()
        options = [("grpc.use_local_subchannel_pool", 1)]
        self.channels = [grpc.aio.insecure_channel(server.address, options) for _ in range(CONNECTIONS + 1)]
        one = question()
        batch = BatchAuthorizeRequest(items=[one] * ITEMS).SerializeToString()
        self.unary = Kind("unary", self._sends(AUTHORIZE, one.SerializeToString()), 1, PEAK_UNARY)
        self.batches = Kind("batches", self._sends(BATCH, batch), ITEMS, PEAK_BATCHES)
        last, alone = self.channels[-1].unary_unary(AUTHORIZE), server.metadata("dev")
        self.lone: Send = lambda: last(one.SerializeToString(), metadata=alone, timeout=CALL_SECONDS)

    def _sends(self, rpc: str, body: bytes) -> list[Send]:
        metadata = self.server.metadata("report-bot")
        calls = [channel.unary_unary(rpc) for channel in self.channels[:-1]]
        return [lambda call=call: call(body, metadata=metadata, timeout=CALL_SECONDS) for call in calls]  # type: ignore[misc]

    async def rows(self, kind: Kind, times: Sequence[int], place: str = "") -> list[float]:
        """A row for each load; returns the peak's decisions a second, by the clock and of the processors."""
        reference, start, peaks = 0.0, self.memory(), [0.0, 0.0]
        for time_of in times:
            used = self.cpu_seconds()
            many, one = await kind.load(time_of, self.lone, self.seconds)
            rates = [many.in_time / self.seconds, many.decided / max(self.cpu_seconds() - used, 0.01)]
            if time_of == times[0]:
                peaks, reference, start = [max(rate, 0.01) for rate in rates], many.p99, self.memory()
            name = f"{kind.name}{place} {time_of * kind.peak}"
            self._print(name, many, one, [*rates, *(rate / best for rate, best in zip(rates, peaks, strict=True))])
            if time_of == BARRED:
                share = rates[0] / peaks[0]  # by the clock
                self._bar(name, "of the peak's decisions", share, SHARE, at_least=True)
                self._bar(name, "p99 of the peak's", many.p99 / max(reference, 0.001), LATER)
                self._bar(name, "MiB beyond the peak's", self.memory() - start, MEBIBYTES)
        return peaks

    async def opa_stopped(self, peaks: Sequence[float]) -> None:
        """Stop OPA under four times the load, and see what is decided when it goes on."""
        loading = asyncio.create_task(self.unary.load(BARRED, self.lone, 3 * self.seconds + AGAIN_SECONDS))
        await asyncio.sleep(self.seconds)
        start = self.memory()
        async with stopped(self.server.opa):
            began = time.perf_counter()
            await asyncio.sleep(self.seconds)
            resumed, grown = time.perf_counter(), self.memory() - start
        await asyncio.sleep(AGAIN_SECONDS)
        again, used = time.perf_counter(), self.cpu_seconds()
        many, _ = await loading
        used = self.cpu_seconds() - used
        ended = [moment + took for moment, took in zip(many.began, many.seconds, strict=True)]
        allowed = sum(moment > began and end < resumed for moment, end in zip(many.began, ended, strict=True))
        later = sum(end > again for end in ended)
        rates = later / max(time.perf_counter() - again, 0.1), later / max(used, 0.1)
        share = rates[0] / peaks[0]  # by the clock
        print(f"OPA stopped: {sum(many.errors.values())} refused, {allowed} allowed; then {rates[0]:.0f} decisions/s")
        self._bar("OPA stopped", "allowed meanwhile", allowed, 0)
        self._bar("OPA stopped", "seconds of a refusal", max(many.refused_seconds, default=0.0), CALL_SECONDS + 0.2)
        self._bar("OPA stopped", "MiB beyond the load's", grown, MEBIBYTES)
        self._bar("OPA goes on", "of the peak's decisions", share, SHARE, at_least=True)

    def _bar(self, name: str, what: str, value: float, bar: float, *, at_least: bool = False) -> None:
        holds = value >= bar if at_least else value <= bar
        side = "at least" if at_least else "at most"
        print(f"{'' if holds else 'MISSED ':>7}{name}: {value:.2f} {what}, {side} {bar:g}", flush=True)
        self.missed += [] if holds else [f"{name}: {what}"]

    def _print(self, name: str, many: Loop, one: Loop, figures: Sequence[float]) -> None:
        rate, cpu, share, cpu_share = figures
        lone = statistics.quantiles([*one.seconds, 0.0, 0.0], n=100)
        errors = " ".join(f"{code} {count}" for code, count in (many.errors + one.errors).items())
        print(
            f"{name:22}{rate:12.0f}{share:9.2f}{cpu:9.0f}{cpu_share:9.2f}{1000 * many.p99:9.0f}{self.memory():7.0f}"
            f"{1000 * lone[49]:10.1f}{1000 * lone[98]:8.1f}  {errors}",
            flush=True,
        )

    def memory(self) -> float:
        """MiB of the server."""
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def cpu_seconds(self) -> float:
        """Of the server, its OPA and its MongoDB."""
        found = 0.0
        for pid in (self.server.process.pid, self.server.opa, self.mongod.pid):
            with suppress(OSError):  # it has ended meanwhile
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                found += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return found


async def main(seconds: float) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "state").mkdir()
        mongod = MongodProcess(toolcache.mongod(), folder / "mongodb", say=print, test_commands=True)
        async with mongod, served(folder, folder / "state", mongod.uri, seconds=3600) as server:
            bench = Bench(server, mongod, seconds)
            for kind in (bench.unary, bench.batches):
                await kind.load(1, bench.lone, 2.0)
            head = f"{'decisions/s':>12}{'of peak':>9}{'a CPU s':>9}{'of peak':>9}{'p99 ms':>9}{'MiB':>7}"
            print(f"{'':22}{head}{'lone p50':>10}{'p99 ms':>8}  errors", flush=True)
            await bench.rows(bench.batches, TIMES)
            await bench.opa_stopped(await bench.rows(bench.unary, TIMES))
            async with slow(mongod.uri, SLOW_MILLISECONDS):
                for kind in (bench.batches, bench.unary):
                    await bench.rows(kind, (1, BARRED), ", MongoDB slow,")
            for channel in bench.channels:
                await channel.close()
    print("all bars hold" if not bench.missed else f"missed: {'; '.join(bench.missed)}")
    return 1 if bench.missed else 0


if __name__ == "__main__":
    sys.exit(uvloop.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)))

"""More calls than the server can decide: what is still decided, what memory it takes, and what a lone caller notices.

Closed loops in this process, over several connections. A call that is refused waits as long as RetryInfo says.

pdp dev -- python -m tests.bench.overload [seconds]
"""

import asyncio
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import uvloop
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from grpc_status import rpc_status

from pdp.dev import identity
from pdp.environment import Environment
from pdp.v1.decision_pb2 import BatchAuthorizeRequest
from tests.bench.decisions import AUTHORIZE, BATCH, question

ITEMS = 1000
PEAK_BATCHES, PEAK_UNARY = 3, 128
"""Calls in flight that give the most decisions, as measured."""
TIMES = (1, 2, 4, 10)
CONNECTIONS = 4
SHARE, MEBIBYTES = 0.8, 400
"""The bars: of the peak's decisions at any load, and of memory beyond the start's."""


@dataclass
class Loop:
    """What closed loops have seen. `in_time` is what was decided before their end, when nothing new begins."""

    decided: int = 0
    in_time: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


Send = Callable[[], Awaitable[bytes]]


async def closed(send: Send, items: int, end: float, seen: Loop, pause: float = 0.0) -> None:
    """One loop, whose last call begins before `end`."""
    while (began := time.perf_counter()) < end:
        try:
            await send()
        except grpc.aio.AioRpcError as error:
            seen.errors[error.code().name] += 1
            await asyncio.sleep(min(retry_seconds(error), end - time.perf_counter()))
            continue
        done = time.perf_counter()
        seen.seconds.append(done - began)
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


def memory() -> float:
    """MiB of `pdp dev`, which is the server and started this."""
    status = Path(f"/proc/{os.getppid()}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def cpu_seconds() -> float:
    """Of the server, its OPA and its MongoDB, without this process."""
    server, found = os.getppid(), 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(folder.name) == server or (int(fields[1]) == server and int(folder.name) != os.getpid()):
                found += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


async def loaded(send: list[Send], lone: Send, items: int, loops: int, seconds: float) -> tuple[Loop, Loop]:
    """The noisy loops' and the lone caller's."""
    many, one, end = Loop(), Loop(), time.perf_counter() + seconds
    calls = [closed(send[number % len(send)], items, end, many) for number in range(loops)]
    await asyncio.gather(*calls, closed(lone, 1, end, one, 0.02))
    return many, one


async def main(seconds: float) -> None:
    environment = Environment.read()
    unary = question().SerializeToString()
    batch = BatchAuthorizeRequest(items=[question()] * ITEMS).SerializeToString()
    noisy, lone = (
        (("authorization", f"Bearer {identity.token(environment.state, name)}"),) for name in ("report-bot", "dev")
    )
    channels = [
        grpc.aio.insecure_channel(environment.address, [("grpc.use_local_subchannel_pool", 1)])
        for _ in range(CONNECTIONS + 1)
    ]

    def sends(rpc: str, body: bytes) -> list[Send]:
        calls = [channel.unary_unary(rpc) for channel in channels[:-1]]
        return [lambda call=call: call(body, metadata=noisy, timeout=8) for call in calls]  # type: ignore[misc]

    last = channels[-1].unary_unary(AUTHORIZE)

    async def alone() -> bytes:
        return bytes(await last(unary, metadata=lone, timeout=8))

    await loaded([], alone, 1, 0, 1)
    _, quiet = await loaded([], alone, 1, 0, seconds)
    start = memory()
    head = f"{'decisions/s':>12}{'of peak':>9}{'a CPU s':>9}{'of peak':>9}{'MiB':>7}{'lone p50':>10}{'p99 ms':>8}"
    print(f"{'':16}{head}  errors", flush=True)
    report("quiet", quiet, quiet, [seconds, 0.0], [])
    for name, rpc, body, items, peak in (
        ("batches", BATCH, batch, ITEMS, PEAK_BATCHES),
        ("unary", AUTHORIZE, unary, 1, PEAK_UNARY),
    ):
        peaks: list[float] = []
        for times in TIMES:
            used = cpu_seconds()
            many, one = await loaded(sends(rpc, body), alone, items, times * peak, seconds)
            report(f"{name} {times * peak}", many, one, [seconds, cpu_seconds() - used], peaks)
    print(f"memory {start:.0f} MiB at the start, {memory():.0f} MiB at the end")
    for channel in channels:
        await channel.close()


def report(name: str, many: Loop, one: Loop, spent: list[float], peaks: list[float]) -> None:
    """`spent`: seconds by the clock, and of the processors. The first of several loads is the peak."""
    rates = [done / seconds for done, seconds in zip((many.in_time, many.decided), spent, strict=True) if seconds]
    peaks += [] if peaks or len(rates) < len(spent) else rates
    cuts = statistics.quantiles([*one.seconds, 0.0, 0.0], n=100)
    errors = " ".join(f"{code} {count}" for code, count in (many.errors + one.errors).items())
    cells = [
        f"{rate:{width}.0f}{rate / (peak or 1):9.2f}" for rate, peak, width in zip(rates, peaks, (12, 9), strict=False)
    ]
    figures = "".join(cells) or " " * 39
    print(f"{name:16}{figures}{memory():7.0f}{1000 * cuts[49]:10.1f}{1000 * cuts[98]:8.1f}  {errors}", flush=True)


if __name__ == "__main__":
    uvloop.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0))

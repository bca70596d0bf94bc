"""How fast a long log is verified and exported, in how much memory, and what strangers notice of it meanwhile.

The log has real chains and signatures, and lies in MongoDB; the command and the server are processes of their own. It
prints records a second, the most memory that the command held, and the p99 of a stranger's Authorize beside its quiet
value of the same run. All share the processors, so the command runs at the lowest priority.

    python -m tests.bench.audit [records]
"""

import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from pymongo import AsyncMongoClient

from pdp import keys
from pdp.dev import identity
from pdp.dev.stack import configuration
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from tests.faults import Served, served
from tests.parts import asking
from tests.pdp.long_log import grow

WRITERS, BATCH = 4, 100
BAR, MEMORY_MIB = 2.0, 100.0
"""How many times its quiet value a stranger's p99 may be, and the most memory of the command."""
QUIET_SECONDS = 15.0


@dataclass(frozen=True)
class Run:
    """One run of a command."""

    seconds: float
    mib: float
    cpu: float


async def command(server: Served, folder: Path, *arguments: str) -> Run:
    """Run `pdp audit`, as an auditor whose machine this is not."""
    token = identity.token(server.state, "dana")
    environment = {**os.environ, "PDP_ADDRESS": server.address, "PDP_TOKEN": token, "PDP_STATE": str(folder / "own")}
    began = time.monotonic()
    line = ["nice", "-n", "19", sys.executable, "-m", "pdp", "audit", *arguments]
    pid = await asyncio.to_thread(os.posix_spawnp, line[0], line, environment)
    mib, ended = 0.0, 0
    while not ended:
        await asyncio.sleep(0.05)
        mib = memory(pid) or mib
        ended, status, used = os.wait4(pid, os.WNOHANG)  # noqa: ASYNC222  # it does not wait
    if status:
        sys.exit(f"pdp audit {' '.join(arguments)} failed with {status}")
    return Run(time.monotonic() - began, mib, used.ru_utime + used.ru_stime)


def memory(pid: int) -> float:
    """The most MiB that a process has held, 0 once it has ended.

    What `wait4` says, and the first reading of a process that is being started, are the memory of who started it.
    """
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


async def stranger(server: Served, took: list[float]) -> None:
    """One small call after the other, until this is cancelled."""
    while True:
        began = time.perf_counter()
        await server.authorize(asking())
        took.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(0.01)


def p99(took: list[float]) -> float:
    return statistics.quantiles(took, n=100)[98]


async def beside(server: Served, work: Any) -> tuple[Any, float]:
    """The result of some work, and a stranger's p99 in milliseconds meanwhile."""
    took: list[float] = []
    calling = asyncio.create_task(stranger(server, took))
    try:
        return await work, p99(took)
    finally:
        calling.cancel()


async def sizes(uri: str, database: str) -> None:
    """Bytes of each collection and its indexes, for what a decision costs."""
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        for name in ("batches", "records"):
            found = await client[database].command("collStats", name)
            parts = {part: found[part] for part in ("count", "size", "storageSize", "totalIndexSize")}
            print(f"{name:10}{parts}")


async def main(records: int) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder, state = Path(name), Path(name, "state")
        config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="none")
        key = keys.signing(keys.private_key(config.audit_key))
        async with (
            MongodProcess(toolcache.mongod(), folder / "mongodb", say=print) as mongod,
            served(folder, state, mongod.uri, seconds=36_000) as server,
        ):
            await grow(mongod.uri, server.database, key, WRITERS, records // WRITERS // BATCH, BATCH)
            await sizes(mongod.uri, server.database)
            return await compared(server, folder, records)


async def compared(server: Served, folder: Path, records: int) -> int:
    await asyncio.sleep(5)
    await beside(server, asyncio.sleep(3))
    _, quiet = await beside(server, asyncio.sleep(QUIET_SECONDS))
    print(f"a stranger's p99 when it is quiet: {quiet:.1f} ms")
    verify, export = ("verify", "--resume", str(folder / "kept")), ("export", str(folder / "log.jsonl"))
    missed = 0
    for said, arguments in (("verify", verify), ("verify again", verify), ("export", export)):
        run, p99_then = await beside(server, command(server, folder, *arguments))
        rate = records / run.seconds
        missed += p99_then > BAR * quiet or run.mib > MEMORY_MIB
        print(
            f"{said:14}{run.seconds:7.1f} s {rate:10,.0f} records a second {run.cpu:7.1f} s of CPU {run.mib:6.0f} MiB, "
            f"a stranger's p99 {p99_then:.1f} ms, {p99_then / quiet:.1f} times",
            flush=True,
        )
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(uvloop.run(main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)))

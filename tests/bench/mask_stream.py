"""MaskStream over loopback beside the same plan embedded, in turns: rows a second, the share, and where the time goes.

The embedded run is one thread and nothing else; the stream has two processes, which share the processors.

pdp dev -- python -m tests.bench.mask_stream [rows]
"""

import asyncio
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import grpc
import pyarrow as pa
from grpc_health.v1 import health_pb2, health_pb2_grpc

import masker
from pdp.client import Client
from pdp.client.masks import MaskCall, shape
from pdp.dev import identity
from pdp.environment import Environment
from pdp.process import malloc
from pdp.v1.mask_pb2 import GetMaskPlanRequest, MaskScope, StreamStart
from pdp.v1.request_pb2 import Subject
from tests.bench import febrl

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
BATCH_ROWS = 16_384
ROUNDS = 9


async def main() -> None:
    """Print both rates."""
    malloc.keep_freed()  # as `pdp mask run` does
    environment = Environment.read()
    table = febrl.table(ROWS)
    batches = table.to_batches(BATCH_ROWS)
    scope = MaskScope(subject=Subject(type="user", id="alice"), table="crm.customers")
    keys = masker.Keyring.load(environment.state / "keys" / "mask.json")
    async with Client(environment.address, identity.token(environment.state, "alice"), timeout=60) as client:
        request = GetMaskPlanRequest(scope=scope, shape=shape(table.schema))
        answer = await client.masks.GetMaskPlan(request, metadata=client.metadata, timeout=60)
        ready = masker.Masker(masker.MaskPlan.from_json(answer.plan_json), keys)
        await warm(client.channel)
        rounds = []
        for _ in range(ROUNDS + 1):
            began = time.process_time()
            alone, before = timed_embedded(ready, batches), cpu_seconds()
            over = await timed_stream(client, scope, table.schema, batches)
            server, own = (after - earlier for after, earlier in zip(cpu_seconds(), before, strict=True))
            rounds.append((alone, over, alone / over, before[1] - began, server, own))
    report(batches[0].nbytes / 2**20, rounds[1:])


def report(mib: float, rounds: list[tuple[float, ...]]) -> None:
    alone, over, share, masking, server, own = (statistics.median(column) for column in zip(*rounds, strict=True))
    shares = sorted(each[2] for each in rounds)
    print(f"{ROWS:,} rows, batches of {mib:.1f} MiB, medians of {len(rounds)} rounds")
    print(f"embedded    {ROWS / alone / 1e6:6.2f} M rows/s  {alone:.2f} s, CPU {masking:.2f} s")
    print(
        f"MaskStream  {ROWS / over / 1e6:6.2f} M rows/s  {over:.2f} s, CPU {server:.2f} s + {own:.2f} s of the client"
    )
    print(f"MaskStream is at {share:.0%} of embedded, {shares[0]:.0%} to {shares[-1]:.0%}")


async def warm(channel: grpc.aio.Channel) -> None:
    """Until the server has compiled every kernel; it does so beside its work."""
    stub: Any = health_pb2_grpc.HealthStub(channel)
    async with asyncio.timeout(120):
        while (await stub.Check(health_pb2.HealthCheckRequest(service="masker"))).status != 1:
            await asyncio.sleep(0.2)


def cpu_seconds() -> tuple[float, float]:
    """Of `pdp dev`, which is the server and started this, and of this process."""
    fields = Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), time.process_time()


def timed_embedded(ready: masker.Masker, batches: list[pa.RecordBatch]) -> float:
    began = time.perf_counter()
    for batch in batches:
        ready.batch(batch)
    return time.perf_counter() - began


async def timed_stream(client: Client, scope: MaskScope, schema: pa.Schema, batches: list[pa.RecordBatch]) -> float:
    began = time.perf_counter()
    call = MaskCall(client, StreamStart(scope=scope, shape=shape(schema)), schema)
    await call.open(iter(batches))
    rows = 0
    async for batch in call.batches():
        rows += batch.num_rows
    assert call.end is not None
    assert rows == call.end.rows == ROWS
    return time.perf_counter() - began


if __name__ == "__main__":
    asyncio.run(main())

"""MaskStream over loopback beside the same plan embedded: rows a second, and the share.

pdp dev -- python -m tests.bench.mask_stream [rows]
"""

import asyncio
import statistics
import sys
import time

import pyarrow as pa

import masker
from pdp import dev_identity
from pdp.client import Client
from pdp.environment import Environment
from pdp.mask_client import MaskCall, shape
from pdp.v1.mask_pb2 import GetMaskPlanRequest, MaskScope, StreamStart
from pdp.v1.request_pb2 import Subject
from tests.bench import febrl

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
BATCH_ROWS = 16_384
REPEATS = 3


async def main() -> None:
    """Print both rates."""
    environment = Environment.read()
    table = febrl.table(ROWS)
    batches = table.to_batches(BATCH_ROWS)
    scope = MaskScope(subject=Subject(type="user", id="alice"), table="crm.customers")
    keys = masker.Keyring.load(environment.state / "keys" / "mask.json")
    async with Client(environment.address, dev_identity.token(environment.state, "alice"), timeout=60) as client:
        request = GetMaskPlanRequest(scope=scope, shape=shape(table.schema))
        answer = await client.masks.GetMaskPlan(request, metadata=client.metadata, timeout=60)
        ready = masker.Masker(masker.MaskPlan.from_json(answer.plan_json), keys)
        embedded, streamed = [], []
        for _ in range(REPEATS + 1):
            embedded.append(timed_embedded(ready, batches))
            streamed.append(await timed_stream(client, scope, table.schema, batches))
    alone, over = (statistics.median(times[1:]) for times in (embedded, streamed))
    print(f"{ROWS:,} rows, batches of {batches[0].nbytes / 2**20:.1f} MiB")
    print(f"embedded    {ROWS / alone / 1e6:6.2f} M rows/s  {shown(embedded)}")
    print(f"MaskStream  {ROWS / over / 1e6:6.2f} M rows/s  {shown(streamed)}  {alone / over:.0%} of embedded")


def shown(times: list[float]) -> str:
    return ", ".join(f"{each:.2f} s" for each in times[1:])


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

"""What strangers notice of a noisy caller, and of twenty: the p99 of their calls beside the quiet one of the same run.

Noise is what one caller may do within its limits: batches, watches of approvals, plans of wide tables, streams to mask.
It comes from other processes, which share the processors with all the rest.

    python -m tests.bench.fairness [seconds]
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pyarrow as pa
import uvloop
from google.protobuf import json_format
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pdp.arrow import envelope, table
from pdp.client.masks import shape
from pdp.environment import Environment
from pdp.v1.decision_pb2 import AuthorizeRequest, BatchAuthorizeRequest
from pdp.v1.mask_pb2 import (
    GetMaskPlanRequest,
    JsonRecords,
    MaskData,
    MaskRequest,
    MaskScope,
    MaskStreamRequest,
    StreamStart,
)
from pdp.v1.request_pb2 import Subject
from pdp.v1.review_pb2 import WatchQueueRequest
from tests.bench.overload import retry_seconds
from tests.tokens import Metadata, metadata

ONE, MANY = 1, 20
BAR = {ONE: 5.0, MANY: 20.0}
"""How many times its quiet value the p99 of a stranger may be beside so many noisy callers."""
FEWEST = 200
"""Calls of each kind that are measured at least."""
ITEMS, IN_FLIGHT, PLANS, WATCHES, STREAMS, COLUMNS, ROWS = 1000, 3, 16, 8, 32, 2000, 16_384
AUTHORIZE, BATCH = "/pdp.v1.DecisionService/Authorize", "/pdp.v1.DecisionService/BatchAuthorize"
PLAN, MASK, STREAM = (f"/pdp.v1.MaskService/{name}" for name in ("GetMaskPlan", "Mask", "MaskStream"))
WATCH = "/pdp.v1.ReviewService/WatchQueue"
RULES = """package policy

allow contains {"rule": "any", "reason": "anything"} if input.action.name != "share"

needs_approval contains {
	"rule": "share",
	"reason": "somebody looks at it",
	"reviewers": {"groups": ["reviewers"]},
} if input.action.name == "share"

mask contains {"rule": "all", "reason": "everything", "columns": ["*"], "mask": "redact"}
"""


def asked(name: str, action: str = "read", **context: str) -> AuthorizeRequest:
    request = {
        "subject": {"type": "user", "id": name},
        "action": {"name": action},
        "resource": {"type": "table", "id": "customers"},
        "context": context,
    }
    return json_format.ParseDict(request, AuthorizeRequest())


class Caller:
    """One caller with a connection of its own, and what it may do."""

    def __init__(self, name: str) -> None:
        environment = Environment.read()
        self.name, self.scope = name, MaskScope(subject=Subject(type="user", id=name), table="customers")
        roles, groups = ("requester", "reviewer"), ["reviewers"]
        self.by: Metadata = metadata(environment.state, f"user:{name}", *roles, groups=groups)
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
        self.channel = grpc.aio.insecure_channel(environment.address, options)

    async def call(self, rpc: str, body: bytes) -> bytes:
        return bytes(await self.channel.unary_unary(rpc)(body, metadata=self.by, timeout=10))

    async def batches(self) -> None:
        body = BatchAuthorizeRequest(items=[asked(self.name)] * ITEMS).SerializeToString()
        await asyncio.gather(*(forever(lambda: self.call(BATCH, body)) for _ in range(IN_FLIGHT)))

    async def watches(self) -> None:
        """Eight watches, and approvals that change what they show."""

        async def watch() -> bytes:
            async for _ in self.channel.unary_stream(WATCH)(WatchQueueRequest().SerializeToString(), metadata=self.by):
                pass
            return b""

        async def share() -> bytes:
            return await self.call(
                AUTHORIZE, asked(self.name, "share", run=str(time.monotonic_ns() % 100)).SerializeToString()
            )

        await asyncio.gather(*(forever(watch) for _ in range(WATCHES)), forever(share))

    async def plans(self) -> None:
        wide = shape(pa.schema([(f"column_{number}", pa.string()) for number in range(COLUMNS)]))
        body = GetMaskPlanRequest(scope=self.scope, shape=wide).SerializeToString()
        await asyncio.gather(*(forever(lambda: self.call(PLAN, body)) for _ in range(PLANS)))

    async def streams(self) -> None:
        batch = pa.record_batch({"a": ["a text of some length"] * ROWS, "b": ["another text"] * ROWS})
        [message] = [envelope.wrap(part) for part in table.Writer(batch.schema).messages(batch)]
        start = MaskStreamRequest(start=StreamStart(scope=self.scope, shape=shape(batch.schema))).SerializeToString()

        async def stream() -> bytes:
            call = self.channel.stream_stream(STREAM)(metadata=self.by)
            await call.write(start)
            await call.read()
            while True:
                await call.write(message)
                await call.read()

        await asyncio.gather(*(forever(stream) for _ in range(STREAMS)))


async def forever(call: Callable[[], Awaitable[bytes]]) -> None:
    while True:
        try:
            await call()
        except grpc.aio.AioRpcError as error:
            await asyncio.sleep(retry_seconds(error) or 0.1)


async def noise(kind: str, first: int, count: int) -> None:
    """Until this process is ended."""
    callers = [Caller(f"noisy-{number}") for number in range(first, first + count)]
    print("begins", flush=True)
    await asyncio.gather(*(getattr(caller, kind)() for caller in callers))


@contextmanager
def noisy(kind: str, count: int) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.bench.fairness", "noise", kind, "0", str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


class Stranger(Caller):
    """Sends one small call after the other. `failed` counts those without an answer."""

    failed = 0

    async def p99s(self, seconds: float) -> list[float]:
        """Milliseconds of Authorize and of Mask."""
        record = MaskData(records=JsonRecords(records=['{"name":"x"}']))
        bodies = {
            AUTHORIZE: asked(self.name).SerializeToString(),
            MASK: MaskRequest(scope=self.scope, data=record).SerializeToString(),
        }
        took: dict[str, list[float]] = {rpc: [] for rpc in bodies}
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(took[MASK]) < FEWEST:
            for rpc, body in bodies.items():
                began = time.perf_counter()
                try:
                    await self.call(rpc, body)
                except grpc.aio.AioRpcError as error:
                    print(f"a stranger's call failed: {error.code().name} {error.details()}")
                    self.failed += 1
                took[rpc].append(1000 * (time.perf_counter() - began))
                await asyncio.sleep(0.01)
        return [statistics.quantiles(values, n=100)[98] for values in took.values()]


async def warm(channel: grpc.aio.Channel) -> None:
    """Until the server has compiled every kernel; it does so beside its work."""
    stub: Any = health_pb2_grpc.HealthStub(channel)
    async with asyncio.timeout(120):
        while (await stub.Check(health_pb2.HealthCheckRequest(service="masker"))).status != 1:
            await asyncio.sleep(0.2)


async def main(seconds: float) -> int:
    stranger, missed = Stranger("stranger"), 0
    await warm(stranger.channel)
    await stranger.p99s(1)
    quiet = await stranger.p99s(2 * seconds)
    print(f"{'p99 in ms':24}{'Authorize':>12}{'Mask':>8}")
    print(f"{'quiet':24}{quiet[0]:12.1f}{quiet[1]:8.1f}", flush=True)
    for kind in ("batches", "watches", "plans", "streams"):
        for count in (ONE, MANY):
            with noisy(kind, count):
                await asyncio.sleep(1)
                found = await stranger.p99s(seconds)
            ratios = [after / before for after, before in zip(found, quiet, strict=True)]
            missed += max(ratios) >= BAR[count]
            says = f"  {ratios[0]:.1f} and {ratios[1]:.1f} times, must be below {BAR[count]:.0f}"
            print(f"{f'beside {count} with {kind}':24}{found[0]:12.1f}{found[1]:8.1f}{says}", flush=True)
            await asyncio.sleep(2)
    print(f"{stranger.failed} calls of the stranger failed")
    return int(bool(missed or stranger.failed))


def stack(arguments: list[str]) -> int:
    """This program beside a server with a policy of its own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rules.rego").write_text(RULES)
        Path(folder, "data.json").write_text(json.dumps({"groups": {"reviewers": []}}))
        command = [sys.executable, "-m", "pdp", "dev", "--policy", folder, "--", sys.executable]
        return subprocess.run([*command, "-m", "tests.bench.fairness", "inside", *arguments], check=False).returncode


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["inside", *rest]:
            sys.exit(uvloop.run(main(float(rest[0]) if rest else 5.0)))
        case ["noise", kind, first, count]:
            uvloop.run(noise(kind, int(first), int(count)))
        case rest:
            sys.exit(stack(rest))

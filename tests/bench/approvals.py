"""An approval's steps with a thousand and with a million approvals in the collection: medians, and their ratio.

    python -m tests.bench.approvals [--many N] [--steps N]

Creating, reviewing, using and listing should not notice: at most 1.5 times the time.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from pymongo import AsyncMongoClient

from pdp import identifier
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import ListApprovalsRequest
from pdp.v1.review_pb2 import ListQueueRequest
from tests.parts import Placet, exporting, placet

FEW, AT_ONCE, BAR = 1_000, 2_000, 40
STATES = (("CONSUMED", 0.80), ("EXPIRED", 0.14), ("DENIED", 0.05), ("VOIDED", 0.01))
T = TypeVar("T")
Times = dict[str, list[float]]


@asynccontextmanager
async def server() -> AsyncIterator[tuple[Placet, str]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            MongodProcess(toolcache.mongod(), folder / "mongodb", say=print) as mongod,
            placet(folder / "state", mongod.uri) as running,
        ):
            yield running, mongod.uri


async def fill(running: Placet, uri: str, count: int) -> None:
    """Copies of a real approval, of a hundred callers, in every end state."""
    async with AsyncMongoClient(uri) as client:
        approvals = client[running.database]["approvals"]
        document = await approvals.find_one({"_id": (await running.approved(exporting())).approval_id})
        assert document is not None
        present = await approvals.estimated_document_count()
        for first in range(present, count, AT_ONCE):
            await approvals.insert_many(list(copies(document, min(AT_ONCE, count - first))), ordered=False)


def copies(document: dict[str, Any], count: int) -> Iterator[dict[str, Any]]:
    states, weights = zip(*STATES, strict=True)
    for state in random.choices(states, weights, k=count):
        caller = random.choice(["agent:report-bot", *(f"agent:{number}" for number in range(100))])
        fresh = {"_id": identifier.new("apr"), "digest": random.randbytes(32).hex(), "state": state, "caller": caller}
        yield {**document, **fresh, "outbox": [], "request_ids": [random.randbytes(16).hex()]}


async def measured(running: Placet, steps: int) -> Times:
    """The seconds of each step, many times over."""
    times: Times = defaultdict(list)

    async def timed(step: str, call: Awaitable[T]) -> T:
        began = time.perf_counter()
        try:
            return await call
        finally:
            times[step].append(time.perf_counter() - began)

    mine, queue = running.metadata("report-bot"), running.metadata("bob")
    for _ in range(steps):
        request = exporting()
        held = (await timed("create", running.authorize(request))).approval
        await timed("review", running.review(held, "bob"))
        await running.review(held, "carol")
        request.approval_id = held.approval_id
        await timed("use", running.authorize(request))
        await timed("list mine", running.approvals.ListApprovals(ListApprovalsRequest(page_size=20), metadata=mine))
        await timed("list queue", running.reviews.ListQueue(ListQueueRequest(page_size=20), metadata=queue))
    return times


async def main(many: int, steps: int) -> None:
    async with server() as (running, uri):
        found = {}
        for count in (FEW, many):
            await fill(running, uri, count)
            await measured(running, 5)
            found[count] = {step: statistics.median(times) for step, times in (await measured(running, steps)).items()}
    few, lots = found[FEW], found[many]
    longest = max([*few.values(), *lots.values()])
    for step, base in few.items():
        print(f"{step:<11} {lots[step] / base:5.2f} times")
        for count, seconds in ((FEW, base), (many, lots[step])):
            print(f"  {count:>9,}  {seconds * 1000:7.2f} ms  {'#' * round(BAR * seconds / longest)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=100)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.many, arguments.steps))

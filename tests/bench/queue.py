"""A reviewer's queue with 5,000 and with 50,000 pending approvals: how long until the first page, and until all of it.

    python -m tests.bench.queue [--pending N ...]

Three of them wait for one reviewer, all others for another. The bar: a first page within a second.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.widgets import OptionList

from pdp.cli.inbox import Inbox
from pdp.client import Client
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from pdp.v1.review_pb2 import ListQueueRequest, WatchQueueRequest
from tests.parts import Placet, asking, placet
from tests.pdp.seeding import seed
from tests.tokens import Metadata, metadata

BAR_SECONDS = 1.0
RULES = """package policy

needs_approval contains {
	"rule": "share",
	"reason": "somebody looks at it",
	"reviewers": {"groups": [object.get(input, ["context", "group"], "nobody")]},
	"pending_for": "48h",
} if input.action.name == "share"
"""
DATA = '{"identities": {"agent:report-bot": {"owners": ["user:alice"]}}}'


@asynccontextmanager
async def server() -> AsyncIterator[tuple[Placet, MongodProcess]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "policy").mkdir()
        (folder / "policy" / "rules.rego").write_text(RULES)
        (folder / "policy" / "data.json").write_text(DATA)
        async with (
            MongodProcess(toolcache.mongod(), folder / "mongodb", say=print) as mongod,
            placet(folder / "state", mongod.uri, policy=[folder / "policy"]) as running,
        ):
            yield running, mongod


async def opened(running: Placet, group: str) -> Approval:
    return (await running.authorize(asking("share", context={"group": group, "rows": 1000}))).approval


async def seconds(call: Awaitable[Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    answer = await call
    return answer, time.perf_counter() - began


async def whole(running: Placet, by: Metadata) -> int:
    """Every page of the queue."""
    request, count = ListQueueRequest(page_size=100), 0
    while True:
        page = await running.reviews.ListQueue(request, metadata=by)
        count += len(page.approvals)
        if not page.next_page_token:
            return count
        request.page_token = page.next_page_token


async def watched(running: Placet, by: Metadata, *, changes_only: bool) -> float:
    """The seconds until the first message."""
    call = running.reviews.WatchQueue(WatchQueueRequest(changes_only=changes_only), metadata=by)
    _, took = await seconds(call.read())
    call.cancel()
    return took


async def inbox(running: Placet, by: Metadata) -> float:
    """The seconds until `pdp inbox` shows rows."""
    token = by[0][1].removeprefix("Bearer ")
    async with Client(running.address, token) as client:
        began, app = time.perf_counter(), Inbox(client)
        async with app.run_test(size=(120, 40)) as pilot:
            while not app.query_one("#queue", OptionList).option_count:
                await pilot.pause(0.01)
            return time.perf_counter() - began


async def main(counts: list[int]) -> None:
    async with server() as (running, mongod):
        many, few = (metadata(running.state, f"user:{group}", "reviewer", groups=[group]) for group in ("many", "few"))
        like = await opened(running, "many")
        await seed(mongod, running, await opened(running, "few"), 2)
        stored = 4
        for count in sorted(counts):
            await seed(mongod, running, like, count - stored, first=stored)
            stored = count
            page, first = await seconds(running.reviews.ListQueue(ListQueueRequest(), metadata=many))
            his, few_first = await seconds(running.reviews.ListQueue(ListQueueRequest(), metadata=few))
            print(f"{count:>7,} pending")
            print(f"  first page of one who may review them all  {first:6.2f} s  ({len(page.approvals)} approvals)")
            print(f"  first page of one who may review three     {few_first:6.2f} s  ({len(his.approvals)} approvals)")
            watch, changes = [await watched(running, many, changes_only=alone) for alone in (False, True)]
            print(f"  first message of a watch                   {watch:6.2f} s")
            print(f"  first message of a watch of changes alone  {changes:6.2f} s")
            print(f"  rows in `pdp inbox`                        {await inbox(running, many):6.2f} s")
            if count == min(counts):
                found, every = await seconds(whole(running, many))
                print(f"  all pages                                  {every:6.2f} s  ({found:,} approvals)")
            assert max(first, few_first) < BAR_SECONDS


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pending", type=int, nargs="+", default=[5_000, 50_000])
    asyncio.run(main(parser.parse_args().pending))

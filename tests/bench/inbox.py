"""The inbox in a browser with 5,000 pending approvals, and what open streams of events cost.

    python -m tests.bench.inbox [--pending N] [--streams N]

The bars: a first page within a second, an event with its row within a second, 200 streams in less than 100 MB. The
memory is that of this process, in which the clients of the streams are, too. `inbox_beside` comes last: what Authorize
costs on a server with all of that, beside one without.
"""

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from pdp.inbox.events import MOST
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.v1.approval_pb2 import Approval
from tests.bench import inbox_beside
from tests.bench.queue import RULES
from tests.browser import Browser, browser
from tests.parts import Placet, asking, placet
from tests.pdp.seeding import seed

BAR_SECONDS, BAR_MB = 1.0, 100.0
DATA = '{"identities": {"agent:report-bot": {"owners": ["user:alice"]}}, "groups": {"many": ["user:bob"]}}'
TRIES = 5


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


async def opened(running: Placet, number: int) -> Approval:
    return (await running.authorize(asking("share", context={"group": "many", "rows": number}))).approval


async def first_page(bob: Browser) -> float:
    began = time.perf_counter()
    page = await bob.get("/inbox")
    assert page.text.count("<li id=") == 100, page.text[:500]
    return time.perf_counter() - began


async def until_its_row(running: Placet, bob: Browser, number: int) -> float:
    """The seconds from an answer to its caller until a page has the event and the rows that go with it."""
    async with bob.session.get(f"{bob.home}/inbox/events", headers={"Sec-Fetch-Mode": "cors"}) as stream:
        while not (await stream.content.readline()).startswith(b"id: "):
            pass
        held = await opened(running, number)
        began = time.perf_counter()
        while held.approval_id.encode() not in await stream.content.readline():
            pass
        await bob.get("/inbox/rows")
        return time.perf_counter() - began


def resident_mb() -> float:
    gc.collect()
    [line] = [one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


async def many_streams(running: Placet, count: int) -> float:
    """The megabytes that so many open streams add."""
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(browser(running.http)) for _ in range(-(-count // MOST))]
        for person in people:
            await person.log_in("bob")
        before = resident_mb()
        for number in range(count):
            person = people[number // MOST]
            asked = person.session.get(f"{person.home}/inbox/events", headers={"Sec-Fetch-Mode": "cors"})
            stream = await stack.enter_async_context(asked)
            assert stream.status == 200
            while not (await stream.content.readline()).startswith(b"id: "):
                pass
        return resident_mb() - before


async def main(pending: int, streams: int) -> None:
    async with server() as (running, mongod):
        await seed(mongod, running, await opened(running, 1), pending - 1)
        async with browser(running.http) as bob:
            await bob.log_in("bob")
            pages = sorted([await first_page(bob) for _ in range(TRIES)])
            rows = sorted([await until_its_row(running, bob, 2 + number) for number in range(TRIES)])
        added = await many_streams(running, streams)
    print(f"{pending:>7,} pending")
    print(f"  first page                   {pages[0]:6.2f} s at best, {pages[TRIES // 2]:.2f} s in the middle")
    print(f"  an event and its page        {rows[0]:6.2f} s at best, {rows[TRIES // 2]:.2f} s in the middle")
    print(f"{streams:>7,} open streams add      {added:6.1f} MB")
    assert max(pages[0], rows[0]) < BAR_SECONDS
    assert added < BAR_MB


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pending", type=int, default=5_000)
    parser.add_argument("--streams", type=int, default=200)
    given = parser.parse_args()
    asyncio.run(main(given.pending, given.streams))
    sys.exit(0 if asyncio.run(inbox_beside.main()) else 1)

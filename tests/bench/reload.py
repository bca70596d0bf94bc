"""What callers notice while a large company's policy is loaded again: no call fails, and the worst one takes so long.

    python -m tests.bench.reload [--many N] [--callers N] [--reloads N]

People are added to a group while callers ask without a pause, until the new policy is in force; then again. Beside it
stands the same time without a reload.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import grpc

from pdp.v1.info_pb2 import GetServerInfoRequest
from tests.bench.people import company, servers
from tests.parts import Placet, asking

QUIET_SECONDS = 10.0


class Calls:
    """What callers noticed: the seconds of each call, and what failed."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self.failed: list[str] = []

    async def ask(self, server: Placet, until: asyncio.Event) -> None:
        """Ask again and again."""
        while not until.is_set():
            began = time.perf_counter()
            try:
                await server.authorize(asking())
            except grpc.aio.AioRpcError as error:
                self.failed.append(f"{error.code().name}: {error.details()}")
            self.took.append(time.perf_counter() - began)

    def show(self, what: str) -> None:
        """Print what was noticed."""
        middle, worst = statistics.median(self.took) * 1000, max(self.took) * 1000
        print(
            f"{what:<8} {len(self.took)} calls, {len(self.failed)} failed, median {middle:.1f} ms, worst {worst:.0f} ms"
        )
        for sentence in sorted(set(self.failed)):
            print(f"  {self.failed.count(sentence)} times {sentence}")


async def during(server: Placet, callers: int, work: "asyncio.Future[None]") -> Calls:
    """What callers noticed while `work` went on."""
    calls, done = Calls(), asyncio.Event()
    asking_again = [asyncio.ensure_future(calls.ask(server, done)) for _ in range(callers)]
    try:
        await work
    finally:
        done.set()
        await asyncio.gather(*asking_again)
    return calls


async def reloaded(server: Placet, file: Path, number: int) -> None:
    """Add somebody to a group, and return when the policy that knows it is in force."""
    before = await revision(server)
    await asyncio.to_thread(edit, file, b'"new-%d": ["user:person%d"]' % (number, number))
    began = time.perf_counter()
    async with asyncio.timeout(300):
        while await revision(server) == before:
            await asyncio.sleep(0.1)
    print(f"reload {number} took {time.perf_counter() - began:.1f} s")


def edit(file: Path, group: bytes) -> None:
    """Put a group into the file, as an editor would: to parse the JSON of a million people would hold up the server."""
    text = file.read_bytes()
    assert b'"groups": {' in text
    file.write_bytes(text.replace(b'"groups": {', b'"groups": {%b, ' % group, 1))


async def revision(server: Placet) -> str:
    info = await server.info.GetServerInfo(GetServerInfoRequest(), metadata=server.metadata("alice"))
    return info.policy_revision


async def measured(
    folder: Path, many: int, callers: int, reloads: int, quiet_seconds: float = QUIET_SECONDS
) -> list[Calls]:
    """What callers noticed in a quiet time, and during the reloads."""
    policy = company(folder / "many", many)
    async with servers(folder, {"many": policy}) as found:
        server = found["many"]
        quiet = await during(server, callers, asyncio.ensure_future(asyncio.sleep(quiet_seconds)))

        async def again() -> None:
            for number in range(reloads):
                await reloaded(server, policy / "data.json", number)

        return [quiet, await during(server, callers, asyncio.ensure_future(again()))]


async def main(many: int, callers: int, reloads: int) -> int:
    """Print what was noticed. The exit status is 1 if a call failed."""
    with tempfile.TemporaryDirectory() as name:
        quiet, loaded = await measured(Path(name), many, callers, reloads)
    quiet.show("quiet")
    loaded.show("reload")
    return 1 if quiet.failed or loaded.failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--reloads", type=int, default=3)
    arguments = parser.parse_args()
    sys.exit(asyncio.run(main(arguments.many, arguments.callers, arguments.reloads)))

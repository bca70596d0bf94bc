"""An agent as a process of its own: an export behind `guard`, which writes a line each time it really runs.

`python -m tests.guarded ADDRESS TOKEN RUN FILE` says "ready", waits for a line, calls once, and says what came of it.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pdp.client import CallError, Client, Denied, guard
from pdp.v1.info_pb2 import GetServerInfoRequest

ROOT = Path(__file__).parents[1]


def export(client: Client | Callable[[], Client], file: Path) -> Any:
    """The guarded function: the table customers, as `exporting` of `tests.parts` asks; `run` is its request id."""

    @guard(
        action="export",
        resource="table:customers",
        properties={"tags": ["pii"]},
        on_behalf_of=["user:alice"],
        request_id=lambda run: run,
        client=client,
    )
    async def exports(run: str) -> None:
        with file.open("a") as lines:
            lines.write(f"{os.getpid()} {run}\n")

    return exports


def ran(file: Path, run: str) -> int:
    """How often the function ran."""
    lines = file.read_text().splitlines() if file.exists() else []
    return sum(line.endswith(f" {run}") for line in lines)


@dataclass
class Agent:
    """The process, ready to call."""

    process: asyncio.subprocess.Process

    def begin(self) -> None:
        """Let it call."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")

    async def kill(self) -> None:
        """SIGKILL, unless it has ended."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def said(self) -> str:
        """What came of its call, once it has ended."""
        out, _ = await self.process.communicate()
        return out.decode().strip()


@asynccontextmanager
async def agent(address: str, token: str, run: str, file: Path) -> AsyncIterator[Agent]:
    """An agent that knows the server, and has not called yet."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.guarded", address, token, run, file),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    held = Agent(process)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield held
    finally:
        await held.kill()


async def _call(address: str, token: str, run: str, file: str) -> None:
    async with Client(address, token, timeout=20) as client:
        exports = export(client, Path(file))
        await client.call(client.info.GetServerInfo, GetServerInfoRequest())
        print("ready", flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.readline)
        try:
            await exports(run)
        except (Denied, CallError) as error:
            print(error)  # noqa: T201
        else:
            print("ran")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(_call(*sys.argv[1:]))

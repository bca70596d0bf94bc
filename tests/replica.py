"""A MongoDB replica set of three on this machine, whose primary steps down or is killed on demand."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from pdp.process import toolcache

NAME = "three"
ELECTION_MILLISECONDS = 1000
SECONDS = 60


@dataclass
class Member:
    folder: Path
    port: int
    process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.process = await asyncio.create_subprocess_exec(
            *(toolcache.mongod(), "--dbpath", self.folder, "--logpath", self.folder / "log", "--replSet", NAME),
            *("--port", f"{self.port}", "--bind_ip", "127.0.0.1", "--nounixsocket", "--oplogSize", "64"),
            *("--wiredTigerCacheSizeGB", "0.25", "--setParameter", "diagnosticDataCollectionEnabled=false"),
            stdout=asyncio.subprocess.DEVNULL,
        )

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@dataclass
class Replicas:
    """Three members; `uri` finds the primary."""

    members: list[Member] = field(default_factory=list)

    @property
    def uri(self) -> str:
        return f"mongodb://{','.join(member.address for member in self.members)}/?replicaSet={NAME}"

    async def step_down(self) -> None:
        """The primary lets another be elected."""
        async with AsyncMongoClient(self.uri) as client:
            with suppress(PyMongoError):  # it answers by closing the connection, or is none any more
                await client.admin.command("replSetStepDown", 5, secondaryCatchUpPeriodSecs=4)

    async def primary(self) -> Member:
        """The primary of now."""
        async with AsyncMongoClient(self.uri) as client:
            hello = await client.admin.command("hello")
        (found,) = (member for member in self.members if member.address == hello["primary"])
        return found

    async def kill_primary(self) -> Member:
        """Kill the primary; start it again with `Member.start`."""
        primary = await self.primary()
        await primary.kill()
        return primary

    async def ready(self) -> None:
        """Return once there is a primary."""
        async with asyncio.timeout(SECONDS), AsyncMongoClient(self.uri) as client:
            while True:
                with suppress(PyMongoError):
                    if (await client.admin.command("hello"))["isWritablePrimary"]:
                        return
                await asyncio.sleep(0.05)


@asynccontextmanager
async def replicas(folder: Path) -> AsyncIterator[Replicas]:
    """Three members, elected."""
    found = Replicas([Member(folder / f"member{number}", port) for number, port in enumerate(free_ports(3))])
    try:
        for member in found.members:
            await member.start()
        await _initiate(found)
        await found.ready()
        yield found
    finally:
        for member in found.members:
            await member.kill()


async def _initiate(found: Replicas) -> None:
    config: dict[str, Any] = {
        "_id": NAME,
        "members": [{"_id": number, "host": member.address} for number, member in enumerate(found.members)],
        "settings": {"electionTimeoutMillis": ELECTION_MILLISECONDS},
    }
    address = found.members[0].address
    async with asyncio.timeout(SECONDS), AsyncMongoClient(f"mongodb://{address}/?directConnection=true") as client:
        while True:
            try:
                await client.admin.command("replSetInitiate", config)
            except PyMongoError:
                await asyncio.sleep(0.1)  # a member does not listen yet
            else:
                return


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()

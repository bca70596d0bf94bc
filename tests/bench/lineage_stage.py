"""Servers that keep lineage, as processes of their own, for `tests.bench.lineage_served`."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from pdp import keys
from pdp.config import Http
from pdp.dev import identity
from pdp.dev.stack import LINEAGE, configuration
from pdp.lineage.chain import Place, Signer
from pdp.lineage.snapshot import Snapshots
from pdp.lineage_settings import LineageSettings
from pdp.process import toolcache
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from pdp.store.lineage import LineageLog, Logged
from pdp.store.lineage_snapshots import LineageSnapshots
from tests.faults import Served, served

SECONDS = 3600.0
AS_MANY_AS_THEY_SEND = 1_000_000.0
"""Events a second: a writer of a bench is not held to a rate."""
LOOPBACK = Http(listen="127.0.0.1:0")


def settings(**more: Any) -> LineageSettings:
    """Those of a dev stack, with a writer that may send as much as it can."""
    etl = LINEAGE.writers["agent:etl"].model_copy(update={"events_a_second": AS_MANY_AS_THEY_SEND})
    return LINEAGE.model_copy(update={"writers": {"agent:etl": etl}, **more})


@dataclass
class Stage:
    """A MongoDB, and servers on it that share a database."""

    folder: Path
    mongodb: str
    stack: AsyncExitStack
    policy: Sequence[Path] = ()

    @property
    def state(self) -> Path:
        return self.folder / "state"

    async def server(self, database: str, *, core: int | None = None, **changes: Any) -> Served:
        """A server; with `core` it runs on that one alone, its OPA does not."""
        made = {"http": LOOPBACK, "lineage": settings(), "policy": self.policy, "seconds": SECONDS, **changes}
        found = await self.stack.enter_async_context(
            served(self.folder, self.state, self.mongodb, database=database, **made)
        )
        if core is not None:
            for thread in Path(f"/proc/{found.process.pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {core})
        return found

    async def database(self, name: str) -> Database:
        """A client of a database of this stage."""
        database = await Database.open(self.mongodb, name)
        self.stack.push_async_callback(database.close)
        return database

    async def given(self, name: str, graph: bytes, n: int) -> None:
        """Put a snapshot into a database, and the document of the log that it is of, as servers would have."""
        database = await self.database(name)
        config = configuration(state=self.state, listen="127.0.0.1:0", policy=self.policy, mongodb_uri=self.mongodb)
        signer = Signer(keys.signing(keys.private_key(config.audit_key)), config.realm)
        place = Place(n, os.urandom(32))
        await LineageLog(database).insert(Logged(n, [], place.head, signer.sign(*place)))
        await Snapshots(LineageSnapshots(database), signer).keep(place, lambda: graph, None)

    def token(self, name: str) -> str:
        return identity.token(self.state, name, int(SECONDS))


@asynccontextmanager
async def stage(folder: Path, policy: Sequence[Path] = ()) -> AsyncIterator[Stage]:
    """A stage without a server yet."""
    async with AsyncExitStack() as stack:
        mongod = await stack.enter_async_context(MongodProcess(toolcache.mongod(), folder / "mongodb", say=_silent))
        yield Stage(folder, mongod.uri, stack, policy)


def fresh() -> str:
    """The name of a database that nobody has used."""
    return f"t{uuid4().hex[:16]}"


def cpu_seconds(server: Served) -> float:
    """What a server's own process has used of processors."""
    used = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


class Http1:
    """One connection that is kept open, with requests that are ready to be sent."""

    def __init__(self, url: str, path: str, token: str) -> None:
        self._host, _, self._port = url.removeprefix("http://").partition(":")
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self._host, int(self._port))

    async def post(self, body: bytes) -> tuple[int, bytes]:
        """The status and the body of the answer."""
        self._writer.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        return int(head.split(b" ", 2)[1]), await self._reader.readexactly(length)

    def close(self) -> None:
        self._writer.close()


def _silent(_: str) -> None:
    """Nobody reads what MongoDB says."""

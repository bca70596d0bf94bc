"""A log of lineage in a database: those who write and follow it, with a graph that only keeps what it gets."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bson.binary import Binary

from pdp.background import background
from pdp.keys import signing
from pdp.lineage.chain import Place, Signer, next_place
from pdp.lineage.entry import decode, encode
from pdp.lineage.fact import Dataset, Event, Fact, Tagged, Tagging, Untagged
from pdp.lineage.following import Following
from pdp.lineage.origins import Origins
from pdp.lineage.snapshot import Snapshots
from pdp.lineage.view import Revision, State, View
from pdp.lineage.writing import Writing
from pdp.store.database import Database
from pdp.store.lineage import LineageLog, Logged
from pdp.store.lineage_snapshots import LineageSnapshots
from tests.pdp.chain import KEY

SIGNER = Signer(signing(KEY), "dev")
TABLE = Dataset("postgres://crm", "crm.public.customers")


def event(number: int, by: str = "demo:etl", **members: Any) -> Event:
    """An event of its own."""
    return Event(by=by, at=1000 + number, event=f"{number:064x}", inputs=(TABLE,), **members)


def tagged(tag: str = "pii") -> Tagged:
    return Tagged(by="demo:bob", at=1, tagging=Tagging(TABLE, "email", tag))


def untagged(tag: str = "pii") -> Untagged:
    return Untagged(by="demo:bob", at=2, dataset=TABLE, column="email", tag=tag)


class Heap:
    """What it was told, in order: a graph that knows no tags."""

    expires = 0

    def __init__(self, dumped: bytes | None = None) -> None:
        self.facts: list[tuple[int, Fact]] = []
        for line in (dumped or b"").splitlines():
            n, _, entry = line.partition(b" ")
            self.facts.append((int(n), decode(entry)))

    def prepare(self, facts: Sequence[tuple[int, Sequence[Fact]]]) -> list[tuple[int, Fact]]:
        return [(n, fact) for n, some in facts for fact in some]

    def commit(self, change: list[tuple[int, Fact]]) -> None:
        self.facts += change

    def dump(self) -> bytes:
        return b"\n".join(b"%d %s" % (n, encode(fact)) for n, fact in self.facts)


class Nothing:
    """Views of a graph that knows no tags."""

    def __init__(self, _graph: Heap) -> None:
        pass

    def view(self, _type: str, _id: str, revision: Revision) -> View:
        return View(State.UNKNOWN, revision=revision)

    def columns_of(self, _type: str, _id: str, _names: Sequence[str]) -> dict[str, Sequence[str]]:
        return {}

    def origins(self, _type: str, _id: str, stand_in: Dataset) -> Origins:
        return Origins(stand_in)

    def names_of(self, _type: str, _id: str) -> Sequence[str]:
        return ()


@dataclass
class Follower:
    """A process that reads a log, and the alarms that it raised."""

    following: Following
    alarms: list[str] = field(default_factory=list)

    @property
    def facts(self) -> list[Fact]:
        return [fact for _, fact in self.following.graph.facts]  # type: ignore[attr-defined]

    async def has(self, n: int, seconds: float = 10.0) -> "Follower":
        """Once it has read number `n`."""
        await self.following.at_least(n, asyncio.get_running_loop().time() + seconds)
        return self


@asynccontextmanager
async def follower(
    database: Database,
    *,
    every: int = 10_000,
    reads: bool = True,
    load: Any = Heap,
    views: Any = Nothing,
    log: LineageLog | None = None,
) -> AsyncIterator[Follower]:
    """A process that has started to read; with `reads` it goes on."""
    alarms: list[str] = []

    async def alarm(fault: str) -> None:
        alarms.append(fault)

    snapshots = Snapshots(LineageSnapshots(database), SIGNER)
    documents = log or LineageLog(database)
    following = Following(documents, snapshots, SIGNER, alarm, load=load, views=views, every=every)
    await following.start()
    found = Follower(following, alarms)
    if not reads:
        yield found
        return
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with background(following.run(), failed):
        yield found
    assert not failed.done()


@asynccontextmanager
async def lineage_writer(database: Database, alarms: list[str] | None = None, **options: Any) -> AsyncIterator[Writing]:
    """A process that writes; `alarms` gets its alarms."""
    heard: list[str] = [] if alarms is None else alarms

    async def alarm(fault: str) -> None:
        heard.append(fault)

    writing = Writing(LineageLog(database), SIGNER, alarm, **options)
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with background(writing.run(), failed):
        yield writing
    assert not failed.done()


def document(before: Place, *facts: Fact, signer: Signer = SIGNER, seen: Sequence[bytes] = ()) -> Logged:
    """The next document, as whoever has this key would write it."""
    entries = [encode(fact) for fact in facts]
    place = next_place(before, entries)
    return Logged(place.n, entries, place.head, signer.sign(*place), seen)


async def plant(database: Database, logged: Logged) -> None:
    """Put it into MongoDB, as somebody does who may write there."""
    await database.database["lineage_log"].insert_one(
        {
            "_id": logged.n,
            "entries": [Binary(entry) for entry in logged.entries],
            "head": Binary(logged.head),
            "signature": Binary(logged.signature),
            **({"seen": [Binary(key) for key in logged.seen]} if logged.seen else {}),
        }
    )


async def whole(database: Database) -> list[Logged]:
    """Every document, each checked to continue the one before it."""
    place, found = Place(), []
    while documents := await LineageLog(database).after(place.n, 100):
        for one in documents:
            place = SIGNER.follow(place, Place(one.n, one.head), one.entries, one.signature)
            found.append(one)
    return found

"""A log of lineage that is written and read by the real parts, and what people and events say in it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pdp.caller import Caller
from pdp.lineage.chain import Place
from pdp.lineage.entry import decode
from pdp.lineage.fact import Dataset, Edge, Event, Fact, Output, Tagged, Tagging, Way
from pdp.lineage.graph import Graph
from pdp.lineage.past import At, Past
from pdp.lineage.snapshot import Snapshots
from pdp.lineage.view import Revision
from pdp.lineage.views import Views
from pdp.lineage.writing import Writing
from pdp.lineage_settings import DataOf, LineageSettings
from pdp.store.database import Database
from pdp.store.lineage import LineageLog
from pdp.store.lineage_snapshots import LineageSnapshots
from tests.pdp.lineage_log import SIGNER, lineage_writer

CRM = Dataset("postgres://crm:5432", "crm.public.customers")
STAGE = Dataset("s3://lake", "stage/customers")
REPORT = Dataset("s3://lake", "reports/weekly")
SETTINGS = LineageSettings(
    resources=(DataOf(type="table", id="{schema}.{table}", namespace="postgres://crm", name="crm.{schema}.{table}"),)
)


@dataclass
class Known:
    """Facts go into the log and, after each write, into the graph."""

    database: Database
    writing: Writing
    graph: Graph
    views: Views
    revision: Revision

    async def say(self, _: Caller, facts: Sequence[Fact]) -> Revision:
        """What a caller says."""
        return await self.write(facts)

    async def write(self, facts: Sequence[Fact]) -> Revision:
        """Write, and read everything that is there."""
        written = await self.writing.put(facts)
        for one in await LineageLog(self.database).after(self.revision.n, 100):
            self.graph.apply([(one.n, [decode(entry) for entry in one.entries])])
            self.revision = Revision(one.n, one.head.hex())
        return Revision(written.place.n, written.place.head.hex())

    def now(self) -> At:
        """What is known."""
        return At(self.graph, self.views, self.revision)

    def past(self) -> Past:
        """What was known."""
        snapshots = Snapshots(LineageSnapshots(self.database), SIGNER)
        return Past(self.now, LineageLog(self.database), snapshots, SIGNER, lambda _: Graph(), views)


def views(graph: Graph) -> Views:
    """The answers of a graph."""
    return Views(graph, SETTINGS)


@asynccontextmanager
async def known(database: Database) -> AsyncIterator[Known]:
    """An empty log in a database."""
    graph = Graph()
    async with lineage_writer(database) as writing:
        yield Known(database, writing, graph, views(graph), Revision(0, Place().head.hex()))


def derived(number: int, source: Dataset, target: Dataset, *columns: tuple[str, str], way: Way = Way.CARRY) -> Event:
    """An event of a run that writes columns of one dataset from another."""
    edges = [Edge(end, source, begin, way, "DIRECT/IDENTITY") for begin, end in columns]
    named = [end for _, end in columns]
    return Event(
        by="workload:etl",
        at=1000 + number,
        event=f"{number:064x}",
        run=f"run-{number}",
        job=("etl", f"job-{number}"),
        event_time=1000 + number,
        inputs=(source,),
        outputs=(Output(target, named, named, edges),),
        schemas={target: named, source: [begin for begin, _ in columns]},
        classifies=True,
    )


def tagged(dataset: Dataset = CRM, column: str = "email", tag: str = "pii") -> Tagged:
    """A tag that bob sets."""
    return Tagged(by="user:bob", at=900, reason="seen", tagging=Tagging(dataset, column, tag))

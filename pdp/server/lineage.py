"""What a server with `[lineage]` has beside the others: a reader and a writer of the log, and who takes events."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

import orjson

from pdp import keys
from pdp.audit.record import Kind, entry
from pdp.background import background
from pdp.config import Config
from pdp.errors import SetupError
from pdp.lineage.chain import Signer
from pdp.lineage.event import read
from pdp.lineage.expiring import Expiring
from pdp.lineage.fact import Event
from pdp.lineage.following import Following
from pdp.lineage.leaving import data_namespace
from pdp.lineage.name import Names
from pdp.lineage.snapshot import Snapshots
from pdp.lineage.writing import Writing
from pdp.lineage_errors import LineageStale
from pdp.lineage_settings import LineageWriter
from pdp.recording.writer import Writer
from pdp.signing_keys import SigningKeys
from pdp.store.database import Database
from pdp.store.lineage import LineageLog
from pdp.store.lineage_snapshots import LineageSnapshots
from pdp.store.notifications import Notifications
from pdp.turns import Turns
from pdp.workflow.lineage import Ingesting, KnownLineage
from pdp.workflow.outflow import NO_OUTFLOW, LoggedOutflow, Outflow

if TYPE_CHECKING:
    from pdp.lineage.graph import Graph
    from pdp.lineage.limits import Limits

ALARM = "LINEAGE_TAMPERED"
"""The error of the record of an alarm."""


@dataclass(slots=True)
class Lineage:
    """The parts of lineage that live as long as the server. `running` begins to read and to write."""

    following: Following
    writing: Writing
    ingesting: Ingesting
    alarms: "Alarms"
    documents: LineageLog
    snapshots: Snapshots
    signer: Signer
    limits: "Limits"

    @asynccontextmanager
    async def running(self, writer: Writer, failed: asyncio.Future[None]) -> AsyncIterator[None]:
        """Read what is there, and then follow; alarms go into the audit log by `writer`."""
        self.alarms.writer = writer
        await self.following.start()
        tasks = self.following.run(), self.writing.run(), Expiring(self.following, self.writing).run()
        async with AsyncExitStack() as stack:
            for task in tasks:
                await stack.enter_async_context(background(task, failed))
            yield

    @property
    def views(self) -> KnownLineage:
        """What deciding asks."""
        return KnownLineage(self.following)

    async def is_fresh(self) -> bool:
        """Whether decisions about data are made here now."""
        try:
            self.following.require_fresh()
        except LineageStale:
            return False
        return True


class Alarms:
    """Raises alarms in the audit log, as soon as there is a writer."""

    def __init__(self) -> None:
        self.writer: Writer | None = None

    async def tell(self, fault: str) -> None:
        """Record what was found."""
        if self.writer is not None:
            await self.writer.append([entry(Kind.ERROR, orjson.dumps({"fault": fault}), error=ALARM)])


def kept_lineage(config: Config, database: Database, signing: SigningKeys, turns: Turns) -> Lineage | None:
    """The lineage of a configured server; None where it keeps none. Raises `SetupError` where a package is missing."""
    settings = config.lineage
    if settings is None:
        return None
    if importlib.util.find_spec("numpy") is None:
        raise SetupError("[lineage] needs numpy; install placet[server,lineage], or leave that part out")
    from pdp.lineage.graph import Graph  # noqa: PLC0415  # an extra
    from pdp.lineage.limits import Limits  # noqa: PLC0415
    from pdp.lineage.views import Views  # noqa: PLC0415

    signer, alarms, documents = Signer(keys.signing(signing.audit), config.realm), Alarms(), LineageLog(database)
    snapshots = Snapshots(LineageSnapshots(database), signer)
    following = Following(
        documents,
        snapshots,
        signer,
        alarms.tell,
        load=lambda dumped: Graph() if dumped is None else Graph.load(dumped),
        views=partial(Views, settings=settings),
    )
    writing = Writing(documents, signer, alarms.tell, following.verified)
    names = Names(settings.schemes, settings.exact_case, settings.partitions)
    limits = Limits(lambda: cast("Graph", following.graph))
    ingesting = Ingesting(settings, writing, partial(_read, names, config.realm), turns, partial(_admit, names, limits))
    return Lineage(following, writing, ingesting, alarms, documents, snapshots, signer, limits)


def outflow_of(config: Config, kept: Lineage | None, database: Database) -> Outflow:
    """What is told of that leaves: nothing where a server keeps no lineage."""
    if config.lineage is None or kept is None:
        return NO_OUTFLOW
    settings = config.lineage
    names = Names(settings.schemes, settings.exact_case, settings.partitions)
    keep = Notifications(database).forward if settings.forward else None
    own = partial(_read, names, config.realm, is_own=True)
    admit = partial(kept.limits.admit, is_foreign=lambda dataset: dataset.namespace != data_namespace(config.realm))
    return LoggedOutflow(config.realm, settings.exports, kept.following, kept.writing, own, admit, keep)


def _read(
    names: Names, realm: str, text: bytes, writer: LineageWriter, identity: str, at: int, *, is_own: bool = False
) -> Event:
    return read(text, writer, identity, names, at, is_own=is_own, realm=realm)


def _admit(names: Names, limits: "Limits", event: Event, writer: LineageWriter) -> None:
    limits.admit(event, lambda dataset: not names.may_write(writer.namespaces, dataset))


def health_of(kept: Lineage | None) -> Mapping[str, Callable[[], Awaitable[bool]]]:
    """The probe of lineage, which has a status of its own: without it, decisions about other things are made."""
    return {"lineage": kept.is_fresh} if kept else {}

"""The parts around the audit log, which live as long as the server."""

from contextlib import suppress

from pdp.call_summary import Calls
from pdp.config import Config
from pdp.errors import PdpError
from pdp.recording.delivery import Delivery
from pdp.recording.writer import Writer
from pdp.seal import Sealer
from pdp.server.notifier import Notifier
from pdp.server.people import People
from pdp.server.sweep import Sweep
from pdp.session import SessionSealer
from pdp.signing_keys import SigningKeys
from pdp.store.approvals import Approvals
from pdp.store.batches import Batches
from pdp.store.chains import Chains
from pdp.store.changes import Changes
from pdp.store.database import Database
from pdp.store.letters import Letters
from pdp.store.notifications import Notifications
from pdp.store.pressure import Pressure
from pdp.store.queue import Queue
from pdp.store.records import Records
from pdp.store.writers import Writers
from pdp.workflow.feed import Feed
from pdp.workflow.lineage_views import LineageViews
from pdp.workflow.logins import Logins
from pdp.workflow.outflow import Outflow
from pdp.workflow.sessions import Sessions


class Parts:
    """The parts that live as long as the server. `tells`: people are told in a channel; `calls` hear of each call."""

    def __init__(
        self,
        config: Config,
        database: Database,
        signing: SigningKeys,
        lineage: LineageViews,
        outflow: Outflow,
        *,
        tells: bool = False,
        calls: Calls | None = None,
    ) -> None:
        self.database, self.signing, self.calls = database, signing, calls or Calls()
        self.calls.counts = config.operations is not None
        self.sealer = Sealer(signing.seal, config.realm)
        self.approvals = Approvals(database, self.sealer, notified=bool(config.webhooks) or tells)
        self.batches, self.queue, self.chains = Batches(database), Queue(database), Chains(database)
        self.pressure, self.notifications = Pressure(database), Notifications(database)
        self.records, self.writers = Records(database), Writers(database)
        self.lineage, self.outflow, self.changes = lineage, outflow, Changes(database)
        self.feed = Feed(self.changes)
        self.writer = Writer(self.batches, self.writers, signing.audit, config.realm)
        self.delivery = Delivery(self.approvals, self.batches, self.writer, self.sealer)
        sealer = SessionSealer(signing.seal, config.realm)
        self.logins = Logins(database, sealer, Sessions(database, self.writer, sealer))
        self.people = People.of(config, database, self.writer, signing.seal)
        self.sweep = Sweep(
            approvals=self.approvals,
            delivery=self.delivery,
            writer=self.writer,
            writers=self.writers,
            sessions=self.logins.sessions,
            notifier=Notifier.of(config, self.notifications, Letters(database) if tells else None, self.people.site),
        )

    async def close(self) -> None:
        """Empty outboxes, write the end of this writer. If MongoDB fails, a sweep does it later."""
        with suppress(PdpError):
            await self.delivery.settled()
        with suppress(PdpError):
            await self.writer.close()

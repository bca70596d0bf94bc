"""Ends what is a person's, beside the servers of a deployment: as one more process that writes to its log."""

import asyncio

from pdp.audit.record import Kind, entry
from pdp.background import background
from pdp.config import Config
from pdp.recording.writer import START_SECONDS, Writer
from pdp.server.people import People
from pdp.session import SessionSealer
from pdp.signing_keys import SigningKeys
from pdp.store.batches import Batches
from pdp.store.database import Database
from pdp.store.writers import Writers
from pdp.workflow.leaving import Ended, Leaving
from pdp.workflow.sessions import Sessions


async def end(config: Config, identity: str) -> Ended:
    """End all that lets this person in. Raises `SetupError` and `StoreUnavailable`."""
    signing = SigningKeys.read(config)
    database = await Database.open(config.mongodb_uri, config.database)
    try:
        await database.require_realm(config.realm)
        writer = Writer(Batches(database), Writers(database), signing.audit, config.realm)
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        async with background(writer.run(), failed):
            await writer.append([entry(Kind.SERVER_STARTED)], START_SECONDS)
            people = People.of(config, database, writer, signing.seal)
            sessions = Sessions(database, writer, SessionSealer(signing.seal, config.realm))
            own = people.links, people.passkeys, people.last_logins, people.preferences
            leaving = Leaving(database, sessions, *own)
            ended = await leaving.end(identity, [issuer.issuer for issuer in config.issuers])
            await writer.close()
        return ended
    finally:
        await database.close()

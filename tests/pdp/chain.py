"""A writer that runs on a database, and the chain that it wrote."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from joserfc.jwk import OKPKey

from pdp.audit.verify import Verifier
from pdp.background import background
from pdp.keys import signing
from pdp.recording.writer import Writer
from pdp.store.batches import Batches
from pdp.store.chains import Chains
from pdp.store.database import Database
from pdp.store.writers import Writers
from pdp.v1.audit_pb2 import Batch
from tests.parts import payload

KEY = OKPKey.generate_key("Ed25519", auto_kid=True)


@asynccontextmanager
async def writing(database: Database, **options: Any) -> AsyncIterator[Writer]:
    """A writer that runs."""
    writer = Writer(Batches(database), Writers(database), KEY, "dev", **options)
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with background(writer.run(), failed):
        yield writer
    assert not failed.done()


async def stored(database: Database) -> list[Batch]:
    """Every batch, as it is stored."""
    return [batch async for piece in Chains(database).pieces() for batch in piece]


async def chain(database: Database) -> list[Batch]:
    """Every batch, each checked to continue the one before it."""
    verifier = Verifier("dev", signing(KEY).public_key(), KEY.thumbprint())
    found = await stored(database)
    for batch in found:
        verifier.add(batch)
    verifier.finish()
    return found


async def recorded(database: Database) -> list[tuple[str, str]]:
    """Kind and approval of every record, each id counted once, in the order of the log."""
    found = {}
    for batch in await chain(database):
        for record in batch.records:
            members = payload(record)
            found.setdefault(members["id"], (members["kind"], members.get("approval_id", "")))
    return list(found.values())

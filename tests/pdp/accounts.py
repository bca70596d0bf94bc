"""Links of chat accounts on a server's database, as another process of its deployment makes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pdp import keys
from pdp.account import LinkSealer
from pdp.background import background
from pdp.process.mongod import MongodProcess
from pdp.recording.writer import Writer
from pdp.store.batches import Batches
from pdp.store.database import Database
from pdp.store.writers import Writers
from pdp.workflow.links import Links
from pdp.workflow.told import Told
from tests.parts import Placet
from tests.replica import Replicas


@asynccontextmanager
async def linking(server: Placet, mongod: MongodProcess | Replicas) -> AsyncIterator[Links]:
    database = await Database.open(mongod.uri, server.database)
    key, seal = (keys.private_key(server.state / "keys" / f"{name}.jwk") for name in ("audit", "seal"))
    writer = Writer(Batches(database), Writers(database), key, "dev")
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with background(writer.run(), failed):
        yield Links(database, Told(writer), LinkSealer(seal, "dev"))
        await writer.close()
    await database.close()

"""A database that is ready to use and empty."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from pdp.process.mongod import MongodProcess
from pdp.store.database import Database


@pytest.fixture(scope="module")
async def opened_database(mongod: MongodProcess) -> AsyncIterator[Database]:
    """The database behind `database`: to make its indexes takes longer than most tests."""
    found = await Database.open(mongod.uri, f"t{uuid4().hex[:16]}")
    yield found
    await found.close()


@pytest.fixture
async def database(opened_database: Database) -> AsyncIterator[Database]:
    """A database without a document."""
    yield opened_database
    for name in await opened_database.database.list_collection_names():
        if name != "schema":
            await opened_database.database[name].delete_many({})

"""What is seen of a MongoDB without a change of it."""

import asyncio
from pathlib import Path

import pytest

from pdp.process.mongod import MongodProcess
from pdp.store import cause
from pdp.store.database import Database
from pdp.store.inspection import _NO_WRITES, Inspection, inspect
from tests.replica import replicas


async def looked(database: Database, mongod: MongodProcess, realm: str = "dev") -> Inspection:
    return await inspect(mongod.uri, database.database.name, realm)


async def test_a_database_that_a_server_opened_lacks_nothing(database: Database, mongod: MongodProcess) -> None:
    found = await looked(database, mongod)
    assert (found.kind, found.majority, found.rights, found.schema) == ("", "", "", "")
    assert (found.members, found.is_empty, found.lacking, found.differing) == (1, False, [], [])
    assert abs(found.ahead_seconds) < 1


async def test_indexes_that_are_missing_or_others_are_named_and_stay_so(
    database: Database, mongod: MongodProcess
) -> None:
    approvals = database.database["approvals"]
    await approvals.drop_index("one_pending")
    await approvals.create_index([("caller", 1), ("digest", 1)], name="one_pending")
    await approvals.drop_index("mine")
    await database.database["tasks"].drop()
    for _ in range(2):
        found = await looked(database, mongod)
        assert found.differing == ["approvals.one_pending"]
        assert found.lacking[0] == "approvals.mine"
        assert {index.partition(".")[0] for index in found.lacking} == {"approvals", "tasks"}


async def test_another_realm_and_another_version_are_named(database: Database, mongod: MongodProcess) -> None:
    await database.require_realm("dev")
    assert (await looked(database, mongod, "other")).schema == cause.other_realm("dev", "other")
    await database.database["schema"].update_one({"_id": "placet"}, {"$set": {"version": 0}})
    assert (await looked(database, mongod)).schema == cause.OTHER_VERSION


@pytest.mark.timeout(120)
async def test_a_set_without_a_majority_and_one_without_a_primary_are_named(tmp_path: Path) -> None:
    async with replicas(tmp_path) as three:
        found = await inspect(three.uri, "placet", "dev")
        assert (found.members, found.majority) == (3, "")
        primary = await three.primary()
        first, second = (member for member in three.members if member is not primary)
        alone = f"mongodb://{first.address}/?directConnection=true"
        assert (await inspect(alone, "placet", "dev")).majority == _NO_WRITES
        await asyncio.gather(first.kill(), second.kill())
        found = await inspect(three.uri, "placet", "dev")
        assert {found.kind, found.majority} & {cause.NO_MAJORITY, cause.NO_PRIMARY}
        async with asyncio.timeout(60):
            while found.kind != cause.NO_PRIMARY:
                found = await inspect(three.uri, "placet", "dev")

"""The indexes of the list move beside the work, and each list is read by one of them."""

import pytest

from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from pdp.store.indexes import OF_RECORDS, Partial
from pdp.store.records import Records, condition


@pytest.mark.parametrize("partial", OF_RECORDS, ids=lambda partial: partial.name)
async def test_index_of_an_older_version_is_moved_once(
    database: Database, mongod: MongodProcess, partial: Partial
) -> None:
    collection = database.database["records"]
    await collection.drop_index(partial.name)
    await collection.create_index([(partial.member, 1), ("_id", -1)], name=partial.before)
    await collection.insert_one({"_id": "rec_1", "kind": "mask"})
    again = await Database.open(mongod.uri, database.database.name)
    assert partial.name not in await collection.index_information()  # a start does not wait for it
    await again.close()
    for _ in range(2):
        await Records(database).move_indexes()
        names = await collection.index_information()
        assert names[partial.name]["partialFilterExpression"] == partial.filter
        assert partial.before not in names


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({"approval_id": "apr_1"}, "of_approval"),
        ({"kind": "mask"}, "of_kind"),
        ({"kind": "approval.created"}, "of_kind"),
        ({"kind": "decision"}, "by_effect"),
        ({"kind": "decision", "effect": "DENY"}, "by_effect"),
        ({"effect": "ALLOW"}, "by_effect"),
    ],
)
async def test_lists_find_by_an_index(database: Database, asked: dict[str, str], index: str) -> None:
    collection = database.database["records"]
    wanted = condition(**{"kind": "", "effect": "", "approval_id": "", "before": "", **asked})
    plan = await collection.find(wanted, limit=50).sort("_id", -1).explain()
    assert index in str(plan["queryPlanner"]["winningPlan"])
    assert "'stage': 'SORT'" not in str(plan["queryPlanner"]["winningPlan"])

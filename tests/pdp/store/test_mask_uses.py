"""Of any number of jobs one gets a decision; the others hear under which decision, and when, work began."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from pdp import identifier
from pdp.errors import DecisionUsed
from pdp.process.mongod import MongodProcess
from pdp.store.database import Database
from pdp.store.indexes import KEPT_USES_SECONDS
from pdp.store.mask_uses import MaskUses


@pytest.fixture(scope="module")
async def database(mongod: MongodProcess) -> AsyncIterator[Database]:
    opened = await Database.open(mongod.uri, f"t{uuid4().hex[:16]}")
    yield opened
    await opened.close()


async def test_of_32_racing_jobs_one_begins(database: Database) -> None:
    pair, decision_id = (MaskUses(database), MaskUses(database)), identifier.new("dec")
    begun = await asyncio.gather(
        *(pair[at % 2].begin(decision_id, "unmask", f"use_{at}") for at in range(32)), return_exceptions=True
    )
    assert sum(one is None for one in begun) == 1
    assert sum(isinstance(one, DecisionUsed) for one in begun) == 31
    await pair[0].begin(identifier.new("dec"), "unmask", "use_1")


async def test_refusal_says_what_began_when_and_under_which_decision(database: Database) -> None:
    uses, decision_id = MaskUses(database), identifier.new("dec")
    await uses.begin(decision_id, "rewrap", "use_1")
    today = f"{datetime.now(UTC):%Y-%m-%dT}"
    with pytest.raises(
        DecisionUsed, match=f"began to rewrap under {decision_id} at {today}.*new request_id"
    ) as refused:
        await uses.begin(decision_id, "mask", "use_2")
    assert refused.value.metadata == {"decision_id": decision_id}


async def test_claims_are_kept_for_a_day_and_name_their_schema(database: Database) -> None:
    decision_id = identifier.new("dec")
    await MaskUses(database).begin(decision_id, "mask", "use_1")
    collection = database.database.get_collection("uses")
    stored = await collection.find_one({"_id": decision_id}) or {}
    assert stored.keys() == {"_id", "claim", "action", "schema_version", "at"}
    assert (stored["claim"], stored["schema_version"]) == ("use_1", 1)
    indexes = await collection.index_information()
    assert indexes["over"]["expireAfterSeconds"] == KEPT_USES_SECONDS

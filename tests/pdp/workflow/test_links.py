"""Links of chat accounts on a real database: one person each, and what somebody who writes there cannot do."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pdp.account import Link, LinkSealer
from pdp.errors import Conflict, NotFound
from pdp.store.database import Database
from pdp.workflow.links import Links
from pdp.workflow.told import Told
from tests.pdp.chain import KEY, recorded, writing

BOBS, CAROLS = "slack:T1/U1", "slack:T1/U2"


@pytest.fixture
async def links(database: Database) -> AsyncIterator[Links]:
    async with writing(database) as writer:
        yield Links(database, Told(writer), LinkSealer(KEY, "dev"))


async def kinds(database: Database) -> list[str]:
    return [kind for kind, _ in await recorded(database)]


async def test_link_is_of_one_person_until_it_ends_and_both_are_recorded(links: Links, database: Database) -> None:
    link = await links.add("user:bob", BOBS)
    assert (await links.held("user:bob"), await links.held("user:carol")) == ([link], [])
    assert await links.people([BOBS, CAROLS]) == {BOBS: "user:bob"}
    await links.remove("user:bob", BOBS)
    assert await links.people([BOBS]) == {}
    assert await kinds(database) == ["identity.linked", "identity.unlinked"]


async def test_whose_an_account_was_is_kept_and_only_as_a_server_wrote_it(links: Links, database: Database) -> None:
    for person in ("user:bob", "user:carol"):
        await links.add(person, BOBS)
        await links.remove(person, BOBS)
    await links.add("user:dave", BOBS)
    assert await links.ever([BOBS, CAROLS]) == {BOBS: {"user:bob", "user:carol", "user:dave"}}
    assert await links.people([BOBS]) == {BOBS: "user:dave"}
    await database.database["links_ended"].update_many({}, {"$set": {"identity": "user:eve"}})
    assert await links.ever([BOBS]) == {BOBS: {"user:dave"}}


async def test_of_many_who_link_one_account_at_once_one_has_it_and_it_ends_once(
    links: Links, database: Database
) -> None:
    people = [f"user:{number}" for number in range(8)]
    tried = await asyncio.gather(*(links.add(one, BOBS) for one in people), return_exceptions=True)
    [made] = [one for one in tried if isinstance(one, Link)]
    assert sum(isinstance(one, Conflict) for one in tried) == 7
    assert await links.people([BOBS]) == {BOBS: made.identity}
    ends = await asyncio.gather(*(links.remove(made.identity, BOBS) for _ in people), return_exceptions=True)
    assert sum(one is None for one in ends) == 1
    assert await kinds(database) == ["identity.linked", "identity.unlinked"]


@pytest.mark.parametrize("identity", ["user:bob", "user:carol"])
async def test_account_has_one_person(links: Links, identity: str) -> None:
    await links.add("user:bob", BOBS)
    with pytest.raises(Conflict, match="linked already"):
        await links.add(identity, BOBS)
    assert await links.people([BOBS]) == {BOBS: "user:bob"}


async def test_nobody_ends_the_link_of_another(links: Links) -> None:
    await links.add("user:bob", BOBS)
    for account in (BOBS, CAROLS):
        with pytest.raises(NotFound):
            await links.remove("user:carol", account)
    assert await links.people([BOBS]) == {BOBS: "user:bob"}


@pytest.mark.parametrize(
    "changes", [{"identity": "user:eve"}, {"seal": ""}, {"seal": None}, {"at": 7}, {"identity": 7}]
)
async def test_altered_link_is_refused_and_removed_with_an_alarm(
    links: Links, database: Database, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    await links.add("user:bob", BOBS)
    await database.database["links"].update_one({}, {"$set": changes})
    with caplog.at_level(logging.ERROR):
        assert await links.people([BOBS]) == {}
    assert "changed behind the servers' back" in caplog.text
    assert await kinds(database) == ["identity.linked", "error"]
    assert await database.database["links"].count_documents({}) == 0
    await links.add("user:bob", BOBS)


@pytest.mark.parametrize("look", ["people", "held", "add"])
async def test_copied_link_gives_nobody_another_account(links: Links, database: Database, look: str) -> None:
    await links.add("user:bob", BOBS)
    stored = database.database["links"]
    await stored.insert_one({**(await stored.find_one({}) or {}), "_id": CAROLS})
    if look == "people":
        assert await links.people([BOBS, CAROLS]) == {BOBS: "user:bob"}
    elif look == "held":
        assert [link.account for link in await links.held("user:bob")] == [BOBS]
    else:
        await links.add("user:carol", CAROLS)
        assert await links.people([CAROLS]) == {CAROLS: "user:carol"}
    assert "error" in await kinds(database)


async def test_link_of_another_deployment_is_refused(links: Links, database: Database) -> None:
    async with writing(database) as writer:
        await Links(database, Told(writer), LinkSealer(KEY, "other")).add("user:bob", BOBS)
    assert await links.people([BOBS]) == {}

"""Who acts through a chat account: by the policy's data, by a link, or nobody, and with which roles."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pdp.account import LinkSealer
from pdp.caller import Role
from pdp.dev.stack import configuration
from pdp.errors import NotAllowed
from pdp.last_login import LastLogin, LastLoginSealer
from pdp.opa.batching import Batcher
from pdp.opa.engine import engine
from pdp.site import Site
from pdp.store.database import Database
from pdp.verdict_errors import AccountNotLinked
from pdp.workflow.accounts import Accounts
from pdp.workflow.last_logins import LastLogins
from pdp.workflow.links import Links
from pdp.workflow.told import Told
from tests.parts import TOOL_CACHE
from tests.pdp.chain import KEY, recorded, writing

ISSUER = "https://dev.placet.example/users"
PEOPLE = {
    "slack:T1/DATA": {"same_as": ["user:bob"]},
    "slack:T1/TWO": {"same_as": ["user:carol", "user:caroline"]},
    "slack:T1/OWNED": {"owners": ["user:bob"]},
    "slack:T1/CHAIN": {"same_as": ["hr:7"]},
    "hr:7": {"same_as": ["user:frank"]},
    "agent:bot": {"same_as": ["slack:T1/BOT"]},
}


@pytest.fixture(scope="module")
async def batcher(state: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Batcher]:
    """OPA with the core and this data."""
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.rego").write_text('package policy\n\nallow contains {"rule": "all", "reason": "all"}\n')
    (folder / "data.json").write_text(json.dumps({"identities": PEOPLE}))
    plain = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://127.0.0.1:1")
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    config = plain.model_copy(update={"policy": (folder,)})
    async with engine(config, TOOL_CACHE, print, failed, no_domains) as found:
        yield Batcher(found.opa)


async def no_domains() -> dict[str, Any]:
    return {}


@dataclass
class Chat:
    accounts: Accounts
    links: Links
    logins: LastLogins
    database: Database

    async def logged_in(self, identity: str, roles: Iterable[str] = ("reviewer",), **changes: Any) -> None:
        at = await self.database.now() - changes.pop("ago", timedelta())
        login = LastLogin(identity=identity, issuer=ISSUER, roles=tuple(roles), email="", at=at)
        await self.logins.note(replace(login, **changes))


@pytest.fixture
async def chat(batcher: Batcher, database: Database, state: Path) -> AsyncIterator[Chat]:
    config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://127.0.0.1:1")
    async with writing(database) as writer:
        links = Links(database, Told(writer), LinkSealer(KEY, "dev"))
        logins = LastLogins(database, writer, LastLoginSealer(KEY, "dev"))
        site = Site("https://pdp.example")
        yield Chat(Accounts(links, logins, batcher, config.entries, database, site), links, logins, database)


@pytest.mark.parametrize(
    ("account", "link", "who"),
    [
        ("slack:T1/LINK", "user:bob", "user:bob"),
        ("slack:T1/DATA", "", "user:bob"),
        ("slack:T1/CHAIN", "", "user:frank"),
        ("slack:T1/DATA", "user:bob", "user:bob"),
        ("slack:T1/TWO", "user:caroline", "user:caroline"),
        ("slack:T1/OWNED", "user:carol", "user:carol"),
    ],
)
async def test_account_is_the_person_of_the_data_or_of_its_link(chat: Chat, account: str, link: str, who: str) -> None:
    if link:
        await chat.links.add(link, account)
    assert await chat.accounts.person_of(account) == who


async def test_accounts_of_a_person_are_those_that_act_as_the_person(chat: Chat) -> None:
    await chat.links.add("user:bob", "slack:T1/LINK")
    await chat.links.add("user:bob", "slack:T1/TWO")
    assert await chat.accounts.accounts_of("user:bob") == ["slack:T1/LINK", "slack:T1/DATA"]
    assert await chat.accounts.accounts_of("user:nobody") == []


@pytest.mark.parametrize(
    ("account", "link"),
    [
        ("slack:T1/NOBODY", ""),
        ("slack:T1/OWNED", ""),
        ("slack:T1/BOT", ""),
        ("slack:T1/TWO", ""),
        ("slack:T1/DATA", "user:carol"),
        ("slack:T1/TWO", "user:bob"),
        ("slack:T1/LINK", "hr:7"),
        ("user:bob", ""),
    ],
)
async def test_account_that_nobody_has_or_of_which_data_and_link_differ_is_nobodys(
    chat: Chat, account: str, link: str
) -> None:
    if link:
        await chat.links.add(link, account)
    with pytest.raises(AccountNotLinked) as refused:
        await chat.accounts.caller_of(account)
    assert refused.value.metadata["page"] == "https://pdp.example/inbox/me"


async def test_person_reviews_by_a_login_of_the_last_week_and_does_nothing_else(chat: Chat) -> None:
    await chat.links.add("user:bob", "slack:T1/U1")
    with pytest.raises(NotAllowed) as refused:
        await chat.accounts.caller_of("slack:T1/U1")
    assert refused.value.reason == "ROLE_REQUIRED"
    await chat.logged_in("user:bob", ["reviewer", "steward", "auditor"], ago=timedelta(days=6))
    caller = await chat.accounts.caller_of("slack:T1/U1")
    assert (caller.identity, caller.roles, caller.groups, caller.claims) == ("user:bob", {Role.REVIEWER}, (), {})
    assert json.loads(caller.json) == {"identity": "user:bob", "kind": "person", "groups": []}
    assert caller.is_person


@pytest.mark.parametrize(
    "login",
    [{"ago": timedelta(days=7)}, {"roles": ["requester"]}, {"issuer": "https://other.example"}],
)
async def test_login_that_is_old_or_gave_no_such_role_makes_no_reviewer(chat: Chat, login: dict[str, Any]) -> None:
    await chat.links.add("user:bob", "slack:T1/U1")
    await chat.logged_in("user:bob", **login)
    with pytest.raises(NotAllowed):
        await chat.accounts.caller_of("slack:T1/U1")


async def test_roles_of_the_issuers_entry_need_no_login(chat: Chat, batcher: Batcher, state: Path) -> None:
    config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="mongodb://127.0.0.1:1")
    entries = [entry.model_copy(update={"roles": (Role.REVIEWER, Role.STEWARD)}) for entry in config.entries]
    accounts = Accounts(chat.links, chat.logins, batcher, entries, chat.database, Site())
    await chat.links.add("user:bob", "slack:T1/U1")
    assert (await accounts.caller_of("slack:T1/U1")).roles == {Role.REVIEWER}


@pytest.mark.parametrize("changes", [{"roles": ["reviewer"]}, {"seal": ""}, {"issuer": ISSUER, "roles": "reviewer"}])
async def test_login_that_was_written_into_the_database_is_refused_with_an_alarm(
    chat: Chat, changes: dict[str, Any]
) -> None:
    await chat.links.add("user:bob", "slack:T1/U1")
    await chat.logged_in("user:bob", ["requester"])
    await chat.database.database["last_logins"].update_one({}, {"$set": changes})
    with pytest.raises(NotAllowed):
        await chat.accounts.caller_of("slack:T1/U1")
    assert [kind for kind, _ in await recorded(chat.database)] == ["identity.linked", "error"]
    assert await chat.database.database["last_logins"].count_documents({}) == 0


async def test_unlinked_account_acts_for_nobody_at_once(chat: Chat) -> None:
    await chat.links.add("user:bob", "slack:T1/U1")
    await chat.logged_in("user:bob")
    await chat.accounts.caller_of("slack:T1/U1")
    await chat.links.remove("user:bob", "slack:T1/U1")
    with pytest.raises(AccountNotLinked):
        await chat.accounts.caller_of("slack:T1/U1")

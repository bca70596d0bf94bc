"""Documents that somebody copies to another person, or puts back as they once were: what that gives, and what not.

A signature cannot tell an old document from a new one. Each test says what keeps the old one from doing harm.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from pdp.account import LinkSealer
from pdp.chat_view import ChatViewSealer
from pdp.last_login import LastLogin, LastLoginSealer
from pdp.passkey import PasskeySealer, hashed
from pdp.session import SessionSealer
from pdp.session import hashed as hashed_secret
from pdp.site import Site
from pdp.store.database import Database
from pdp.verdict_errors import PasskeyInvalid
from pdp.view_errors import ViewStale
from pdp.workflow.chat_views import ChatViews, fresh
from pdp.workflow.keyrings import Keyrings
from pdp.workflow.last_logins import LastLogins
from pdp.workflow.links import Links
from pdp.workflow.logins import Logins
from pdp.workflow.passkeys import Passkeys
from pdp.workflow.sessions import Sessions
from pdp.workflow.told import Told
from tests.authenticator import ORIGIN, Authenticator, adding_challenge
from tests.pdp.chain import KEY, recorded, writing
from tests.pdp.passkeys import added, registered
from tests.pdp.workflow.test_chat_views import ACCOUNT, BOB, CAROL, SHOWN, offered
from tests.pdp.workflow.test_sessions import BOB as BOBS_LOGIN
from tests.pdp.workflow.test_sessions import CAROL as CAROLS_LOGIN


@dataclass
class Stored:
    """What people have in the database, as servers read it, and as somebody who writes there does."""

    sessions: Sessions
    logins: Logins
    views: ChatViews
    links: Links
    last_logins: LastLogins
    keyrings: Keyrings
    passkeys: Passkeys
    database: Database

    async def document(self, collection: str, key: str = "") -> dict[str, Any]:
        found = await self.database.database[collection].find_one({"_id": key} if key else {})
        assert found is not None
        return dict(found)

    async def write(self, collection: str, document: dict[str, Any], **changes: Any) -> None:
        put = {**document, **changes}
        await self.database.database[collection].replace_one({"_id": put["_id"]}, put, upsert=True)

    async def alarms(self) -> int:
        return [kind for kind, _ in await recorded(self.database)].count("error")


@pytest.fixture
async def stored(database: Database) -> AsyncIterator[Stored]:
    async with parts(database) as found:
        yield found


@asynccontextmanager
async def parts(database: Database) -> AsyncIterator[Stored]:
    async with writing(database) as writer:
        sealer, told = SessionSealer(KEY, "dev"), Told(writer)
        sessions = Sessions(database, writer, sealer)
        keyrings = Keyrings(database, writer, PasskeySealer(KEY, "dev"))
        yield Stored(
            sessions,
            Logins(database, sealer, sessions),
            ChatViews(database, writer, ChatViewSealer(KEY, "dev")),
            Links(database, told, LinkSealer(KEY, "dev")),
            LastLogins(database, writer, LastLoginSealer(KEY, "dev")),
            keyrings,
            Passkeys(keyrings, told, Site(ORIGIN), timedelta()),
            database,
        )


async def test_session_of_carol_copied_over_that_of_bob_is_refused(stored: Stored) -> None:
    bobs, carols = await stored.sessions.begin(BOBS_LOGIN), await stored.sessions.begin(CAROLS_LOGIN)
    await stored.write("sessions", await stored.document("sessions", hashed_secret(bobs)), _id=hashed_secret(carols))
    assert await stored.sessions.present(carols) is None
    assert await stored.alarms() == 1


async def test_ended_session_that_is_put_back_is_that_of_its_own_cookie_alone(stored: Stored) -> None:
    secret = await stored.sessions.begin(BOBS_LOGIN)
    before = await stored.document("sessions")
    present = await stored.sessions.present(secret)
    assert present is not None
    await stored.sessions.end(present.session, "logout")
    await stored.write("sessions", before)
    assert await stored.sessions.present(before["_id"]) is None, "the database has no cookie"
    later = await stored.sessions.present(secret)
    assert later is not None
    assert later.session.ends_at == present.session.ends_at, "it lasts no longer"


async def test_login_put_back_or_copied_to_another_browser_is_refused(stored: Stored) -> None:
    proof = await stored.logins.begin("", "/inbox")
    before = await stored.document("logins")
    for changes in ({"browser": hashed_secret("mallory")}, {"_id": hashed_secret("state")}):
        await stored.write("logins", before, **changes)
    assert await stored.logins.finish(proof.state, "mallory") is None
    assert await stored.logins.finish("state", proof.browser) is None
    assert await stored.alarms() == 2


@pytest.mark.parametrize(
    ("changes", "caller", "account"),
    [
        ({"_id": hashed_secret("mine")}, BOB, ACCOUNT),
        ({"account": "slack:T1/UCAROL", "identity": "user:carol"}, CAROL, "slack:T1/UCAROL"),
        ({"at": None}, BOB, ACCOUNT),
    ],
    ids=["another token", "another account", "no time"],
)
async def test_view_copied_in_the_database_takes_no_verdict(
    stored: Stored, changes: dict[str, Any], caller: Any, account: str
) -> None:
    token = await offered(stored.views)
    await stored.write("chat_views", await stored.document("chat_views"), **changes)
    with pytest.raises(ViewStale):
        await stored.views.take("mine" if "_id" in changes else token, caller, account, {SHOWN})
    assert await stored.alarms() == (0 if "at" in changes else 1)


async def test_view_of_bobs_other_window_is_not_the_token_of_this_one(stored: Stored) -> None:
    """Both are signed and bob's; a document counts under its own id alone."""
    mine, other = await offered(stored.views), fresh()
    document = await stored.document("chat_views")
    await stored.write("chat_views", document, _id=hashed_secret(other))
    with pytest.raises(ViewStale):
        await stored.views.take(other, BOB, ACCOUNT, {SHOWN})
    assert await stored.views.take(mine, BOB, ACCOUNT, {SHOWN})


async def test_link_of_carol_copied_to_bob_or_put_back_for_another_person_links_nobody(stored: Stored) -> None:
    await stored.links.add("user:carol", "slack:T1/UCAROL")
    document = await stored.document("links")
    await stored.write("links", document, _id="slack:T1/UBOB")
    assert await stored.links.people(["slack:T1/UBOB"]) == {}
    await stored.links.remove("user:carol", "slack:T1/UCAROL")
    await stored.write("links", document, identity="user:bob")
    assert await stored.links.people(["slack:T1/UCAROL"]) == {}
    assert await stored.alarms() == 2


async def test_ended_link_is_not_a_link_and_a_link_not_an_ended_one(stored: Stored) -> None:
    """Each has a kind of its own in its signature."""
    await stored.links.add("user:bob", "slack:T1/UBOB")
    live = await stored.document("links")
    await stored.links.remove("user:bob", "slack:T1/UBOB")
    ended = await stored.document("links_ended")
    await stored.write("links", live, seal=ended["seal"])
    assert await stored.links.people(["slack:T1/UBOB"]) == {}
    await stored.write("links_ended", ended, seal=live["seal"])
    assert await stored.links.ever(["slack:T1/UBOB"]) == {}


async def test_last_login_of_carol_is_none_of_bob(stored: Stored) -> None:
    at = await stored.database.now()
    for name, roles in (("bob", ("requester",)), ("carol", ("reviewer",))):
        await stored.last_logins.note(LastLogin(identity=f"user:{name}", issuer="i", roles=roles, email="", at=at))
    await stored.write("last_logins", await stored.document("last_logins", "user:carol"), _id="user:bob")
    assert await stored.last_logins.of("user:bob") is None
    assert await stored.last_logins.of("user:carol") is not None
    assert await stored.alarms() == 1


async def test_nonce_copied_to_another_or_put_back_adds_no_passkey_twice(stored: Stored) -> None:
    device, now = Authenticator(), await stored.database.now()
    asked = await stored.passkeys.begin("user:bob")
    before = await stored.document("nonces")
    answer = registered(device.create(adding_challenge(asked.nonce)))
    await stored.passkeys.add("user:bob", asked.nonce, answer, logged_in_at=now)
    await stored.write("nonces", before)
    with pytest.raises(PasskeyInvalid, match="already"):
        await stored.passkeys.add("user:bob", asked.nonce, answer, logged_in_at=now)
    for changes in ({"_id": hashed("made up")}, {"bound": hashed("link:slack:T1/UEVE")}):
        await stored.write("nonces", before, **changes)
    with pytest.raises(PasskeyInvalid, match="begin again"):
        await stored.passkeys.add("user:bob", "made up", answer, logged_in_at=now)
    with pytest.raises(PasskeyInvalid, match="begin again"):
        await stored.passkeys.add("user:bob", asked.nonce, answer, logged_in_at=now)
    assert await stored.alarms() == 2


async def test_removed_passkey_that_is_put_back_needs_its_own_key(stored: Stored) -> None:
    mine = Authenticator()
    new = await added(stored.passkeys, stored.keyrings, mine, "user:bob")
    before = await stored.document("passkeys")
    await stored.passkeys.remove("user:bob", new.id)
    await stored.write("passkeys", before, _id="user:carol")
    assert await stored.passkeys.held("user:carol") == (), "it is another person's"
    await stored.write("passkeys", before)
    assert await stored.passkeys.held("user:bob") == (new,), "the log names each review that it signs"
    assert await stored.alarms() == 1

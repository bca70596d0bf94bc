"""Sessions on a real database: what counts, what ends them, and what somebody who writes to the database cannot do."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pdp.session import IDLE, LONGEST, SessionSealer, hashed
from pdp.store.database import Database
from pdp.workflow.logins import Logins
from pdp.workflow.sessions import TOUCHED_EVERY, Person, Present, Sessions
from tests.pdp.aged import held, written
from tests.pdp.chain import KEY, recorded, writing

OURS, OTHERS = SessionSealer(KEY, "dev"), SessionSealer(KEY, "other")
BOB = Person("user:bob", "https://issuer.example", "7", {"iss": "https://issuer.example", "sub": "bob"})
CAROL = Person("user:carol", "https://issuer.example", "8", {"iss": "https://issuer.example", "sub": "carol"})
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def sessions(database: Database) -> AsyncIterator[Sessions]:
    async with writing(database) as writer:
        yield Sessions(database, writer, OURS)


@pytest.fixture
async def elsewhere(database: Database) -> AsyncIterator[Sessions]:
    """The same in another process."""
    async with writing(database) as writer:
        yield Sessions(database, writer, OURS)


async def present(sessions: Sessions, secret: str) -> Present:
    found = await sessions.present(secret)
    assert found is not None
    return found


async def moved(database: Database, secret: str, sealer: SessionSealer = OURS, **stamps: timedelta) -> None:
    """The session with times of the past, signed."""
    documents = database.database["sessions"]
    session = held(await documents.find_one({"_id": hashed(secret)}) or {})
    changes: dict[str, Any] = {name: getattr(session, name) - ago for name, ago in stamps.items()}
    sealed = sealer.session(replace(session, **changes))
    await documents.replace_one({"_id": session.id}, written(sealed))


async def kinds(database: Database) -> list[str]:
    return [kind for kind, _ in await recorded(database)]


async def test_session_is_there_in_every_process_and_its_secret_is_not_stored(
    sessions: Sessions, elsewhere: Sessions, database: Database
) -> None:
    secret = await sessions.begin(BOB)
    found = await present(elsewhere, secret)
    assert (found.session.identity, found.claims, found.is_stale) == ("user:bob", BOB.claims, False)
    [document] = await database.database["sessions"].find({}).to_list()
    assert secret not in str(document)
    assert await kinds(database) == ["session.started"]


async def test_every_session_has_an_id_of_its_own(sessions: Sessions) -> None:
    assert await sessions.begin(BOB) != await sessions.begin(BOB)


@pytest.mark.parametrize("secret", ["", "x", "a" * 43])
async def test_what_nobody_began_is_none(sessions: Sessions, secret: str) -> None:
    assert await sessions.present(secret) is None


async def test_end_counts_everywhere_at_once_and_is_recorded_once(
    sessions: Sessions, elsewhere: Sessions, database: Database
) -> None:
    secret = await sessions.begin(BOB)
    session = (await present(sessions, secret)).session
    assert await sessions.end(session, "logout")
    assert await elsewhere.present(secret) is None
    assert not await elsewhere.end(session, "logout")
    assert await kinds(database) == ["session.started", "session.ended"]


@pytest.mark.parametrize(
    ("stamps", "is_there"),
    [
        ({"used_at": IDLE - MINUTE}, True),
        ({"used_at": IDLE}, False),
        ({"began_at": LONGEST - MINUTE, "used_at": MINUTE}, True),
        ({"began_at": LONGEST, "used_at": MINUTE}, False),
    ],
)
async def test_times_are_held_against_mongodbs_clock(
    sessions: Sessions, database: Database, stamps: dict[str, timedelta], *, is_there: bool
) -> None:
    secret = await sessions.begin(BOB)
    await moved(database, secret, **stamps)
    assert (await sessions.present(secret) is not None) == is_there


@pytest.mark.parametrize("stamps", [{"used_at": IDLE}, {"began_at": LONGEST, "used_at": MINUTE}])
async def test_session_that_ran_out_is_recorded_once_by_the_sweep_or_the_next_look(
    sessions: Sessions, elsewhere: Sessions, database: Database, stamps: dict[str, timedelta]
) -> None:
    first, second, alive = [await sessions.begin(BOB) for _ in range(3)]
    for secret in (first, second):
        await moved(database, secret, **stamps)
    assert await sessions.present(first) is None
    await asyncio.gather(sessions.end_over(100), elsewhere.end_over(100), elsewhere.present(second))
    await sessions.end_over(100)
    assert sorted(await kinds(database)) == 2 * ["session.ended"] + 3 * ["session.started"]
    assert await sessions.present(alive)


async def test_planted_session_that_ran_out_is_an_alarm_and_no_end(sessions: Sessions, database: Database) -> None:
    secret = await sessions.begin(BOB)
    await database.database["sessions"].update_one({}, {"$set": {"used_at": (await database.now()) - 2 * IDLE}})
    await sessions.end_over(100)
    assert await sessions.present(secret) is None
    assert await kinds(database) == ["session.started", "error"]


async def test_use_is_noted_once_a_minute_and_signed(sessions: Sessions, database: Database) -> None:
    secret = await sessions.begin(BOB)
    before = (await present(sessions, secret)).session
    await present(sessions, secret)
    assert (await present(sessions, secret)).session == before
    await moved(database, secret, used_at=TOUCHED_EVERY)
    await present(sessions, secret)
    noted = (await present(sessions, secret)).session
    assert noted.used_at >= before.used_at
    assert noted.began_at == before.began_at


async def test_what_a_page_asks_by_itself_is_no_use(sessions: Sessions, database: Database) -> None:
    secret = await sessions.begin(BOB)
    await moved(database, secret, used_at=2 * TOUCHED_EVERY)
    before = await sessions.seen(secret)
    assert before is not None
    assert await sessions.seen(secret) is not None
    assert held(await database.database["sessions"].find_one({"_id": hashed(secret)}) or {}) == before.session


async def test_renewal_brings_newer_claims_and_no_longer_life(sessions: Sessions, database: Database) -> None:
    secret = await sessions.begin(BOB)
    await moved(database, secret, began_at=2 * MINUTE, renewed_at=timedelta(hours=1))
    old = await present(sessions, secret)
    assert old.is_stale
    assert await sessions.renew(old, replace(BOB, claims={**BOB.claims, "groups": ["stewards"]}))
    new = await present(sessions, secret)
    assert (new.is_stale, new.claims["groups"]) == (False, ["stewards"])
    assert new.session.began_at == old.session.began_at


async def test_session_is_not_renewed_for_another_person_or_after_its_end(sessions: Sessions) -> None:
    secret = await sessions.begin(BOB)
    held_by_bob = await present(sessions, secret)
    assert not await sessions.renew(held_by_bob, CAROL)
    await sessions.end(held_by_bob.session, "logout")
    assert not await sessions.renew(held_by_bob, BOB)


@pytest.mark.parametrize(
    ("identity", "sid", "left"),
    [("user:bob", "", 1), ("", "7", 1), ("user:bob", "7", 1), ("user:carol", "7", 3), ("user:nobody", "", 3)],
)
async def test_logout_at_the_provider_ends_what_it_names(
    sessions: Sessions, database: Database, identity: str, sid: str, left: int
) -> None:
    secrets = [await sessions.begin(person) for person in (BOB, BOB, CAROL)]
    now = await database.now()
    assert await sessions.end_all(BOB.issuer, identity, sid, now, "provider") == 3 - left
    assert len([secret for secret in secrets if await sessions.present(secret)]) == left


async def test_logout_ends_no_later_login_and_none_of_another_issuer(sessions: Sessions, database: Database) -> None:
    before = await database.now() - MINUTE
    secret = await sessions.begin(BOB)
    assert await sessions.end_all(BOB.issuer, "user:bob", "", before, "provider") == 0
    assert await sessions.end_all("https://other.example", "user:bob", "7", await database.now(), "provider") == 0
    assert await sessions.present(secret)


@pytest.mark.parametrize(
    "changes",
    [
        {"identity": "user:bob"},
        {"claims": '{"iss":"https://issuer.example","sub":"bob"}'},
        {"sid": "other"},
        {"began_at": timedelta(hours=1)},
        {"renewed_at": timedelta(hours=1)},
        {"used_at": timedelta(minutes=1)},
        {"seal": ""},
        {"seal": "a.b.c"},
        {"seal": None},
        {"claims": None},
        {"used_at": 7},
    ],
)
async def test_session_that_was_changed_in_the_database_is_refused(
    sessions: Sessions, database: Database, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    secret = await sessions.begin(CAROL)
    documents = database.database["sessions"]
    document = await documents.find_one({"_id": hashed(secret)}) or {}
    put = {name: document[name] + value if isinstance(value, timedelta) else value for name, value in changes.items()}
    await documents.update_one({"_id": hashed(secret)}, {"$set": put})
    assert await sessions.present(secret) is None
    assert "changed behind the servers' back" in caplog.text
    assert await kinds(database) == ["session.started", "error"]
    assert await documents.count_documents({}) == 0


async def test_session_that_was_planted_or_copied_makes_nobody_bob(sessions: Sessions, database: Database) -> None:
    documents = database.database["sessions"]
    secret = await sessions.begin(BOB)
    document = await documents.find_one({"_id": hashed(secret)}) or {}
    for mine, planted in {
        "copied": document,
        "of-another-realm": written(OTHERS.session(replace(held(document), id=hashed("of-another-realm")))),
    }.items():
        await documents.insert_one({**planted, "_id": hashed(mine)})
        assert await sessions.present(mine) is None
    assert await sessions.present(secret)


async def test_login_is_of_one_browser_and_is_finished_once(sessions: Sessions, database: Database) -> None:
    logins = Logins(database, OURS, sessions)
    proof = await logins.begin("", "/inbox/me")
    again = await logins.begin(proof.browser, "/inbox")
    assert again.browser == proof.browser
    assert await logins.finish(proof.state, "another browser") is None
    found = await logins.finish(proof.state, proof.browser)
    assert found is not None
    assert (found[0].back, found[1]) == ("/inbox/me", proof)
    assert await logins.finish(proof.state, proof.browser) is None
    assert await logins.finish(again.state, proof.browser)


async def test_login_stores_nothing_that_finishes_it(sessions: Sessions, database: Database) -> None:
    proof = await Logins(database, OURS, sessions).begin("", "/inbox")
    [document] = await database.database["logins"].find({}).to_list()
    assert not [
        secret for secret in (proof.state, proof.browser, proof.nonce, proof.verifier) if secret in str(document)
    ]


@pytest.mark.parametrize(
    "changes", [{"back": "/elsewhere"}, {"renews": "x"}, {"use": "fresh"}, {"seal": "x"}, {"at": MINUTE}, {"seal": 1}]
)
async def test_login_that_was_changed_in_the_database_is_refused(
    sessions: Sessions, database: Database, changes: dict[str, Any]
) -> None:
    logins = Logins(database, OURS, sessions)
    proof = await logins.begin("", "/inbox")
    documents = database.database["logins"]
    [document] = await documents.find({}).to_list()
    put = {name: document[name] + value if isinstance(value, timedelta) else value for name, value in changes.items()}
    await documents.update_one({}, {"$set": put})
    assert await logins.finish(proof.state, proof.browser) is None
    assert await kinds(database) == ["error"]


async def test_what_was_planted_is_not_told_in_the_log_as_an_end(sessions: Sessions, database: Database) -> None:
    secret = await sessions.begin(BOB)
    document = await database.database["sessions"].find_one({"_id": hashed(secret)}) or {}
    await database.database["sessions"].insert_one({**document, "_id": "planted", "identity": "user:carol"})
    assert await sessions.end_all(BOB.issuer, "user:carol", "", await database.now(), "provider") == 0
    assert await kinds(database) == ["session.started", "error"]
    assert await sessions.present(secret)


async def test_login_lasts_ten_minutes(sessions: Sessions, database: Database) -> None:
    logins = Logins(database, OURS, sessions)
    proof = await logins.begin("", "/inbox")
    documents = database.database["logins"]
    [document] = await documents.find({}).to_list()
    await documents.update_one({}, {"$set": {"at": document["at"] - timedelta(minutes=10)}})
    assert await logins.finish(proof.state, proof.browser) is None


async def test_what_has_ended_goes_by_itself(database: Database) -> None:
    for name, wanted in {
        "sessions": {LONGEST + timedelta(days=1)},
        "logins": {timedelta(minutes=10)},
        "nonces": {timedelta(minutes=5)},
        "chat_views": {timedelta(minutes=10)},
        "chat_signatures": {timedelta(minutes=15)},
    }.items():
        indexes = await database.database[name].index_information()
        kept = {timedelta(seconds=one["expireAfterSeconds"]) for one in indexes.values() if "expireAfterSeconds" in one}
        assert kept == wanted

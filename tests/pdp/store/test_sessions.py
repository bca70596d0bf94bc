"""Sessions in the database: found by what ends them, changed only as they were found."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pdp.session import IDLE, LONGEST, Session
from pdp.store.database import Database
from pdp.store.sessions import StoredSessions, stamp, text

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SESSION = Session(
    id="a",
    identity="user:bob",
    issuer="https://issuer.example",
    sid="7",
    claims="{}",
    began_at=NOW,
    renewed_at=NOW,
    used_at=NOW,
    seal="s",
)


@pytest.mark.parametrize(
    ("later", "used", "is_over"),
    [
        (IDLE - timedelta(seconds=1), timedelta(), False),
        (IDLE, timedelta(), True),
        (LONGEST - timedelta(seconds=1), LONGEST - timedelta(minutes=1), False),
        (LONGEST, LONGEST - timedelta(minutes=1), True),
    ],
)
async def test_over_is_what_ran_out_as_a_session_itself_says(
    database: Database, later: timedelta, used: timedelta, *, is_over: bool
) -> None:
    stored, session = StoredSessions(database), replace(SESSION, used_at=NOW + used)
    await stored.insert(session)
    assert await stored.over(NOW + later, 10) == ([session] if is_over else [])
    assert session.is_over(NOW + later) == is_over


async def test_at_most_as_many_are_found_as_wanted(database: Database) -> None:
    stored = StoredSessions(database)
    for name in ("a", "b", "c"):
        await stored.insert(replace(SESSION, id=name))
    assert len(await stored.over(NOW + LONGEST, 2)) == 2


async def test_session_is_changed_only_as_it_was_found_and_ends_once(database: Database) -> None:
    stored = StoredSessions(database)
    await stored.insert(SESSION)
    newer = replace(SESSION, sid="8", seal="t")
    assert await stored.replace(SESSION, newer)
    assert not await stored.replace(SESSION, newer)
    found = await stored.find("a")
    assert found is not None
    assert found[0] == newer
    assert [await stored.remove("a"), await stored.remove("a")] == [True, False]


async def test_sessions_of_a_person_are_of_one_issuer(database: Database) -> None:
    stored = StoredSessions(database)
    await stored.insert(SESSION)
    await stored.insert(replace(SESSION, id="b", sid="8"))
    await stored.insert(replace(SESSION, id="c", issuer="https://other.example"))
    assert {one.id for one in await stored.of_person(SESSION.issuer, "user:bob", "")} == {"a", "b"}
    assert {one.id for one in await stored.of_person(SESSION.issuer, "", "8")} == {"b"}


def test_member_that_no_server_wrote_is_another_value() -> None:
    assert (text(7), stamp("2026")) == ("", datetime(1970, 1, 1, tzinfo=UTC))

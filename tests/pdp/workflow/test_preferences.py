"""What people chose on a real database: told and recorded, and what somebody who writes there cannot do."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from bson import DatetimeMS

from pdp.audit.record import Kind
from pdp.preference import PreferenceSealer
from pdp.store.database import Database
from pdp.store.letters import Letters
from pdp.store.notifications import Progress
from pdp.workflow.preferences import Preferences
from pdp.workflow.told import Told
from tests.parts import payload
from tests.pdp.chain import KEY, recorded, stored, writing

CHANNELS = ["mail", "slack"]
OUT_OF_RANGE = DatetimeMS(-70_000_000_000_000)
"""A time before the year 1, which MongoDB stores and Python has none of."""
NIGHT = "22:00-07:00 Europe/Berlin"
CHANGED = Kind.PREFERENCE_CHANGED


@pytest.fixture
async def preferences(database: Database) -> AsyncIterator[Preferences]:
    async with writing(database) as writer:
        yield Preferences(database, Told(writer, Letters(database), CHANNELS), PreferenceSealer(KEY, "dev"))


async def kinds(database: Database) -> list[str]:
    return [kind for kind, _ in await recorded(database)]


async def told(database: Database) -> list[tuple[str, str]]:
    """Who is told of what on each channel; it is sent by now."""
    letters = Letters(database)
    due = [one for channel in CHANNELS for one in await letters.due(channel, 100)]
    for one in due:
        await letters.done(one, Progress.DELIVERED)
    return [(one.letter.who, one.letter.event) for one in due]


async def payloads(database: Database) -> list[dict[str, Any]]:
    return [payload(held.payload) for batch in await stored(database) for held in batch.payloads]


async def test_choice_is_of_one_person_until_it_is_forgotten_and_each_change_is_recorded(
    preferences: Preferences, database: Database
) -> None:
    await preferences.keep("user:bob", ["slack", "mail"], NIGHT)
    chosen = await preferences.of("user:bob")
    assert chosen is not None
    assert (chosen.muted, chosen.quiet) == (("mail", "slack"), NIGHT)
    assert await preferences.of("user:carol") is None
    await preferences.keep("user:bob", [], "")
    assert await preferences.forget("user:bob", "operator")
    assert not await preferences.forget("user:bob")
    assert await preferences.of("user:bob") is None
    assert await kinds(database) == [CHANGED] * 3
    first, second, last = await payloads(database)
    both, neither = {"muted": ["mail", "slack"], "quiet": NIGHT}, {"muted": [], "quiet": ""}
    assert (first["identity"], first["before"], first["after"], first["why"]) == ("user:bob", None, both, "person")
    assert (second["before"], second["after"]) == (both, neither)
    assert (last["before"], last["after"], last["why"]) == (neither, None, "operator")


async def test_change_is_told_on_every_channel_also_on_those_that_are_muted(
    preferences: Preferences, database: Database
) -> None:
    await preferences.keep("user:bob", CHANNELS, "00:00-23:59 UTC")
    assert await told(database) == [("user:bob", CHANGED)] * 2
    await preferences.forget("user:bob")
    assert await told(database) == [("user:bob", CHANGED)] * 2


async def test_changes_without_end_hold_no_alarm_back(preferences: Preferences, database: Database) -> None:
    for number in range(30):
        await preferences.keep("user:bob", CHANNELS[: number % 2], NIGHT)
    assert await kinds(database) == [CHANGED] * 30
    assert await told(database) == [("user:bob", CHANGED)] * 2
    await preferences.forget("user:bob")
    assert await told(database) == [("user:bob", CHANGED)] * 2, "one that is sent tells of no later change"


async def test_same_choice_again_changes_nothing_and_is_not_told(preferences: Preferences, database: Database) -> None:
    await preferences.keep("user:bob", ["slack"], NIGHT)
    await preferences.keep("user:bob", ["slack"], NIGHT)
    assert await kinds(database) == [CHANGED]
    assert len(await Letters(database).due("mail", 10)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"muted": ["mail", "slack"]},
        {"muted": 7},
        {"muted": [7]},
        {"quiet": "00:00-23:59 UTC"},
        {"seal": ""},
        {"at": 7},
        {"at": OUT_OF_RANGE},
    ],
)
async def test_altered_choice_is_refused_and_removed_with_an_alarm(
    preferences: Preferences, database: Database, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    await preferences.keep("user:bob", ["slack"], NIGHT)
    await database.database["preferences"].update_one({}, {"$set": changes})
    with caplog.at_level(logging.ERROR):
        assert await preferences.of("user:bob") is None
    assert "changed behind the servers' back" in caplog.text
    assert await kinds(database) == [CHANGED, "error"]
    assert await database.database["preferences"].count_documents({}) == 0
    await preferences.keep("user:bob", ["slack"], NIGHT)


async def test_choice_of_another_person_or_deployment_silences_nobody(
    preferences: Preferences, database: Database
) -> None:
    await preferences.keep("user:eve", ["mail", "slack"], NIGHT)
    stored = database.database["preferences"]
    await stored.insert_one({**(await stored.find_one({}) or {}), "_id": "user:bob"})
    assert await preferences.of("user:bob") is None
    async with writing(database) as writer:
        other = Preferences(database, Told(writer), PreferenceSealer(KEY, "other"))
        await other.keep("user:carol", ["mail", "slack"], NIGHT)
    assert await preferences.of("user:carol") is None

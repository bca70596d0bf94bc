"""Letters: made once, remembered as notices, and never changed back to an older version."""

from datetime import timedelta
from typing import Any

import pytest

from pdp.store.database import Database
from pdp.store.letters import MOST_REMEMBERED, DueLetter, Letter, Letters
from pdp.store.message_pace import HOUR, MOST_AN_HOUR, MessagePace
from pdp.store.notifications import Errand, Notifications, Progress


def letter(name: str = "one", errand: Errand = Errand.ASK, who: str = "user:bob") -> Letter:
    return Letter(id=name, channel="chat", errand=errand, who=who, approval_id="apr_1", record_id="rec_1")


async def added(letters: Letters, *made: Letter) -> list[DueLetter]:
    for one in made:
        await letters.add(one)
    return await letters.due("chat", 1000)


async def test_letter_that_two_processes_make_is_one(database: Database) -> None:
    letters = Letters(database)
    [due] = await added(letters, letter(), letter(who="user:eve"))
    assert due.letter == letter()
    assert await Notifications(database).claim(due, 60)
    assert await added(letters, letter()) == []


async def test_letter_that_is_put_back_keeps_its_attempts(database: Database) -> None:
    letters, notifications = Letters(database), Notifications(database)
    [due] = await added(letters, letter())
    assert await notifications.claim(due, 60)
    await letters.put_back(due, 0)
    [again] = await letters.due("chat", 10)
    assert (again.attempts, again.letter) == (0, due.letter)


async def test_notice_is_edited_by_one_at_a_time_and_never_to_an_older_version(database: Database) -> None:
    letters = Letters(database)
    [due] = await added(letters, letter())
    await letters.posted(due, "handle", 2)
    assert not await letters.begin_edit("one", 2, due.now)
    assert await letters.begin_edit("one", 3, due.now)
    assert not await letters.begin_edit("one", 4, due.now)
    assert await letters.begin_edit("one", 4, due.now + timedelta(seconds=11))
    await letters.edited("one", 4)
    await letters.edited("one", 3)
    found = await letters.notice("one")
    assert found is not None
    assert (found.handle, found.shown, found.progress) == ("handle", 4, Progress.DELIVERED)


async def test_a_hundred_notices_of_an_approval_are_remembered(database: Database) -> None:
    letters = Letters(database)
    for due in await added(letters, *(letter(f"n{number:03}") for number in range(MOST_REMEMBERED + 1))):
        await letters.posted(due, due.id, 1)
    last = await letters.notice(f"n{MOST_REMEMBERED:03}")
    assert last is not None
    assert (last.handle, last.progress) == ("", Progress.DELIVERED)


async def test_letters_go_a_while_behind_the_end_of_their_approval(database: Database) -> None:
    letters = Letters(database)
    await added(letters, letter())
    collection = database.database.get_collection("notifications")
    assert "over_at" not in (await collection.find_one({"_id": "one"}) or {})
    await letters.over("apr_1")
    assert "over_at" in (await collection.find_one({"_id": "one"}) or {})
    assert (await collection.index_information())["over"]["expireAfterSeconds"] == 30 * 24 * 3600


async def test_hour_of_a_person_has_room_for_twenty_and_the_same_letter_counts_once(database: Database) -> None:
    pace = MessagePace(database)
    for number in range(MOST_AN_HOUR):
        assert await pace.admit("user:bob", f"n{number}") is None
    assert await pace.admit("user:bob", "n0") is None
    room = await pace.admit("user:bob", "late")
    assert room is not None
    assert await pace.admit("user:carol", "late") is None
    collection = database.database.get_collection("told")
    old = room - 2 * HOUR
    await collection.update_one({"_id": "hour:user:bob"}, {"$set": {"sent.0.at": old}})
    assert await pace.admit("user:bob", "late") is None


async def test_conversation_has_one_turn_a_second_and_a_pause_holds_the_channel(database: Database) -> None:
    pace = MessagePace(database)
    assert await pace.turn("chat", "C1")
    assert not await pace.turn("chat", "C1")
    assert await pace.turn("chat", "C2")
    await pace.hold("chat", 30)
    assert await pace.is_held("chat")
    assert not await pace.is_held("other")


@pytest.mark.parametrize("change", [{"errand": "shout"}, {"who": 7}, {"attempts": "1"}, {"after": None}, {"event": []}])
async def test_letter_of_another_form_is_not_read(database: Database, change: dict[str, Any]) -> None:
    letters = Letters(database)
    await added(letters, letter())
    await database.database.get_collection("notifications").update_one({"_id": "one"}, {"$set": change})
    assert await letters.due("chat", 10) == []
    assert await letters.notices("apr_1") == []
    assert await letters.notice("one") is None

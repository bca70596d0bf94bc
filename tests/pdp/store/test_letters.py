"""Letters: made once, remembered as notices, and never changed back to an older version."""

from datetime import timedelta
from typing import Any

import pytest

from pdp.store.database import Database
from pdp.store.letters import EDIT_TAKES_AT_MOST, MOST_HURRIED, MOST_REMEMBERED, DueLetter, Letter, Letters
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


async def test_letter_is_hurried_a_few_times_and_not_while_it_is_tried(database: Database) -> None:
    letters, collection = Letters(database), database.database.get_collection("notifications")
    await added(letters, letter())
    waits = [{"$set": {"attempts": 3, "due_at": {"$add": ["$$NOW", 3_600_000]}, "tried_at": "$$NOW"}}]
    await collection.update_one({"_id": "one"}, waits)
    await letters.hurry("chat")
    assert await letters.due("chat", 10) == [], "it may be tried now"
    held = await collection.find_one({"_id": "one"}) or {}
    assert held["due_at"] - held["tried_at"] == EDIT_TAKES_AT_MOST
    for _ in range(MOST_HURRIED - 1):
        waits[0]["$set"]["tried_at"] = {"$subtract": ["$$NOW", 60_000]}
        await collection.update_one({"_id": "one"}, waits)
        await letters.hurry("other")
        assert await letters.due("chat", 10) == []
        await letters.hurry("chat")
        assert [one.id for one in await letters.due("chat", 10)] == ["one"]
    await collection.update_one({"_id": "one"}, waits)
    await letters.hurry("chat")
    assert await letters.due("chat", 10) == []


@pytest.mark.parametrize("change", [{"errand": "shout"}, {"who": 7}, {"attempts": "1"}, {"after": None}, {"event": []}])
async def test_letter_of_another_form_is_not_read(database: Database, change: dict[str, Any]) -> None:
    letters = Letters(database)
    await added(letters, letter())
    await database.database.get_collection("notifications").update_one({"_id": "one"}, {"$set": change})
    assert await letters.due("chat", 10) == []
    assert await letters.notices("apr_1") == []
    assert await letters.notice("one") is None

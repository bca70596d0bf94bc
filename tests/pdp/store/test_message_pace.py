"""How much people are told."""

from pdp.store.database import Database
from pdp.store.message_pace import HOUR, MOST_AN_HOUR, MOST_OF_ONE, MessagePace


async def test_hour_of_a_person_has_room_for_twenty_and_the_same_letter_counts_once(database: Database) -> None:
    pace = MessagePace(database)
    for number in range(MOST_AN_HOUR):
        assert await pace.admit("user:bob", f"n{number}", [f"agent:{number}"]) is None
    assert await pace.admit("user:bob", "n0", ["agent:0"]) is None
    room = await pace.admit("user:bob", "late", ["agent:other"])
    assert room is not None
    assert await pace.admit("user:carol", "late", ["agent:other"]) is None
    collection = database.database.get_collection("told")
    old = room - 2 * HOUR
    await collection.update_one({"_id": "hour:user:bob"}, {"$set": {"sent.0.at": old}})
    assert await pace.admit("user:bob", "late", ["agent:other"]) is None


async def test_one_caller_and_the_callers_of_one_person_take_half_of_an_hour(database: Database) -> None:
    pace = MessagePace(database)
    for number in range(MOST_OF_ONE):
        behind = [f"agent:{number % 3}", "user:mallory"]
        assert await pace.admit("user:bob", f"n{number}", behind) is None
    assert await pace.admit("user:bob", "n0", ["agent:0", "user:mallory"]) is None
    room = await pace.admit("user:bob", "more", ["agent:new", "user:mallory"])
    assert room is not None
    assert await pace.admit("user:bob", "other", ["agent:0", "user:alice"]) is None
    collection = database.database.get_collection("told")
    held = await collection.find_one({"_id": "hour:user:bob"}) or {}
    assert room == held["sent"][0]["at"] + HOUR
    for number in range(MOST_OF_ONE - 1):
        assert await pace.admit("user:bob", f"o{number}", [f"$other{number}"]) is None
    assert await pace.admit("user:bob", "full", ["agent:yet-another"]) is not None


async def test_room_is_there_when_the_whole_hour_and_each_name_has_some(database: Database) -> None:
    pace = MessagePace(database)
    for number in range(MOST_AN_HOUR):
        names = ["agent:noisy"] if number >= MOST_OF_ONE else [f"agent:{number}"]
        assert await pace.admit("user:bob", f"n{number}", names) is None
    held = await database.database.get_collection("told").find_one({"_id": "hour:user:bob"}) or {}
    assert await pace.admit("user:bob", "noisy", ["agent:noisy"]) == held["sent"][MOST_OF_ONE]["at"] + HOUR
    assert await pace.admit("user:bob", "quiet", ["agent:quiet"]) == held["sent"][0]["at"] + HOUR


async def test_conversation_has_one_turn_a_second_and_a_pause_holds_the_channel(database: Database) -> None:
    pace = MessagePace(database)
    assert await pace.turn("chat", "C1")
    assert not await pace.turn("chat", "C1")
    assert await pace.turn("chat", "C2")
    await pace.hold("chat", 30)
    assert await pace.is_held("chat")
    assert not await pace.is_held("other")

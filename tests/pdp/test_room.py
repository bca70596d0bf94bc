"""What one caller's open calls of a kind may take."""

import asyncio
from contextlib import ExitStack

import pytest

from pdp.errors import Overloaded
from pdp.room import LATER_SECONDS, Room


def test_caller_has_so_many_and_others_have_their_own() -> None:
    calls = Room(2, "two are the most", LATER_SECONDS)
    with ExitStack() as held:
        for caller in ("a", "a", "b"):
            held.enter_context(calls.taken(caller))
        with pytest.raises(Overloaded, match="two are the most"), calls.taken("a"):
            pass
        with calls.taken("b"):
            pass
    with calls.taken("a"):
        pass
    assert not calls._held


def test_call_that_fails_makes_room() -> None:
    calls = Room(1, "one is the most")
    for _ in range(3):
        with pytest.raises(ValueError, match="mine"), calls.taken("a"):
            raise ValueError("mine")


def test_bytes_are_counted_and_the_error_says_when_to_try_again() -> None:
    room = Room(10, "ten are the most", LATER_SECONDS)
    with room.taken("a", 6), pytest.raises(Overloaded) as error, room.taken("a", 5):
        pass
    assert error.value.retry_seconds == LATER_SECONDS
    with room.taken("a", 10):
        pass


async def test_what_has_no_room_waits_for_it_and_alone_any_size_has_it() -> None:
    room, entered = Room(10, ""), list[int]()

    async def enter(size: int) -> None:
        await room.enter("a", size)
        entered.append(size)

    tasks = [asyncio.create_task(enter(size)) for size in (20, 4, 5)]
    await asyncio.sleep(0.01)
    assert entered == [20]
    await room.enter("b", 10)
    room.leave("a", 20)
    await asyncio.wait(tasks)
    assert entered == [20, 4, 5]
    room.add("a", 100)
    for size in (4, 5, 100):
        room.leave("a", size)
    room.leave("b", 10)
    assert not room._held

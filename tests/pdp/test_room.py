"""What one caller's open calls of a kind may take."""

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

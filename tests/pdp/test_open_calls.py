"""How many calls of one kind a caller may have open."""

from contextlib import ExitStack

import pytest

from pdp.errors import Overloaded
from pdp.open_calls import OpenCalls


def test_caller_has_so_many_and_others_have_their_own() -> None:
    calls = OpenCalls(2, "watches")
    with ExitStack() as held:
        for caller in ("a", "a", "b"):
            held.enter_context(calls.one(caller))
        with pytest.raises(Overloaded, match="has 2 watches here, which is the most; end one of them"), calls.one("a"):
            pass
        with calls.one("b"):
            pass
    with calls.one("a"):
        pass
    assert not calls._open


def test_call_that_fails_makes_room() -> None:
    calls = OpenCalls(1, "waits")
    for _ in range(3):
        with pytest.raises(ValueError, match="mine"), calls.one("a"):
            raise ValueError("mine")

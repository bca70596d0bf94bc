"""Work that goes on beside the answer to a click."""

import asyncio
import logging
from functools import partial

import pytest

from pdp.channels.beside import AT_ONCE, OF_ONE, Beside


async def test_so_much_is_worked_on_at_one_time_and_ends_with_the_server(caplog: pytest.LogCaptureFixture) -> None:
    beside, may, done = Beside("teams"), asyncio.Event(), list[int]()

    async def work(number: int) -> None:
        await may.wait()
        done.append(number)

    assert all(beside.begin("teams:a/noisy", partial(work, number)) for number in range(OF_ONE))
    assert not beside.begin("teams:a/noisy", partial(work, -1)), "one account leaves room for others"
    assert all(beside.begin(f"teams:a/{number}", partial(work, number)) for number in range(OF_ONE, AT_ONCE))
    with caplog.at_level(logging.WARNING):
        assert not beside.begin("teams:a/bob", partial(work, -1))
    assert "teams: a click of teams:a/bob is dropped: 64 are worked on" in caplog.text
    may.set()
    await beside.settled()
    assert done == list(range(AT_ONCE))
    assert beside.begin("teams:a/noisy", partial(work, AT_ONCE)), "there is room again"
    await beside.settled()
    assert done[-1] == AT_ONCE


async def test_error_in_one_piece_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise ValueError("broken")

    beside = Beside("slack")
    beside.begin("slack:T1/U1", broken)
    await beside.settled()
    assert "slack: the work on a click failed" in caplog.text

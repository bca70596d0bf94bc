"""Turns of strangers: few at one time, and nobody who is slow holds up who comes later."""

import asyncio

import pytest

from pdp.errors import Overloaded
from pdp.server.latest_first import HURRIED_SECONDS, LatestFirst

BRIEFLY = HURRIED_SECONDS * 20
"""Far less than a turn takes that nobody hurries."""


class Crowd:
    """Who waits for turns, and in which order they got one."""

    def __init__(self, turns: LatestFirst) -> None:
        self.turns, self.order = turns, list[int]()
        self._done: list[asyncio.Event] = []

    async def come(self) -> "asyncio.Task[None]":
        """One more, who stays in its turn until it is done."""
        number, done = len(self._done), asyncio.Event()
        self._done.append(done)

        async def stay() -> None:
            async with self.turns.turn():
                self.order.append(number)
                await done.wait()

        task = asyncio.create_task(stay())
        await asyncio.sleep(0)
        return task

    def leave(self, number: int) -> None:
        self._done[number].set()


async def test_one_more_hurries_the_oldest_alone() -> None:
    crowd = Crowd(LatestFirst(2, 8))
    slow, other = await crowd.come(), await crowd.come()
    waiting = await crowd.come()
    with pytest.raises(Overloaded):
        await asyncio.wait_for(slow, BRIEFLY)
    crowd.leave(2)
    await asyncio.wait_for(waiting, BRIEFLY)
    assert crowd.order == [0, 1, 2]
    assert not other.done(), "nobody waited for its turn"
    crowd.leave(1)
    await asyncio.wait_for(other, BRIEFLY)


async def test_the_latest_goes_first_and_the_first_of_too_many_is_refused() -> None:
    crowd = Crowd(LatestFirst(1, 2))
    tasks = [await crowd.come() for _ in range(4)]
    with pytest.raises(Overloaded):
        await asyncio.wait_for(tasks[1], BRIEFLY)
    for number in (0, 3, 2):
        crowd.leave(number)
        await asyncio.wait({tasks[number]}, timeout=BRIEFLY)
    assert crowd.order == [0, 3, 2]


async def test_who_gives_up_keeps_no_turn() -> None:
    crowd = Crowd(LatestFirst(1, 8))
    first, second = await crowd.come(), await crowd.come()
    crowd.leave(0)
    await asyncio.sleep(0)
    second.cancel()  # its turn may just have come
    third = await crowd.come()
    first.cancel()
    await asyncio.wait({first, second}, timeout=BRIEFLY)
    crowd.leave(2)
    await asyncio.wait_for(third, BRIEFLY)
    again = await crowd.come()
    crowd.leave(3)
    await asyncio.wait_for(again, BRIEFLY)

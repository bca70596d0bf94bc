"""What many ask for at the same moment is made once, whoever of them goes away."""

import asyncio

import pytest

from pdp.workflow.shared import Shared


class Maker:
    def __init__(self) -> None:
        self.made, self.goes_on = 0, asyncio.Event()

    async def make(self) -> int:
        self.made += 1
        await self.goes_on.wait()
        if self.made > 2:
            raise ValueError("broken")
        return self.made


async def many(shared: Shared[int], maker: Maker, count: int = 20) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(shared.get("key", maker.make)) for _ in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_it_is_made_once_for_all_that_ask_meanwhile_and_anew_afterwards() -> None:
    shared, maker = Shared[int](), Maker()
    tasks = await many(shared, maker)
    maker.goes_on.set()
    assert await asyncio.gather(*tasks) == [1] * 20
    assert await shared.get("key", maker.make) == 2


async def test_it_is_kept_for_those_who_come_later() -> None:
    shared, maker = Shared[int](keep_seconds=60), Maker()
    maker.goes_on.set()
    assert [await shared.get("key", maker.make) for _ in range(5)] == [1] * 5


async def test_who_goes_away_takes_it_from_nobody() -> None:
    shared, maker = Shared[int](), Maker()
    first, *others = await many(shared, maker)
    first.cancel()
    await asyncio.sleep(0)
    maker.goes_on.set()
    assert await asyncio.gather(*others) == [1] * 19


async def test_error_is_everybodys_and_nothing_is_kept() -> None:
    shared, maker = Shared[int](), Maker()
    maker.made = 2
    tasks = await many(shared, maker)
    maker.goes_on.set()
    for task in tasks:
        with pytest.raises(ValueError, match="broken"):
            await task
    await asyncio.sleep(0)
    assert not shared._tasks

import asyncio

import pytest

from pdp import background


async def test_work_that_swallows_a_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `asyncio.wait_for` of Python 3.11, in the MongoDB driver, may: a start that failed used to hang for ever."""
    monkeypatch.setattr(background, "AGAIN_SECONDS", 0.01)
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while swallowed < 3:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                swallowed += 1
            else:
                return

    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with asyncio.timeout(2), background.background(stubborn(), failed):
        await asyncio.sleep(0)
    assert swallowed == 3
    assert not failed.done()


async def test_work_that_ends_with_an_error_is_told() -> None:
    async def broken() -> None:
        raise ValueError("broken")

    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with background.background(broken(), failed):
        with pytest.raises(ValueError, match="broken"):
            await asyncio.wait_for(failed, 5)


async def test_what_is_done_each_time_an_event_is_set_ends_with_the_block() -> None:
    event, done = asyncio.Event(), asyncio.Queue[int]()

    async def count() -> None:
        done.put_nowait(1)

    async with background.each_time(event, count):
        for _ in range(2):
            event.set()
            await asyncio.wait_for(done.get(), 5)
    event.set()
    await asyncio.sleep(0)
    assert done.empty()

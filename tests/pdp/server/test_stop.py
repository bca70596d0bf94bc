"""The pause of a server that stops, and the second signal that ends it."""

import asyncio
import time

from pdp.operations_settings import Operations
from pdp.server.stop import StopSignal, pause


async def paused(operations: Operations | None, *, signals: int = 1) -> tuple[float, int]:
    """Seconds that it took, and how often NOT_SERVING was reported."""
    stop, left = StopSignal(), 0

    async def leave() -> None:
        nonlocal left
        left += 1

    for _ in range(signals):
        stop.come()
    began = time.monotonic()
    await pause(leave, operations, stop)
    assert stop.is_set()
    return time.monotonic() - began, left


async def test_server_takes_calls_for_as_long_as_it_is_told_to() -> None:
    seconds, left = await paused(Operations(drain_seconds=0.3))
    assert 0.25 < seconds < 3
    assert left == 1


async def test_without_operations_there_is_no_pause() -> None:
    assert (await paused(None))[0] < 1


async def test_second_signal_skips_the_pause_and_nothing_else() -> None:
    seconds, left = await paused(Operations(drain_seconds=60), signals=2)
    assert seconds < 5
    assert left == 1


async def test_second_signal_may_come_in_the_pause() -> None:
    stop = StopSignal()
    stop.come()

    async def leave() -> None:
        pass

    waiting = asyncio.create_task(pause(leave, Operations(drain_seconds=60), stop))
    await asyncio.sleep(0)
    stop.come()
    await asyncio.wait_for(waiting, 5)

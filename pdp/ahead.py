"""A stream whose next items are made while one is used."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

DEPTH = 2
"""So many items wait at most; with the one in use and the one being made they are what a stream keeps in memory."""


async def ahead(source: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The items of `source`, in order, and then its error if it ends with one."""
    waiting: asyncio.Queue[T | None] = asyncio.Queue(DEPTH)

    async def fill() -> None:
        try:
            async for item in source:
                await waiting.put(item)
        finally:
            with suppress(asyncio.QueueFull):  # then whoever empties it sees that this task has ended
                waiting.put_nowait(None)

    filling = asyncio.get_running_loop().create_task(fill())
    filling.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        while not (filling.done() and waiting.empty()):
            if (item := await waiting.get()) is not None:
                yield item
        await filling
    finally:
        filling.cancel()

"""Streams that make their next items while one is in use."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")

DEPTH = 2
"""Items that wait. Together with the item in use and the item that is being made, they bound a stream's memory."""


async def prefetched(source: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The items of `source`, in order, fetched while earlier ones are in use. An error of `source` comes after them."""
    waiting: asyncio.Queue[T | None] = asyncio.Queue(DEPTH)

    async def fill() -> None:
        try:
            async for item in source:
                await waiting.put(item)
        finally:
            with suppress(asyncio.QueueFull):  # then the reader sees, when it is empty, that this task has ended
                waiting.put_nowait(None)

    filling = asyncio.get_running_loop().create_task(fill())
    filling.add_done_callback(_seen)
    try:
        while not (filling.done() and waiting.empty()):
            if (item := await waiting.get()) is not None:
                yield item
        await filling
    finally:
        filling.cancel()


async def mapped(source: AsyncIterator[T], action: Callable[[T], Awaitable[U]], width: int) -> AsyncGenerator[U, None]:
    """The results of `action` on each item, in order. The first error ends the stream.

    At most `width` actions are begun whose results are not taken yet.
    """
    room, begun = asyncio.Semaphore(width), deque[asyncio.Future[U]]()

    async def tasks() -> AsyncGenerator[asyncio.Future[U], None]:
        async for item in source:
            await room.acquire()
            begun.append(asyncio.ensure_future(action(item)))
            begun[-1].add_done_callback(_seen)
            yield begun[-1]

    try:
        async for task in prefetched(tasks()):
            made = await task
            begun.popleft()
            room.release()
            yield made
    finally:
        for task in begun:
            task.cancel()


def _seen(done: asyncio.Future[U]) -> None:
    """Mark an error as seen: it is raised when the item is taken, and an item that is not taken needs no warning."""
    done.cancelled() or done.exception()

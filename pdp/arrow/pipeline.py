"""Streams whose next items are made while one is used."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")

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
    filling.add_done_callback(_seen)
    try:
        while not (filling.done() and waiting.empty()):
            if (item := await waiting.get()) is not None:
                yield item
        await filling
    finally:
        filling.cancel()


async def abreast(source: AsyncIterator[T], action: Callable[[T], Awaitable[U]], width: int) -> AsyncGenerator[U, None]:
    """What `action` makes of each item, in order, at most `width` begun and not yet taken; the first error ends it."""
    room, begun = asyncio.Semaphore(width), deque[asyncio.Future[U]]()

    async def tasks() -> AsyncGenerator[asyncio.Future[U], None]:
        async for item in source:
            await room.acquire()
            begun.append(asyncio.ensure_future(action(item)))
            begun[-1].add_done_callback(_seen)
            yield begun[-1]

    try:
        async for task in ahead(tasks()):
            made = await task
            begun.popleft()
            room.release()
            yield made
    finally:
        for task in begun:
            task.cancel()


def _seen(done: asyncio.Future[U]) -> None:
    """An error is raised to whoever takes the item; where nobody does any more, it is not worth a warning."""
    done.cancelled() or done.exception()

"""Runs work beside the server that must not end by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

AGAIN_SECONDS = 1.0
"""Seconds after which a task that has not ended is cancelled again: `asyncio.wait_for` of Python 3.11 may swallow a
cancellation."""


def raise_if_cancelled() -> None:
    """Raise a cancellation that was swallowed: MongoDB's driver reads one as a broken connection and tries again."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@asynccontextmanager
async def background(work: Coroutine[Any, Any, None], failed: asyncio.Future[None]) -> AsyncIterator[None]:
    """Run `work` until the block ends. If it fails before, its error becomes the exception of `failed`."""
    task = asyncio.get_running_loop().create_task(work)

    def ended(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not failed.done():
            failed.set_exception(error)

    task.add_done_callback(ended)
    try:
        yield
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=AGAIN_SECONDS)


@asynccontextmanager
async def each_time(event: asyncio.Event, do: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Do something each time the event is set, until the block ends."""

    async def doing() -> None:
        while True:
            await event.wait()
            event.clear()
            await do()

    task = asyncio.create_task(doing())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})

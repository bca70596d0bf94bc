"""Answers that many ask for at the same moment: made once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextvars import Context
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Makes the answer to a key once for all that ask while it is made, and for `keep_seconds` afterwards."""

    def __init__(self, keep_seconds: float = 0.0) -> None:
        self._keep_seconds = keep_seconds
        self._tasks: dict[Hashable, asyncio.Task[T]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """The answer, or the error, that `make` gives to the first who asks; it goes on if that one is cancelled."""
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(_made(make), context=Context())
            self._tasks[key] = task
            task.add_done_callback(lambda done: self._made(key, done))
        return await asyncio.shield(task)

    def _made(self, key: Hashable, done: asyncio.Task[T]) -> None:
        done.cancelled() or done.exception()  # seen: those who asked raise it, and they may be gone
        if self._keep_seconds:
            asyncio.get_running_loop().call_later(self._keep_seconds, self._tasks.pop, key)
        else:
            del self._tasks[key]


async def _made(make: Callable[[], Awaitable[T]]) -> T:
    return await make()

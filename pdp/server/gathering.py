"""The metrics of several workers and of the process that started them, as one text."""

import asyncio
from collections.abc import Callable, Iterable

from pdp.server import exposition
from pdp.server.worker import Worker


class Gathering:
    """Asks the workers at each scrape, also those that are being replaced.

    What those counted that have ended stays, so that no count goes down.
    """

    def __init__(self) -> None:
        self.workers: Callable[[], Iterable[Worker]] = tuple
        self._last: dict[tuple[str, int], str] = {}
        self._ended = ""

    async def text(self) -> str:
        """The sum of all. A worker that does not answer counts with what it said last."""
        running = {(str(worker.status), worker.pid): worker for worker in self.workers()}
        texts = await asyncio.gather(*(worker.metrics() for worker in running.values()))
        last, self._last = self._last, {}
        for place, text in zip(running, texts, strict=True):
            self._last[place] = text or last.get(place, "")
        gone = [text for place, text in last.items() if place not in running and text]
        if gone:
            self._ended = exposition.summed([], [*filter(None, [self._ended]), *gone])
        answered = [text for text in self._last.values() if text]
        return exposition.summed([exposition.text(), *answered], [self._ended] if self._ended else [])

"""The workers of one `pdp serve`: started together, replaced one after another, stopped together."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from pdp.errors import SetupError
from pdp.logs import Logs
from pdp.server.readiness import Readiness
from pdp.server.worker import Worker

LOOK_SECONDS = 0.5
"""Seconds between two questions whether the workers are ready."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long workers may take."""

    stop_seconds: float
    """To end after SIGTERM. One that takes longer is killed."""
    retire_seconds: float
    """To be left by their clients, when they are replaced."""


class Workers:
    """The processes that decide. This one does not."""

    def __init__(self, count: int, folder: Path, patience: Patience, logs: Logs, readiness: Readiness) -> None:
        """`readiness` is told at each look which workers are ready: one that is suffices."""
        self._folder, self._patience, self._logs, self._readiness = folder, patience, logs, readiness
        self._generation = 0
        self.all = [self._made(number) for number in range(count)]
        self._retiring: Worker | None = None

    async def start(self, *, first_alone: bool = False) -> None:
        """Return when all serve. If the first starts alone, it compiles what the others find. Raises `SetupError`."""
        alone = self.all[:1] if first_alone else []
        for some in (alone, self.all[len(alone) :]):
            problems = await asyncio.gather(*(worker.start() for worker in some), return_exceptions=True)
            for problem in filter(None, problems):
                raise problem
        await self._look()

    async def watch(self) -> None:
        """See how many are ready, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._look()

    async def replace(self) -> None:
        """Replace one after another: a new one serves before the old one ends. If one does not start, the rest stay."""
        self._generation += 1
        for place, old in enumerate(self.all):
            new = self._made(old.number)
            try:
                await new.start()
            except SetupError as error:
                self._logs.say(f"{error.sentence}\n{old.name} and those behind it are not replaced.")
                return
            self.all[place], self._retiring = new, old
            await old.retire(self._patience.retire_seconds)
            self._retiring = None
        self._logs.say("all workers are replaced")

    async def hurry(self) -> None:
        """Tell all that end to skip their pause."""
        for worker in self.every:
            worker.hurry()

    async def stop(self) -> list[str]:
        """End all. Returns how those ended that did not end well."""
        every = self.every
        await asyncio.gather(*(worker.stop() for worker in every))
        return [worker.fault for worker in every if worker.fault]

    @property
    def every(self) -> list[Worker]:
        """All that run, also one whose clients still leave it."""
        return [*self.all, *([self._retiring] if self._retiring else [])]

    def _made(self, number: int) -> Worker:
        return Worker(number, self._generation, self._folder, self._patience.stop_seconds, self._logs)

    async def _look(self) -> None:
        ready = await asyncio.gather(*(worker.is_ready() for worker in self.all))
        each = {worker.name: is_ready for worker, is_ready in zip(self.all, ready, strict=True)}
        self._readiness.told({"workers": any(ready)}, each)

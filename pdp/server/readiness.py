"""Whether a server is alive and ready, as its own loop last said. Every thread may ask."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

BEAT_SECONDS = 0.5
"""Seconds between two beats of the event loop."""
SILENT_SECONDS = 5.0
"""Seconds without a beat after which the loop counts as hanging."""
FRESH_SECONDS = 15.0
"""Seconds for which the answers of a round of probes count: the slowest round, and some."""


class Pulse:
    """Whether the event loop turns. Every thread may ask."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._last = now, now()

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            self._last = self._now()
            await asyncio.sleep(BEAT_SECONDS)

    @property
    def silent_seconds(self) -> float:
        """Seconds since the last beat."""
        return self._now() - self._last

    @property
    def is_alive(self) -> bool:
        """Whether it beat in the last seconds."""
        return self.silent_seconds < SILENT_SECONDS


@dataclass(slots=True)
class Readiness:
    """Whether the server can decide: what the last probes said of each thing that it `needed`, and of `others`."""

    needed: Mapping[str, bool] = field(default_factory=dict)
    others: Mapping[str, bool] = field(default_factory=dict)
    is_leaving: bool = False
    told_at: float = float("-inf")

    @property
    def is_serving(self) -> bool:
        """Whether probes were told just now, and the server does not end."""
        return not self.is_leaving and time.monotonic() - self.told_at < FRESH_SECONDS

    @property
    def is_ready(self) -> bool:
        """Whether the server can decide, if its loop turns."""
        return self.is_serving and all(self.needed.values())

    def told(self, needed: Mapping[str, bool], others: Mapping[str, bool]) -> None:
        """What a round of probes found."""
        self.needed, self.others, self.told_at = needed, others, time.monotonic()

    def leave(self) -> None:
        """The server ends: it is not ready from now on."""
        self.is_leaving = True

"""How a server is told to stop, and the pause before it takes no new calls."""

import asyncio
from collections.abc import Awaitable, Callable

from pdp.operations_settings import Operations


class StopSignal(asyncio.Event):
    """Is set by the first signal. A further one sets `again`: somebody wants it to be quick."""

    def __init__(self) -> None:
        super().__init__()
        self.again = asyncio.Event()

    def come(self) -> None:
        """A signal has come."""
        (self.again if self.is_set() else self).set()


async def pause(leave: Callable[[], Awaitable[None]], operations: Operations | None, stop: StopSignal) -> None:
    """Report NOT_SERVING by `leave`, and take calls for `drain_seconds` more, so that balancers look again.

    A further signal ends the pause. What follows it is never skipped: calls finish and the log is flushed.
    """
    await leave()
    seconds = operations.drain_seconds if operations else 0.0
    if seconds:
        waiting = asyncio.ensure_future(stop.again.wait())
        await asyncio.wait({waiting}, timeout=seconds)
        waiting.cancel()

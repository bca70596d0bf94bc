"""Signals to a process of asyncio, whose end asyncio alone may learn."""

import os
import signal
from contextlib import suppress
from typing import Protocol


class Started(Protocol):
    """A process, and its exit status once that is known."""

    pid: int

    @property
    def returncode(self) -> int | None:
        """None until it is known that the process ended."""


def send(process: Started, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended.

    Python 3.11's own way looks first whether the process has ended. Where it just did, that takes the exit status away
    from asyncio, which then says 255.
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)

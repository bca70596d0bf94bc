"""Somebody's own command as a child: it gets the signals that we get, and its exit status becomes ours."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

SIGNALLED = 128
_PASSED_ON = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_OF_THE_KEYBOARD = {signal.SIGINT, signal.SIGQUIT}


async def run(executable: Path, command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run to the end; the exit status, or 128 + n after signal n. `OSError` where it cannot be started.

    From here on this process outlives the signals that it passes on.
    """
    early: list[signal.Signals] = []
    process: asyncio.subprocess.Process | None = None

    def signalled(number: signal.Signals) -> None:
        if process is None:
            early.append(number)
        elif process.returncode is None and not (number in _OF_THE_KEYBOARD and _has_the_keyboard()):
            process.send_signal(number)

    for number in _PASSED_ON:
        asyncio.get_running_loop().add_signal_handler(number, signalled, number)
    process = await asyncio.create_subprocess_exec(*command, executable=executable, env=variables)
    for number in early:
        process.send_signal(number)
    status = await process.wait()
    return status if status >= 0 else SIGNALLED - status


def _has_the_keyboard() -> bool:
    """Whether Ctrl-C on our terminal reaches the child by itself, being in our group."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)

"""Runs the user's own command as a child. It gets the signals that we get, and its exit status becomes ours."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pdp.process.signalling import send

SIGNALLED = 128
"""The exit status of a command that signal n ended is 128 + n, as in a shell."""
_OF_THE_KEYBOARD = {number for number in signal.Signals if number.name in {"SIGINT", "SIGQUIT"}}
_PASSED_ON = _OF_THE_KEYBOARD | {
    number for number in signal.Signals if number.name in {"SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"}
}
"""Those of them that this system has."""


async def run(executable: Path, command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run the command to its end and return its exit status, or 128 + n if signal n ended it.

    Raises `OSError` if it cannot be started. From here on the signals that are passed on no longer end this process.
    """
    early: list[signal.Signals] = []
    process: asyncio.subprocess.Process | None = None

    def signalled(number: signal.Signals) -> None:
        if process is None:
            early.append(number)
        elif not (number in _OF_THE_KEYBOARD and _has_the_keyboard()):
            send(process, number)

    for number in _PASSED_ON:
        with suppress(NotImplementedError):  # on Windows the child gets Ctrl-C itself
            asyncio.get_running_loop().add_signal_handler(number, signalled, number)
    process = await asyncio.create_subprocess_exec(*command, executable=executable, env=variables)
    for number in early:
        send(process, number)
    status = await process.wait()
    return status if status >= 0 else SIGNALLED - status


def _has_the_keyboard() -> bool:
    """Whether Ctrl-C on our terminal reaches the child directly, because the child is in our process group."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)

"""`pdp authorize --block-exit STATUS`: everything but a clear allow ends with that status.

A hook of a coding agent blocks at one exit status, and the agent goes on at any other. So a child asks, and its parent,
which does nothing else, ends with 0 only where the child said "allowed" and then ended well. A crash, a signal and a
command that asked nothing (`--help`) leave that word out.
"""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import NoReturn

OPTION = "--block-exit"
DEFAULT = 2
"""The status where the one that was asked for cannot be read: the one of the hooks."""
_ALLOWED = b"allowed"
_ENDING = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGXCPU")
_SIGNALS = [signal.Signals[name] for name in _ENDING if hasattr(signal, name)]
"""What ends a process and can be caught."""
_said: list[int] = []
"""Where the child says that the answer is a clear allow: a pipe, or nowhere."""


def status_of(arguments: Sequence[str]) -> int:
    """The status that a command line asks for; 0 where it asks for none."""
    if next((one for one in arguments if not one.startswith("-")), "") != "authorize":
        return 0
    status = 0
    for index, argument in enumerate(arguments):
        name, has_value, value = argument.partition("=")
        if name == OPTION:
            status = _number(value if has_value else next(iter(arguments[index + 1 :]), ""))
    return status


def allowed() -> None:
    """Say that the answer is a clear allow. What else ends well is none."""
    for pipe in _said:
        os.write(pipe, _ALLOWED)


def supervised(status: int) -> None:
    """Return in a child that asks. This process ends with 0 where the answer is a clear allow, else with `status`."""
    if not hasattr(os, "fork"):
        _end(status, f"{OPTION} needs an operating system with fork, such as Linux or macOS")
    try:
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        answer, say = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(answer)
            _said.append(say)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            return
        os.close(say)
        _end_at_signals(child, status)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        _, ended = os.waitpid(child, 0)
        _end(status, _why_not(ended, os.read(answer, len(_ALLOWED))))
    except BaseException as error:  # noqa: BLE001  # nothing that goes wrong here may let an action go on
        _end(status, f"the command failed: {type(error).__name__}")


def _number(text: str) -> int:
    is_status = text.isascii() and text.isdecimal() and len(text) <= len("255") and 1 <= int(text) <= 255  # noqa: PLR2004
    return int(text) if is_status else DEFAULT


def _why_not(ended: int, said: bytes) -> str:
    """Why the child's end is not a clear allow; empty where it is one."""
    status = os.waitstatus_to_exitcode(ended)
    if status < 0:
        return f"the command was ended by {signal.Signals(-status).name} before it had an answer"
    if status != 0:
        return "only a clear allow lets the action go on"
    return "" if said == _ALLOWED else "the command asked for no decision that counts"


def _end_at_signals(child: int, status: int) -> None:
    def end(number: int, _: FrameType | None) -> NoReturn:
        with suppress(OSError):
            os.kill(child, signal.SIGKILL)
        _end(status, f"{signal.Signals(number).name} came before there was an answer")

    for each in _SIGNALS:
        signal.signal(each, end)


def _end(status: int, why_not: str) -> NoReturn:
    """End at once: nothing that Python does at its end may change the status."""
    if why_not:
        with suppress(OSError):
            os.write(2, f"blocked: {why_not}\n".encode())
    os._exit(status if why_not else 0)

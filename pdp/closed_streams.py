"""Standard streams that were closed when the process began, as by `>&-`."""

import os
import sys


def replace() -> None:
    """Let each closed one be the null device, so that no other file takes its number.

    Notes go nowhere then. A result that is written fails, as on a full disk: it would be lost. Call this before
    anything opens a file.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # the lowest free number is taken, which is this one
            os.open(os.devnull, os.O_RDONLY if name == "stdout" else os.O_RDWR)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115  # for the process's life

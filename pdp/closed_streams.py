"""Standard streams that were closed when the process began, as by `>&-`."""

import os
import sys


def replace() -> None:
    """Let each closed one be the null device: its number is taken by no other file, and what is written goes nowhere.

    Call this before anything opens a file.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115  # for the process's life

"""Becomes a command that dies with the process that started it: `python die_with_parent.py PARENT COMMAND ...`.

It is run by its path in an isolated interpreter, which costs 15 ms. A `preexec_fn` would do the same between fork and
exec, but there Python can deadlock if the parent has threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""An option of prctl(2) that survives execve(2). Only Linux has it; elsewhere a killed parent leaves its children."""


def main(parent: int, command: list[str]) -> None:
    """Replace this process by `command`. The kernel kills it when the thread that started it is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent died before the call above
            sys.exit(1)
    try:
        os.execv(command[0], command)  # noqa: S606  # no shell is the point
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])

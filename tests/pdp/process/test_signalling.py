"""A signal to a process that has just ended leaves its exit status to who waits for it."""

import os
import signal
import subprocess
import sys

from pdp.process.signalling import send


def test_signal_takes_no_exit_status_away() -> None:
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", "raise SystemExit(7)"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    send(process, signal.SIGCONT)
    assert process.returncode is None
    assert process.wait() == 7
    send(process, signal.SIGCONT)

"""The kernels without the compiler, and with every index checked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KERNELS = Path(__file__).parent / "kernels"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", ["NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"])
def test_kernels_pass_in_mode(mode):
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, str(KERNELS)],
        env=os.environ | {mode: "1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()[-3000:]

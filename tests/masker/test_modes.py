"""The kernels without the compiler, and with every index checked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KERNELS = ["test_siv.py", "test_fpe.py", "test_text.py", "test_date.py", "test_number.py"]
HEAVY = ("65536", "65535", "many_lanes", "permuted", "459", "every_shift", "takes")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", ["NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"])
def test_kernels_pass_in_mode(mode):
    chosen = ["-k", " and ".join(f"not {name}" for name in HEAVY)] if mode == "NUMBA_DISABLE_JIT" else []
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *chosen]
    done = subprocess.run(
        [*command, *(str(Path(__file__).parent / name) for name in KERNELS)],
        env=os.environ | {mode: "1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()[-3000:]

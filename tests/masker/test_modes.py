"""The kernels without the compiler, and with every index checked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KERNELS = ["test_siv.py", "test_fpe.py", "test_text.py", "test_date.py", "test_number.py"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", ["NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"])
def test_kernels_pass_in_mode(mode):
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *(str(Path(__file__).parent / name) for name in KERNELS)],
        env=os.environ | {mode: "1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()[-3000:]


WARM = """
import gc, masker, pyarrow as pa
from numba.core.dispatcher import Dispatcher
from tests.masker.conftest import ring
from tests.masker.test_mask import DOMAINS, TWINS
def compiled():
    return sum(len(each.overloads) for each in gc.get_objects() if isinstance(each, Dispatcher))
values = ["a@b.de", "1234-5678"]
names = [name for name in TWINS if name not in ("zip3", "network")]
table = pa.table({name: values for name in names})
rules = [{"column": name, **TWINS[name][0]} for name in names]
ready = masker.Masker(masker.plan(table.schema, rules, DOMAINS, key_version=1), ring("active"))
ready.warm()
before = compiled()
ready.table(table)
assert before == compiled() > 10, (before, compiled())
"""


@pytest.mark.timeout(300)
def test_a_warm_plan_compiles_nothing_more():
    done = subprocess.run([sys.executable, "-c", WARM], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]

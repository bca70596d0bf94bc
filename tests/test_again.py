"""What failed beside others runs once more, and fails where it fails alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.again import FAILED, FEW, main

IT = """
import pytest

def test_good(): pass

def test_bad(): assert not 1

@pytest.mark.parametrize("number", range(100))
def test_many(number): pass
"""


@pytest.mark.parametrize(
    ("failed", "status"),
    [
        ([], 1),
        (["test_it.py::test_good"], 0),
        (["test_it.py::test_good", "test_it.py::test_bad"], 1),
        ([f"test_it.py::test_many[{number}]" for number in range(FEW + 1)], 0),
    ],
)
def test_few_run_again_alone(tmp_path: Path, failed: list[str], status: int) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(IT)
    (tmp_path / FAILED).parent.mkdir(parents=True)
    (tmp_path / FAILED).write_text(json.dumps(dict.fromkeys(failed, True)))
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-m", "tests.again"], cwd=tmp_path, env=here, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    assert all(name in done.stdout for name in failed)


def test_many_are_broken_and_do_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main() == 1
    FAILED.parent.mkdir(parents=True)
    FAILED.write_text(json.dumps({f"test_{number}.py::test_it": True for number in range(FEW + 1)}))
    assert main() == 1

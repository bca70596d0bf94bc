"""A command that shows whether a test bites ends in time, whatever it starts."""

import os
import re
import select
import subprocess
from pathlib import Path

import pytest

from tests.bite.__main__ import FAILED, HERE, HUNG, ROOT, run
from tests.bite.__main__ import test as named_by

LONG = "sleep 60"


def bash(line: str, seconds: float) -> "subprocess.CompletedProcess[str]":
    return run(["bash", "-c", line], Path.cwd(), seconds)


def test_what_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    reader = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert bash(f"exec 9> {alive}; echo held >&9; {LONG} & {LONG}", 0.5).returncode == HUNG
        assert os.read(reader, 10) == b"held\n"
        assert select.select([reader], [], [], 10)[0], "somebody still has it open"
    finally:
        os.close(reader)


def test_what_it_leaves_behind_is_not_waited_for() -> None:
    ended = bash("setsid sleep 3 & echo said; echo loud >&2; exit 1", 60)
    assert (ended.returncode, sorted(ended.stdout.split())) == (FAILED, ["loud", "said"])


@pytest.mark.parametrize("patch", sorted(HERE.glob("*.patch")), ids=lambda patch: patch.stem)
def test_patch_names_one_test_that_is_there(patch: Path) -> None:
    file, _, name = named_by(patch).partition("[")[0].partition("::")
    assert not name or re.search(rf"def {name}\(", (ROOT / file).read_text())

"""Byte strings come back sorted, whatever was spilled, merged, killed or cut between."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.audit.sorted_runs import Damaged, SortedRuns

BYTES = st.binary(max_size=12)
STEPS = st.lists(st.one_of(BYTES, st.sampled_from(["spill", "again", "die"])), max_size=60)


@settings(deadline=None, max_examples=60)  # files take their time
@given(steps=STEPS)
def test_it_equals_a_sorted_list_across_spills_resumes_and_deaths(steps: list[bytes | str]) -> None:
    """The naive twin is two lists: what is stored, and what is in memory and dies with the process."""
    with TemporaryDirectory() as name:
        folder, stored, memory = Path(name), list[bytes](), list[bytes]()
        kept: dict[str, int] = {}
        runs = SortedRuns(folder, fan_in=3)
        for step in steps:
            if isinstance(step, bytes):
                runs.add(step)
                memory.append(step)
                continue
            runs.spill()
            if step != "die":
                kept, stored, memory = dict(runs.runs), stored + memory, []
                runs.forget()
            if step != "spill":
                memory, runs = [], SortedRuns(folder, kept, fan_in=3)
        assert list(runs) == sorted(stored + memory)
        assert len(list(folder.iterdir())) <= 3 * 5


def test_it_is_full_after_so_many_bytes_and_empty_again(tmp_path: Path) -> None:
    runs = SortedRuns(tmp_path / "made", memory=1000)
    while not runs.full:
        runs.add(b"x" * 100)
    runs.spill()
    assert not runs.full
    assert list(runs) == [b"x" * 100] * 7
    runs.spill()
    assert len(runs.runs) == 1


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


@pytest.mark.parametrize("damage", [cut, Path.unlink])
def test_run_that_was_damaged_is_named(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    runs = SortedRuns(tmp_path)
    runs.add(b"one")
    runs.spill()
    [name] = runs.runs
    damage(tmp_path / name)
    with pytest.raises(Damaged, match=name):
        SortedRuns(tmp_path, runs.runs)


def test_full_disk_loses_nothing(tmp_path: Path) -> None:
    runs = SortedRuns(tmp_path / "folder")
    runs.add(b"one")
    runs.spill()
    runs.add(b"two")
    (tmp_path / "folder").rename(tmp_path / "away")
    (tmp_path / "folder").touch()  # nothing can be written there
    for _ in range(2):
        with pytest.raises(OSError, match="folder"):
            runs.spill()
    (tmp_path / "folder").unlink()
    (tmp_path / "away").rename(tmp_path / "folder")
    runs.spill()
    assert list(runs) == [b"one", b"two"]


def test_what_a_dead_process_left_goes(tmp_path: Path) -> None:
    runs = SortedRuns(tmp_path)
    runs.add(b"one")
    runs.spill()
    kept = dict(runs.runs)
    for name in ("0-00000007.run", "0-00000002.run.part"):
        (tmp_path / name).write_bytes(b"rest")
    assert list(SortedRuns(tmp_path, kept)) == [b"one"]
    assert {path.name for path in tmp_path.iterdir()} == set(kept)

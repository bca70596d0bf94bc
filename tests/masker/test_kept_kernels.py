"""Compiled kernels on disk: each test masks in processes of its own, as the next start of a server does."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from masker import kept_kernels

CODE = """
import json, pathlib, sys
import numpy as np
from masker.kept_kernels import keep_kernels
from masker.kernels.column import Fixed
from masker.kernels import Kernel, number
if later := sys.argv[2:]:
    pathlib.Path(later[0]).write_text("# other sources, while this process runs")
keep_kernels(pathlib.Path(sys.argv[1]))
text = number.numerals(Fixed(np.array([7, -123456, 2**62]), np.ones(3, np.bool_)))
kernels = [each.made for each in vars(number).values() if isinstance(each, Kernel)]
kernels = [each for each in kernels if hasattr(each, "stats")]
hits = sum(sum(each.stats.cache_hits.values()) for each in kernels)
print(json.dumps([text.data.tobytes().decode().rstrip(chr(0)), hits, sum(len(each.overloads) for each in kernels)]))
"""
VALUES = "7-1234564611686018427387904"


def started(folder, *later, tree=".", **settings):
    command = [sys.executable, "-c", CODE, str(folder), *map(str, later)]
    return subprocess.Popen(command, cwd=tree, env=os.environ | settings, stdout=subprocess.PIPE)


def ended(process):
    said, _ = process.communicate(timeout=100)
    assert process.returncode == 0
    return json.loads(said)


def masked(folder, *later, **where):
    """Return the values, how many kernels came from the folder, and how many were used."""
    return ended(started(folder, *later, **where))


def kept(folder):
    return sorted(file for each in folder.glob("kernels-*") for file in each.iterdir())


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A folder that two processes filled at once."""
    folder = tmp_path_factory.mktemp("filled")
    for process in [started(folder), started(folder)]:
        values, _, used = ended(process)
        assert (values, used > 0) == (VALUES, True)
    return folder


@pytest.fixture
def folder(filled, tmp_path):
    return Path(shutil.copytree(filled, tmp_path / "cache"))


@pytest.fixture
def tree(tmp_path):
    """The sources, to change."""
    shutil.copytree("masker", tmp_path / "tree" / "masker", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "tree"


def test_next_process_compiles_nothing_and_gives_the_same(folder):
    values, from_folder, used = masked(folder)
    assert (values, from_folder) == (VALUES, used)
    assert not [file for file in kept(folder) if file.stat().st_mode & 0o077]


def test_damaged_kernel_is_compiled_again(folder):
    cut, changed = kept(folder)
    cut.write_bytes(cut.read_bytes()[:-1])
    held = bytearray(changed.read_bytes())
    held[len(held) // 2] ^= 1
    changed.write_bytes(held)
    assert masked(folder)[:2] == [VALUES, 0]
    assert masked(folder) == [VALUES, 2, 2]


def test_folder_that_others_may_enter_is_not_used(folder):
    [kernels] = folder.glob("kernels-*")
    kernels.chmod(0o750)
    before = [file.stat().st_mtime_ns for file in kept(folder)]
    assert masked(folder)[:2] == [VALUES, 0]
    assert [file.stat().st_mtime_ns for file in kept(folder)] == before


def test_other_settings_of_the_compiler_are_other_kernels(folder):
    assert masked(folder, NUMBA_BOUNDSCHECK="1")[:2] == [VALUES, 0]
    assert len(list(folder.glob("kernels-*"))) == 2


def test_change_of_what_a_kernel_inlines_is_another_kernel(folder, tree):
    with (tree / "masker" / "kernels" / "word.py").open("a") as file:
        file.write("# another line\n")
    assert masked(folder, tree=tree)[:2] == [VALUES, 0]
    assert len(list(folder.glob("kernels-*"))) == 2


def test_process_whose_sources_were_replaced_keeps_nothing(tmp_path, tree):
    assert masked(tmp_path, tree / "masker" / "kernels" / "word.py", tree=tree)[:2] == [VALUES, 0]
    assert kept(tmp_path) == []


def test_oldest_kernels_make_room_for_new_ones(tmp_path):
    for age in range(kept_kernels.FOLDERS + 1):
        (tmp_path / f"kernels-{age}").mkdir()
        os.utime(tmp_path / f"kernels-{age}", (age, age))
    (tmp_path / "opa").write_bytes(b"")
    kept_kernels._forget_oldest(tmp_path)
    kept_folders = {f"kernels-{age}" for age in range(2, kept_kernels.FOLDERS + 1)}
    assert {each.name for each in tmp_path.iterdir()} == kept_folders | {"opa"}

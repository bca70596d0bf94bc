"""Outputs: modes, links, pipes, and nothing left behind whatever ends the process."""

import os
import signal
import stat
import subprocess
import sys
import threading

import pyarrow as pa
import pytest

from masker.arrow import targets
from masker.arrow.sinks import Sink
from masker.errors import FileRefused

SCHEMA = pa.schema([("a", pa.string())])
BATCH = pa.record_batch({"a": ["x"]}, SCHEMA)
WRITES = """
import sys, pyarrow as pa
from masker.arrow.sinks import Sink
if "hidden" in sys.argv: import os; del os.O_TMPFILE
schema = pa.schema([("a", pa.string())])
with Sink(sys.argv[1], schema) as sink:
    sink.write(pa.record_batch({"a": ["x" * 100_000]}, schema))
    print("written", flush=True)
    sys.stdin.read()
"""


def write(path, form=""):
    with Sink(str(path), SCHEMA, form) as sink:
        sink.write(BATCH)


@pytest.fixture(params=["without a name", "hidden"])
def way(request, monkeypatch):
    """Both ways in which a file is made."""
    if request.param == "hidden":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_new_files_follow_the_umask_and_old_ones_keep_their_mode(tmp_path, umask):
    (tmp_path / "old.csv").write_text("before")
    (tmp_path / "old.csv").chmod(0o640)
    before = os.umask(umask)
    try:
        write(tmp_path / "new.csv")
        write(tmp_path / "old.csv")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    new = 0o666 & ~umask
    assert modes == {"new.csv": new, "new.csv.placet.json": new, "old.csv": 0o640, "old.csv.placet.json": new}


@pytest.mark.usefixtures("way")
def test_a_link_is_followed(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "x.csv").symlink_to("there/y.csv")
    write(tmp_path / "x.csv")
    write(tmp_path / "x.csv")
    assert (tmp_path / "x.csv").is_symlink()
    assert (tmp_path / "there" / "y.csv").read_text() == "a\nx\n"


@pytest.mark.parametrize("form", ["csv", "arrows", "parquet"])
def test_a_fifo_is_written_through(tmp_path, form):
    os.mkfifo(tmp_path / f"x.{form}")
    got = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / f"x.{form}").read_bytes()))
    reader.start()
    write(tmp_path / f"x.{form}")
    reader.join()
    assert len(got[0]) > 3
    assert [path.name for path in tmp_path.iterdir()] == [f"x.{form}"]


@pytest.mark.usefixtures("way")
def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(FileRefused, match=r"x\.csv cannot be written: No such file"):
        write(tmp_path / "nowhere" / "x.csv")
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(FileRefused, match=r"x\.csv"):
        write(tmp_path / "x.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_leaves_nothing(tmp_path, number):
    with subprocess.Popen(
        [sys.executable, "-c", WRITES, tmp_path / "x.parquet"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"written\n"
        process.send_signal(number)
    assert not list(tmp_path.iterdir())


def test_hidden_files_are_known_and_removed(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    made = targets.NewFile(str(tmp_path / "x.csv"))
    assert [path.name[:7] for path in tmp_path.iterdir()] == [".x.csv."]
    targets.discard_unfinished()
    assert not list(tmp_path.iterdir())
    made.close()

"""An input that is read twice: a file as it stands, a pipe from a copy of which nothing is left."""

import os
import stat
import tempfile
import threading
from pathlib import Path

import pytest
import typer

from pdp.cli import exit_code
from pdp.cli.rereading import reopened
from pdp.cli.scope import Scope

ROWS = [{"a": "1", "b": "x"}, {"a": "2", "b": None}]
TEXT = b"a,b\n1,x\n2,\n"
CSV = Scope(table="", form="csv")


def piped(path: Path, content: bytes) -> threading.Thread:
    os.mkfifo(path)
    writing = threading.Thread(target=lambda: path.write_bytes(content))
    writing.start()
    return writing


@pytest.mark.parametrize("is_pipe", [False, True])
async def test_input_can_be_read_again(tmp_path: Path, *, is_pipe: bool) -> None:
    path = tmp_path / "a.csv"
    writing = piped(path, TEXT) if is_pipe else None
    if writing is None:
        path.write_bytes(TEXT)
    async with reopened(str(path), CSV) as opened:
        for _ in range(3):
            with opened() as source:
                assert [row for batch in source.batches() for row in batch.to_pylist()] == ROWS
    if writing is not None:
        writing.join()


async def test_copy_has_no_name_and_only_the_owner_may_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    writing = piped(tmp_path / "a.csv", TEXT)
    async with reopened(str(tmp_path / "a.csv"), CSV):
        assert not list((tmp_path / "tmp").iterdir())
        copies = [link.stat() for link in Path("/proc/self/fd").iterdir() if is_in(link, tmp_path / "tmp")]
        assert [stat.S_IMODE(copy.st_mode) for copy in copies] == [0o600]
    writing.join()


def is_in(link: Path, folder: Path) -> bool:
    try:
        return str(folder) in str(link.readlink())
    except OSError:  # the descriptor of the listing is closed by now
        return False


async def test_where_there_is_no_room_for_the_copy_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(typer.Exit) as refused:
        async with reopened(str(tmp_path / "a.csv"), CSV):
            pass
    assert refused.value.exit_code == exit_code.USAGE
    assert "TMPDIR names another folder" in capsys.readouterr().err

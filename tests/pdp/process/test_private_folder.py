"""The folder of a running server: nothing cleans it, and a server whose folder was removed ends."""

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pdp.errors import SetupError
from pdp.process import private_folder
from pdp.process.private_folder import PREFIX, require_kept

CLEANS = """
import fcntl, os, sys
fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
"""
"""What systemd-tmpfiles does before it removes what is old in a folder."""


def test_a_cleaner_finds_it_locked_and_only_this_user_enters_it() -> None:
    with private_folder.private_folder() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        tried = subprocess.run([sys.executable, "-c", CLEANS, folder], check=False, capture_output=True, text=True)
        assert "BlockingIOError" in tried.stderr
    assert not folder.exists()


def test_what_a_killed_server_left_is_removed_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, young, other = (tmp_path / name for name in (f"{PREFIX}left", f"{PREFIX}young", "placet-verify-x"))
    for folder in (left, young, other):
        folder.mkdir()
        (folder / "order.json").touch()
    (tmp_path / f"{PREFIX}link").symlink_to(other)
    with private_folder.private_folder() as running:
        for folder in (left, other, running):
            os.utime(folder, (1, 1))
        with private_folder.private_folder() as beside:
            found = {path.name for path in tmp_path.iterdir()}
    assert found == {running.name, beside.name, young.name, other.name, f"{PREFIX}link"}
    assert (other / "order.json").exists()


def test_folder_that_is_gone_ends_in_peace() -> None:
    with private_folder.private_folder() as folder:
        folder.rmdir()
    assert not folder.exists()


async def test_server_whose_folder_was_removed_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_folder, "LOOK_SECONDS", 0.01)
    with private_folder.private_folder() as folder:
        file = folder / "bundle"
        file.touch()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await require_kept(file)
        file.unlink()
        with pytest.raises(SetupError, match="was removed, so the server ends; start it again"):
            await asyncio.wait_for(require_kept(file), 5)

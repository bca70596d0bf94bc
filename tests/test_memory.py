"""What tests keep in memory goes with them, and with the next run where they were killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import memory


def test_a_folder_is_gone_after_its_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MEMORY", tmp_path)
    monkeypatch.setattr(memory, "ROOM", 0)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    killed = tmp_path / f"{memory.PREFIX}{ended.pid}-x"
    killed.mkdir()
    with memory.in_memory(Path("elsewhere")) as first, memory.in_memory(Path("elsewhere")) as second:
        assert set(tmp_path.iterdir()) == {first, second}
    assert not list(tmp_path.iterdir())


def test_without_room_it_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "ROOM", 2**60)
    with memory.in_memory(tmp_path) as folder:
        assert folder == tmp_path

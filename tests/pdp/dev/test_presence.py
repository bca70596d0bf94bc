"""Where stacks run: one stack a folder, found by its user alone, and forgotten once it is dead."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pdp.dev import presence
from pdp.environment import Environment
from pdp.errors import SetupError

HOLDS = """
import sys, time
from pathlib import Path
from pdp.dev import presence
with presence.claimed(Path(sys.argv[1])) as claim, presence.announced(Path(sys.argv[1])):
    claim.serves(sys.argv[2])
    print("holds", flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.delenv("PDP_STATE", raising=False)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def others() -> Iterator[ExitStack]:
    with ExitStack() as processes:
        yield processes


def held(others: ExitStack, state: Path, address: str) -> "subprocess.Popen[str]":
    """Another process that runs a stack on this folder."""
    command = [sys.executable, "-c", HOLDS, str(state), address]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    others.callback(process.wait)
    others.callback(process.kill)
    assert process.stdout is not None
    others.callback(process.stdout.close)
    assert process.stdout.readline() == "holds\n"
    return process


def meant(address: str = "", **variables: str) -> tuple[Path, str]:
    return presence.meant(Environment.read({**os.environ, **variables}), address)


def test_a_folder_has_one_stack_and_a_second_is_told_where_it_runs(tmp_path: Path, others: ExitStack) -> None:
    first = held(others, tmp_path / "s", "127.0.0.1:4771")
    with pytest.raises(SetupError) as refused, presence.claimed(tmp_path / "s"):
        pass
    assert refused.value.sentence == (
        f"a `pdp dev` runs on {tmp_path}/s already, process {first.pid}, on 127.0.0.1:4771; use it with --as, end it "
        "with Ctrl-C in its terminal, or start another with --state DIR"
    )


def test_a_dead_stack_counts_for_nothing(tmp_path: Path, runtime: Path, others: ExitStack) -> None:
    process = held(others, tmp_path / "s", "127.0.0.1:4771")
    assert [stack.pid for stack in presence.stacks()] == [process.pid]
    process.kill()
    process.wait()
    assert (tmp_path / "s" / presence.FILE).read_text()  # it had no time to tidy up
    assert presence.running(tmp_path / "s") is None
    assert presence.stacks() == []
    assert list((runtime / "placet").iterdir()) == []
    with presence.claimed(tmp_path / "s"):
        pass


def test_as_means_the_only_stack_from_everywhere(tmp_path: Path, others: ExitStack) -> None:
    assert meant() == (Path(".placet"), "")
    held(others, tmp_path / "one", "127.0.0.1:4771")
    assert meant() == (tmp_path / "one", "127.0.0.1:4771")
    assert meant(PDP_STATE="elsewhere") == (Path("elsewhere"), "")
    assert meant(PDP_STATE=str(tmp_path / "one")) == (tmp_path / "one", "127.0.0.1:4771")
    assert meant("127.0.0.1:9") == (Path(".placet"), "")


def test_of_several_the_one_here_or_at_the_address_is_meant(tmp_path: Path, others: ExitStack) -> None:
    held(others, tmp_path / "one", "127.0.0.1:4771")
    held(others, tmp_path / "two", "127.0.0.1:4772")
    with pytest.raises(SetupError) as several:
        meant()
    assert f"PDP_STATE={tmp_path}/one  at 127.0.0.1:4771" in several.value.sentence
    assert f"PDP_STATE={tmp_path}/two  at 127.0.0.1:4772" in several.value.sentence
    assert meant("127.0.0.1:4772") == (tmp_path / "two", "127.0.0.1:4772")
    held(others, tmp_path / ".placet", "127.0.0.1:4773")
    assert meant() == (Path(".placet"), "127.0.0.1:4773")


def test_an_address_that_another_stack_has_is_named_with_it(tmp_path: Path, others: ExitStack) -> None:
    process = held(others, tmp_path / "one", "127.0.0.1:4771")
    presence.refuse_taken("127.0.0.1:4772")
    with pytest.raises(SetupError, match=rf"the `pdp dev` of {tmp_path}/one, process {process.pid}, listens on"):
        presence.refuse_taken("127.0.0.1:4771")


def test_what_others_can_write_is_not_believed(tmp_path: Path, runtime: Path, others: ExitStack) -> None:
    held(others, tmp_path / "one", "127.0.0.1:4771")
    folder = runtime / "placet"
    folder.chmod(0o777)
    assert presence.stacks() == []
    folder.rename(runtime / "moved")
    (runtime / "moved").chmod(0o700)
    folder.symlink_to(runtime / "moved")
    assert presence.stacks() == []
    folder.unlink()
    (runtime / "moved").rename(folder)
    assert len(presence.stacks()) == 1


def test_a_runtime_folder_of_others_is_not_used(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch, others: ExitStack
) -> None:
    """As under sudo, where the variable names the folder of another user."""
    runtime.chmod(0o755)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)
    held(others, tmp_path / "one", "127.0.0.1:4771")
    (folder,) = temporary.iterdir()
    assert folder.name == f"placet-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(presence.stacks()) == 1


@pytest.mark.parametrize("content", ["", "[]", "{", '{"state": 3}', '{"state": "/nowhere"}', "\0"])
def test_a_note_that_says_nothing_is_removed(runtime: Path, content: str) -> None:
    (runtime / "placet").mkdir(mode=0o700)
    (runtime / "placet" / "x.json").write_text(content)
    assert presence.stacks() == []
    assert list((runtime / "placet").iterdir()) == []

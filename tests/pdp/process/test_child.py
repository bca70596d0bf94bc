"""A child that is kept running: healthy, restarted with growing pauses, told of, and never left behind."""

import asyncio
import os
import signal
import sys
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from pdp.errors import SetupError
from pdp.process.child import KEPT_LINES, Child

WELL = """
import time
print("begun", flush=True)
time.sleep(60)
"""


class Script(Child):
    """A Python program; healthy once it has printed `begun`."""

    name = "the script"
    start_seconds = 5.0
    stop_seconds = 0.5

    def __init__(self, text: str, said: list[str], **variables: str) -> None:
        command = (sys.executable, "-I", "-c", textwrap.dedent(text))
        super().__init__(command, say=said.append, variables=variables)
        self.heard: list[str] = []
        self.prepared = 0

    def prepare(self) -> None:
        self.prepared += 1
        self.heard.clear()

    def hear(self, line: str) -> None:
        self.heard.append(line)

    async def healthy(self) -> None:
        await until(lambda: "begun" in self.heard)


@pytest.fixture
def said() -> list[str]:
    return []


async def until(claim: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not claim():
            await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_runs_from_start_to_stop_and_is_gone_afterwards(said: list[str]) -> None:
    child = Script(WELL, said)
    assert child.pid == 0
    async with child:
        pid = child.pid
        assert is_alive(pid)
        assert os.getsid(pid) == pid  # Ctrl-C does not reach it
    assert not is_alive(pid)
    assert said == []
    await child.stop()


async def test_its_environment_is_what_it_is_given(said: list[str]) -> None:
    async with Script(
        "import os\nprint('begun', sorted(os.environ), flush=True)\nprint('begun', flush=True)\n" + WELL,
        said,
        ONLY="this",
    ) as child:
        assert "PATH" not in child.heard[0]
        assert "'ONLY'" in child.heard[0]


async def test_ended_it_is_started_again_with_another_pid(said: list[str]) -> None:
    async with Script(WELL, said) as child:
        pid = child.pid
        os.kill(pid, signal.SIGKILL)
        await until(lambda: len(said) == 2)
        assert child.pid != pid
        assert is_alive(child.pid)
        assert child.prepared == 2
    assert "SIGKILL" in said[0]
    assert "runs again" in said[1]


async def test_pauses_grow_and_its_last_words_are_told_while_it_ends_again(said: list[str], tmp_path: Path) -> None:
    flag = tmp_path / "broken"
    text = f"import pathlib, sys\nif pathlib.Path({str(flag)!r}).exists():\n    sys.exit('no room')\n"
    async with Script(text + WELL, said) as child:
        flag.touch()
        os.kill(child.pid, signal.SIGKILL)
        await until(lambda: len(said) == 3)
        flag.unlink()
        await until(lambda: "runs again" in said[-1])
    pauses = [float(line.split(" in ")[1].split(" s")[0]) for line in said[:3]]
    assert pauses == [0.1, 0.2, 0.4]
    assert "no room" not in said[0]
    assert "exit status 1" in said[1]
    assert "no room" in said[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import sys\nprint('no disk')\nsys.exit(3)", ["exit status 3", "no disk"]),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)", ["SIGTERM"]),
    ],
)
async def test_child_that_ends_before_it_is_healthy_is_an_error_in_its_own_words(
    said: list[str], text: str, words: Iterable[str]
) -> None:
    child = Script(text, said)
    with pytest.raises(SetupError) as refused:
        await child.start()
    assert all(word in refused.value.sentence for word in ("the script", *words))
    assert not is_alive(child.pid)


async def test_child_that_is_never_healthy_is_ended(said: list[str]) -> None:
    child = Script("import time\nprint('waits', flush=True)\ntime.sleep(60)", said)
    child.start_seconds = 0.5
    with pytest.raises(SetupError, match="waits"):
        await child.start()
    assert not is_alive(child.pid)


async def test_start_that_is_cancelled_leaves_nothing(said: list[str]) -> None:
    child = Script("import time\ntime.sleep(60)", said)
    start = asyncio.create_task(child.start())
    await until(lambda: child.pid != 0)
    start.cancel()
    await asyncio.wait({start})
    assert not is_alive(child.pid)


@pytest.mark.parametrize("how", ["deaf", "held"])
async def test_child_that_does_not_listen_is_killed(said: list[str], how: str) -> None:
    deaf = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" if how == "deaf" else ""
    async with Script(deaf + WELL, said) as child:
        pid = child.pid
        if how == "held":
            os.kill(pid, signal.SIGSTOP)
    assert not is_alive(pid)


async def test_last_lines_are_kept_and_long_ones_come_in_pieces(said: list[str]) -> None:
    text = f"print('x' * 200_000)\nprint(b'\\xff'.decode('latin-1'))\nfor n in range({KEPT_LINES}):\n    print(n)\n"
    async with Script(text + WELL, said) as child:
        assert sum(map(len, child.heard)) > 200_000
        assert max(map(len, child.heard)) < 200_000
        assert list(child.last_lines())[-2:] == [str(KEPT_LINES - 1), "begun"]
        assert len(list(child.last_lines())) == KEPT_LINES


async def test_command_that_cannot_run_is_an_error(said: list[str]) -> None:
    child = Script(WELL, said)
    child._command = ("/no/such/program",)
    with pytest.raises(SetupError, match="No such file"):
        await child.start()
    await child.stop()

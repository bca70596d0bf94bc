"""OPA as a supervised child, with the real binary."""

import asyncio
import errno
import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import pytest

from pdp.environment import Environment
from pdp.errors import SetupError
from pdp.opa import memory
from pdp.opa.process import LONGEST_SOCKET_BYTES, OpaProcess, answers
from pdp.opa.queries import Opa
from pdp.process import toolcache


@pytest.fixture(scope="module")
def binary() -> Path:
    return toolcache.opa(Environment.read().tool_cache)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short one: pytest's own folders are too deep for a socket."""
    with TemporaryDirectory(prefix="placet-") as name:
        Path(name, "bundle").mkdir()
        yield Path(name)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
async def opa(binary: Path, folder: Path, said: list[str]) -> AsyncIterator[OpaProcess]:
    build(binary, folder, "one")
    process = OpaProcess(
        binary,
        folder / "bundle" / "bundle.tar.gz",
        folder / "opa.sock",
        say=said.append,
        reloaded=lambda error: said.append(f"reload: {error}"),
    )
    async with process:
        assert said == ["reload: "]
        said.clear()
        yield process


def build(binary: Path, folder: Path, answer: str, policy: str = "") -> None:
    (folder / "source").mkdir(exist_ok=True)
    (folder / "source" / "answer.rego").write_text(policy or f'package answer\n\nis := "{answer}"\n')
    subprocess.run([binary, "build", "-b", "source", "-o", "new.tar.gz"], cwd=folder, check=True)
    (folder / "new.tar.gz").replace(folder / "bundle" / "bundle.tar.gz")


async def answer(opa: OpaProcess, **asked: str) -> str:
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(opa.socket))) as session,
        session.post("http://opa/v1/data/answer/is", json={"input": asked}) as response,
    ):
        return str((await response.json())["result"])


async def until(claim: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not claim():
            await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


async def test_answers_once_it_is_started(opa: OpaProcess, said: list[str]) -> None:
    assert await answers(opa.socket)
    assert await answer(opa) == "one"
    assert said == []


PRINTS = 'package answer\n\nis := "one" if {\n\tprint("it is", input.word)\n}\n'


async def test_what_a_policy_prints_stays_out_of_the_log(
    binary: Path, folder: Path, said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    build(binary, folder, "one", PRINTS)
    bundle, socket = folder / "bundle" / "bundle.tar.gz", folder / "opa.sock"
    with caplog.at_level(logging.DEBUG, logger="opa"):
        async with OpaProcess(binary, bundle, socket, say=said.append) as opa:
            assert await answer(opa, word="canary7f3a") == "one"
            await until(lambda: any("canary7f3a" in line for line in printed(opa)))
    assert "canary7f3a" not in "\n".join((caplog.text, *said))
    assert "Initializing server." in caplog.text
    assert {record.name for record in caplog.records} >= {"opa"}


async def test_opa_that_hangs_is_started_again(
    binary: Path, folder: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pdp.opa.process.ALIVE_SECONDS", 0.3)
    build(binary, folder, "one")
    async with OpaProcess(binary, folder / "bundle" / "bundle.tar.gz", folder / "opa.sock", say=said.append) as opa:
        hung = opa.pid
        await asyncio.sleep(0.5)
        os.kill(hung, signal.SIGSTOP)
        await until(lambda: "OPA runs again" in said)
        assert opa.pid != hung
        assert await answer(opa) == "one"
    assert "OPA has not answered for" in said[0]


async def test_what_go_says_of_a_query_that_was_given_up_is_no_error(
    opa: OpaProcess, caplog: pytest.LogCaptureFixture
) -> None:
    [one] = opa._running
    caplog.clear()
    with caplog.at_level(logging.DEBUG, logger="opa"):
        one.hear("2026/11/30 22:02:40 http: superfluous response.WriteHeader call from a/b.(*c).D (e.go:289)")
        one.hear("panic: broken")
    assert [record.levelno for record in caplog.records] == [logging.DEBUG, logging.ERROR]


def printed(opa: OpaProcess) -> list[str]:
    """The last lines that the OPA in force wrote."""
    return [line for one in opa._running for line in one._output]


async def test_socket_is_for_this_user_alone(opa: OpaProcess) -> None:
    assert opa.socket.stat().st_mode & 0o077 == 0


async def test_its_environment_has_nothing_of_ours(opa: OpaProcess) -> None:
    variables = Path(f"/proc/{opa.pid}/environ").read_text()
    found = dict(variable.split("=") for variable in variables.strip("\0").split("\0"))
    assert int(found.pop("GOMEMLIMIT")) == memory.limit(opa._bundle)
    assert found.items() <= {"GOGC": "800", "GOMAXPROCS": "1", "LC_CTYPE": "C.UTF-8", "TZ": "UTC"}.items()


async def test_larger_data_gets_more_memory(opa: OpaProcess, binary: Path, folder: Path) -> None:
    (folder / "source" / "data.json").write_text(f'{{"large": "{"x" * 3_000_000}"}}')
    build(binary, folder, "two")
    while await answer(opa) != "two":
        await asyncio.sleep(0.1)
    limit = memory.limit(folder / "bundle" / "bundle.tar.gz")
    assert limit > memory.BASE_BYTES + memory.TIMES * 3_000_000
    assert f"GOMEMLIMIT={limit}" in Path(f"/proc/{opa.pid}/environ").read_text()


async def test_a_replaced_bundle_is_loaded(opa: OpaProcess, binary: Path, folder: Path, said: list[str]) -> None:
    build(binary, folder, "two")
    await until(lambda: "reload: " in said)
    assert await answer(opa) == "two"


async def test_a_replaced_bundle_is_loaded_once_where_a_file_cannot_have_a_second_name(
    opa: OpaProcess, binary: Path, folder: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object) -> None:
        """As link(2) of a file system such as FAT."""
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)
    build(binary, folder, "two")
    await until(lambda: "reload: " in said)
    assert await answer(opa) == "two"
    build(binary, folder, "three")
    await until(lambda: said.count("reload: ") == len(("two", "three")))
    assert await answer(opa) == "three"
    await asyncio.sleep(0.5)  # it would be looked at five times
    assert said.count("reload: ") == len(("two", "three"))


async def test_what_was_asked_before_is_answered_by_the_policy_of_then(
    opa: OpaProcess, binary: Path, folder: Path
) -> None:
    """No question fails while the next OPA takes over, and none is answered by an older policy than one before it."""
    found: list[str] = []
    async with Opa(f"unix://{opa.socket}") as connection:
        url = f"{connection._client.root_url}/data/answer/is"

        async def ask() -> None:
            while found.count("two") < 50:
                began = len(found)
                found.append("")
                found[began] = (await connection._post(url, b'{"input":{}}', 5.0))["result"]

        before = opa.pid
        build(binary, folder, "two")
        await asyncio.gather(*(ask() for _ in range(8)))
        assert (await connection._post(url, b'{"input":{}}', 5.0))["result"] == "two"
        turned = found.index("two")
        assert set(found[turned + 8 :]) == {"two"}
        os.kill(before, signal.SIGKILL)
        assert (await connection._post(url, b'{"input":{}}', 5.0))["result"] == "two"


async def test_old_opa_is_gone_a_while_later(
    opa: OpaProcess, binary: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pdp.opa.process.LEAVING_SECONDS", 0.2)
    before = opa.pid
    build(binary, folder, "two")
    await until(lambda: opa.pid != before)
    await until(lambda: not alive(before))
    await until(
        lambda: {file.name for file in (folder / "bundle").iterdir()} == {".opa.sock.02.tar.gz", "bundle.tar.gz"}
    )
    assert await answer(opa) == "two"


async def test_last_good_bundle_is_loaded_after_a_crash(opa: OpaProcess, folder: Path, said: list[str]) -> None:
    (folder / "bad").write_text("not an archive")
    (folder / "bad").replace(folder / "bundle" / "bundle.tar.gz")
    await until(lambda: any("bundle read failed" in line for line in said))
    os.kill(opa.pid, signal.SIGKILL)
    await until(lambda: "OPA runs again" in said)
    assert await answer(opa) == "one"


async def test_a_bad_bundle_is_reported_and_the_last_good_one_kept(
    opa: OpaProcess, folder: Path, said: list[str]
) -> None:
    (folder / "bad").write_text("not an archive")
    (folder / "bad").replace(folder / "bundle" / "bundle.tar.gz")
    await until(lambda: any("bundle read failed" in line for line in said))
    assert await answer(opa) == "one"


async def test_killed_it_is_back_within_seconds(opa: OpaProcess, said: list[str]) -> None:
    killed = opa.pid
    os.kill(killed, signal.SIGKILL)
    await until(lambda: "OPA runs again" in said, seconds=5)
    assert opa.pid != killed
    assert "reload: " in said
    assert await answer(opa) == "one"
    assert said[0].startswith("OPA stopped (SIGKILL)")


async def test_that_it_will_not_stay_up_is_said_in_its_own_words(
    opa: OpaProcess, folder: Path, said: list[str]
) -> None:
    (folder / "bundle" / "bundle.tar.gz").write_text("not an archive")
    os.kill(opa.pid, signal.SIGKILL)
    await until(lambda: sum("bundle read failed" in line and "stopped" in line for line in said) > 1)
    assert not any("root privileges" in line for line in said)


async def test_a_bad_bundle_at_the_start_is_an_error_in_its_own_words(
    binary: Path, folder: Path, said: list[str]
) -> None:
    bundle = folder / "bundle" / "bundle.tar.gz"
    bundle.write_text("not an archive")
    opa = OpaProcess(binary, bundle, folder / "opa.sock", say=said.append)
    with pytest.raises(SetupError, match="bundle read failed"):
        await opa.start()
    assert (opa.pid, opa._running) == (0, [])


async def test_a_long_socket_path_is_refused_with_what_to_do(binary: Path, said: list[str]) -> None:
    with pytest.raises(SetupError, match="TMPDIR"):
        OpaProcess(binary, Path("bundle"), Path("/" + LONGEST_SOCKET_BYTES * "x"), say=said.append)


async def test_stopped_it_leaves_nothing(opa: OpaProcess) -> None:
    await opa.stop()
    assert not alive(opa.pid)
    assert not opa.socket.exists()
    await opa.stop()


async def test_a_process_that_is_held_is_stopped_all_the_same(opa: OpaProcess) -> None:
    os.kill(opa.pid, signal.SIGSTOP)
    started = time.monotonic()
    await opa.stop()
    assert not alive(opa.pid)
    assert time.monotonic() - started < 10


async def test_stopping_while_it_is_started_again_leaves_nothing(opa: OpaProcess, said: list[str]) -> None:
    os.kill(opa.pid, signal.SIGKILL)
    await until(lambda: bool(said))
    await opa.stop()
    assert not alive(opa.pid)


async def test_it_dies_with_a_parent_that_is_killed(binary: Path, folder: Path) -> None:
    build(binary, folder, "one")
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, binary, folder, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE
    )
    assert parent.stdout
    child = int(await parent.stdout.readline())
    assert alive(child)
    parent.kill()
    await parent.wait()
    await until(lambda: not alive(child), seconds=5)


PARENT = textwrap.dedent("""
    import asyncio, sys
    from pathlib import Path
    from pdp.opa.process import OpaProcess

    async def main(binary, folder):
        bundle, socket = folder / "bundle" / "bundle.tar.gz", folder / "opa.sock"
        async with OpaProcess(binary, bundle, socket, say=print) as opa:
            print(opa.pid, flush=True)
            await asyncio.Event().wait()

    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
""")


@pytest.mark.parametrize("odd", ["#", "?", "%", "%41", ":", " ", "a:b#c?d%e"])
async def test_folder_may_have_any_name(binary: Path, folder: Path, said: list[str], odd: str) -> None:
    """It is read again, too, when its bundle is replaced."""
    place = folder / odd
    (place / "bundle").mkdir(parents=True)
    build(binary, place, "one")
    process = OpaProcess(
        binary, place / "bundle" / "bundle.tar.gz", place / "opa.sock", say=said.append, reloaded=said.append
    )
    async with process, Opa(f"unix://{process.socket}") as connection:
        assert await connection.version()
        build(binary, place, "two")
        async with asyncio.timeout(10):
            while said != ["", ""]:
                await asyncio.sleep(0.01)

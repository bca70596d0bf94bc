"""A verification or an export that is killed, cut, out of room, or run twice loses nothing and says what to do."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pdp import keys
from pdp.authn.bearer import LEEWAY_SECONDS
from pdp.cli import progress
from pdp.dev import identity
from pdp.dev.stack import configuration
from pdp.process.mongod import MongodProcess
from tests.cli.terminal import PDP, Terminal
from tests.parts import Placet, placet
from tests.pdp.long_log import grow
from tests.tokens import claims, signed

WRITERS, BATCHES, RECORDS = 3, 40, 20
SMALL = "import pdp.audit.sorted_runs as runs; runs.MEMORY_BYTES = 20_000\n"
KILLED = (
    SMALL
    + """
import os
from pdp.cli import exporting, progress
exporting.SAVE_SECONDS = 0
write, left = progress.write, [{at}]
def killed(*arguments):
    left[0] -= 1
    if left[0] == 0:
        if {before}: os.kill(os.getpid(), 9)
        write(*arguments)
        os.kill(os.getpid(), 9)
    write(*arguments)
progress.write = killed
"""
)
MAIN = "\nimport runpy\nrunpy.run_module('pdp', run_name='__main__')"


def program(text: str) -> list[str]:
    return [sys.executable, "-c", text + MAIN]


@pytest.fixture(scope="module")
async def long(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server with a log that does not fit into the little memory of these tests."""
    config = configuration(state=state, listen="127.0.0.1:0", policy=(), mongodb_uri="none")
    async with placet(state, mongod.uri) as server:
        await grow(
            mongod.uri, server.database, keys.signing(keys.private_key(config.audit_key)), WRITERS, BATCHES, RECORDS
        )
        yield server


@pytest.fixture
def pdp(long: Placet, tmp_path: Path) -> Terminal:
    token = identity.token(long.state, "dana")
    return Terminal(tmp_path, {"PDP_ADDRESS": long.address, "PDP_TOKEN": token, "PDP_STATE": str(tmp_path / "own")})


def verified_records(said: str) -> int:
    return int(said.partition("intact: ")[2].split()[0])


@pytest.mark.parametrize(("at", "before"), [(1, True), (1, False), (4, True), (9, False)])
async def test_verification_that_is_killed_goes_on(pdp: Terminal, at: int, before: bool) -> None:  # noqa: FBT001
    killed = program(KILLED.format(at=at, before=before))
    assert (await pdp("audit", "verify", "--resume", "state", command=killed)).status == -signal.SIGKILL
    done = await pdp("audit", "verify", "--resume", "state", command=program(SMALL))
    assert done.status == 0, done.err
    assert verified_records(done.err) > WRITERS * BATCHES * RECORDS
    kept = json.loads((pdp.folder / "state").read_text())
    assert {path.name for path in (pdp.folder / "state.sorted").iterdir()} == set(kept["runs"])


@pytest.mark.parametrize(("at", "before"), [(2, True), (3, False)])
async def test_export_that_is_killed_goes_on_and_grows(pdp: Terminal, at: int, before: bool) -> None:  # noqa: FBT001
    killed = program(KILLED.format(at=at, before=before))
    command = ("audit", "export", "log.jsonl", "--resume", "state")
    assert (await pdp(*command, command=killed)).status == -signal.SIGKILL
    assert not (pdp.folder / "log.jsonl").exists()
    assert (await pdp(*command)).status == 0
    first = (pdp.folder / "log.jsonl").read_bytes()
    again = await pdp(*command)
    assert again.status == 0, again.err
    whole = (pdp.folder / "log.jsonl").read_bytes()
    assert whole.startswith(first)
    assert len(whole) > len(first)
    assert (await pdp("audit", "verify", "log.jsonl")).status == 0
    assert not (pdp.folder / "log.jsonl.part").exists()


async def test_disk_that_is_full_is_said_and_nothing_is_lost(pdp: Terminal) -> None:
    for command in (("verify", "--resume", "state"), ("export", "log.jsonl", "--resume", "other")):
        shell = ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", *program(SMALL)]
        full = await pdp("audit", *command, command=shell)
        assert full.status == 2
        assert "run the same command again" in full.err
        done = await pdp("audit", *command, command=program(SMALL))
        assert done.status == 0, done.err


async def test_two_at_one_time_are_refused(pdp: Terminal) -> None:
    with progress.alone(pdp.folder / "state"):
        for command in (("verify",), ("export", "log.jsonl")):
            done = await pdp("audit", *command, "--resume", "state")
            assert done.status == 1
            assert done.err.startswith("another command is using state; wait until it ends")


async def test_state_of_another_log_or_command_is_refused(pdp: Terminal) -> None:
    assert (await pdp("audit", "verify", "--resume", "state")).status == 0
    other = await pdp("audit", "export", "log.jsonl", "--resume", "state")
    assert other.status == 2
    assert "state is not a file that `pdp audit export --resume` wrote" in other.err
    kept = json.loads((pdp.folder / "state").read_text())
    (pdp.folder / "state").write_text(json.dumps({**kept, "realm": "prod"}))
    realm = await pdp("audit", "verify", "--resume", "state")
    assert realm.status == 2
    assert "state is about realm prod, and this server's is dev" in realm.err
    (pdp.folder / "state").write_text(json.dumps({**kept, "key": "another"}))
    assert "names the audit key another" in (await pdp("audit", "verify", "--resume", "state")).err
    (pdp.folder / "state").write_text(json.dumps(kept))
    for run in (pdp.folder / "state.sorted").iterdir():
        run.write_bytes(run.read_bytes()[:-1])
    damaged = await pdp("audit", "verify", "--resume", "state")
    assert damaged.status == 2
    assert "is not as it was written; begin again with another --resume file" in damaged.err


async def test_state_that_is_cut_or_of_another_version_is_refused(pdp: Terminal) -> None:
    state = pdp.folder / "state"
    (pdp.folder / "folder").mkdir()
    whole = json.dumps({"format": progress.FORMAT, "command": "verify", "realm": "dev", "key": "k"})
    for text in ("", whole[:-9], "[]", whole):
        state.write_text(text)
        done = await pdp("audit", "verify", "--resume", "state")
        assert done.status == 2
        assert done.err == "state is not a file that `pdp audit verify --resume` wrote; name another one\n"
    state.write_text(whole.replace("progress/v1", "progress/v2"))
    newer = await pdp("audit", "verify", "--resume", "state")
    assert newer.status == 2
    assert newer.err.startswith("another version of Placet wrote state; name another one")
    assert (await pdp("audit", "verify", "--resume", "folder")).err == "cannot read folder: Is a directory\n"


async def test_output_that_is_closed_full_or_not_a_file_is_said(pdp: Terminal) -> None:
    os.mkfifo(pdp.folder / "pipe")
    for name, resume in (("pipe", ()), ("pipe", ("--resume", "state"))):
        done = await pdp("audit", "export", name, *resume)
        assert (done.status, done.err) == (2, "pipe is not a file; name another one, or - for standard output\n")
    full = await pdp("audit", "export", "-", command=["sh", "-c", 'exec "$@" > /dev/full', "sh", *PDP])
    assert (full.status, full.err) == (2, "cannot write standard output: No space left on device\n")
    lost = await pdp("audit", "export", "-", command=["sh", "-c", 'exec "$@" >&-', "sh", *PDP])
    assert (lost.status, lost.err) == (2, "cannot write standard output: Bad file descriptor\n")
    closed = await pdp("audit", "verify", "--resume", "own", command=["sh", "-c", 'exec "$@" >&- <&-', "sh", *PDP])
    assert closed.status == 2  # the anchor that it prints is lost
    assert closed.err.startswith("intact: ")
    assert closed.err.endswith("cannot write standard output: Bad file descriptor\n")


async def test_options_that_do_not_go_together_are_refused(pdp: Terminal) -> None:
    done = await pdp("audit", "verify", "log.jsonl", "--resume", "state")
    assert (done.status, done.err) == (2, "--resume is for the live log; a file is read as a whole\n")
    done = await pdp("audit", "export", "-", "--resume", "state")
    assert (done.status, done.err) == (2, "--resume needs a FILE; standard output cannot be gone on with\n")


SLOW = """
from pdp.audit.verify import Verifier
import time
add = Verifier.add
def slow(self, batch):
    time.sleep(0.04)
    add(self, batch)
Verifier.add = slow
"""


async def test_token_that_ends_is_followed_by_the_next(pdp: Terminal, long: Placet) -> None:
    ends = int(time.time()) - LEEWAY_SECONDS + 3
    ending = signed(long.state, claims("user:dana", exp=ends, iat=int(time.time()) - 300, roles=["auditor"]))
    (pdp.folder / "token").write_text(ending)
    process = await pdp.start(
        "audit", "verify", command=program(SLOW), PDP_TOKEN="", PDP_TOKEN_FILE=str(pdp.folder / "token")
    )
    while time.time() < ends + LEEWAY_SECONDS - 1:
        await asyncio.sleep(0.1)
    (pdp.folder / "token").write_text(identity.token(long.state, "dana"))
    _, err = await process.communicate()
    assert process.returncode == 0, err

"""`pdp authorize --block-exit 2`: a hook lets an action go on only at a clear allow, also where the command breaks."""

import json
import os
import signal
from pathlib import Path
from uuid import uuid4

import pytest
from google.protobuf import json_format

from tests.cli.terminal import AS_ALICE, EXPORT, Done, Terminal
from tests.faults import children, eventually
from tests.parts import asking

BLOCKS = ["--block-exit", "2"]
READ = ["authorize", "--as", "report-bot", *AS_ALICE, "--action", "read"]
DROP = ["authorize", "--as", "report-bot", *AS_ALICE, "--action", "drop"]
NOBODY = ["authorize", "--token", "x", "--address", "127.0.0.1:1", *AS_ALICE, "--action", "read"]


def is_blocked(done: Done, status: int = 2) -> bool:
    """Whether it ended with the status, and the last line on standard error says so."""
    return done.status == status and done.err.splitlines()[-1].startswith("blocked: ")


async def test_clear_allow_is_0_and_says_nothing(pdp: Terminal) -> None:
    done = await pdp(*READ, *BLOCKS)
    assert (done.status, done.err) == (0, "")
    assert done.json["effect"] == "EFFECT_ALLOW"


async def test_deny_and_pending_are_the_status_with_the_reason_on_standard_error(pdp: Terminal) -> None:
    denied = await pdp(*DROP, *BLOCKS)
    assert is_blocked(denied)
    assert "agents never drop a table" in denied.err
    pending = await pdp(*EXPORT, "--context", f"run={uuid4()}", "--block-exit=9")
    assert is_blocked(pending, 9)
    approval_id = pending.json["approval"]["approvalId"]
    assert f"people have to review {approval_id}: ask again with --approval-id {approval_id}" in pending.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([*READ, "--dry-run"], "only a dry run"),
        ([*READ, "--help"], "asked for no decision"),
        (NOBODY, "UNAVAILABLE"),
        (["authorize", "--as", "report-bot"], "--subject, --action, --resource are missing"),
        ([*READ, "--no-such-option"], "No such option"),
        (["authorize", "--as", "nobody", *AS_ALICE, "--action", "read"], "--as knows"),
        (["authorize", "--as", "report-bot", "-f", "-"], "does not hold a request"),
    ],
)
async def test_everything_else_is_the_status(pdp: Terminal, arguments: list[str], says: str) -> None:
    done = await pdp(*arguments, "--block-exit", "7")
    assert is_blocked(done, 7)
    assert says in done.err


async def test_status_that_cannot_be_read_blocks(pdp: Terminal) -> None:
    for status in ("0", "two", "256"):
        assert is_blocked(await pdp(*READ, "--block-exit", status))


async def test_batch_goes_on_only_where_all_is_allowed(pdp: Terminal) -> None:
    read, drop = (json.dumps(json_format.MessageToDict(asking(action))) for action in ("read", "drop"))
    batch = ["authorize", "--as", "report-bot", "-f", "-", *BLOCKS]
    assert (await pdp(*batch, given=f"{read}\n{read}")).status == 0
    some = await pdp(*batch, given=f"{read}\n{drop}")
    assert is_blocked(some)
    assert "agents never drop a table" in some.err
    assert is_blocked(await pdp(*batch, given=f"{read}\n{{}}"))


@pytest.mark.parametrize("crash", ["raise RuntimeError('broken')", "import os; os.abort()", "raise SystemExit(0)"])
async def test_crash_blocks(pdp: Terminal, tmp_path: Path, crash: str) -> None:
    """What the command imports is broken."""
    (tmp_path / "typer.py").write_text(crash)
    variables = pdp.environment()
    done = await pdp(*READ, *BLOCKS, PYTHONPATH=f"{tmp_path}:{variables['PYTHONPATH']}")
    assert is_blocked(done)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_signal_blocks_and_leaves_nothing_behind(pdp: Terminal, number: signal.Signals) -> None:
    waiting = await pdp.start("authorize", "--as", "report-bot", "-f", "-", *BLOCKS)
    [child] = await eventually(lambda: _children(waiting.pid))
    waiting.send_signal(number)
    _, err = await waiting.communicate()
    assert waiting.returncode == 2
    assert f"blocked: {number.name} came before there was an answer" in err.decode()
    await eventually(lambda: _is_gone(child))


async def test_killed_child_blocks(pdp: Terminal) -> None:
    waiting = await pdp.start("authorize", "--as", "report-bot", "-f", "-", *BLOCKS)
    [child] = await eventually(lambda: _children(waiting.pid))
    os.kill(child, signal.SIGKILL)
    _, err = await waiting.communicate()
    assert waiting.returncode == 2
    assert "the command was ended by SIGKILL before it had an answer" in err.decode()


async def _children(pid: int) -> list[int]:
    return children(pid)


async def _is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()

"""`pdp run`: nothing starts without a checked grant for exactly this command, and its end is ours."""

import asyncio
import hashlib
import json
import signal
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pdp.v1.approval_pb2 import Approval, ApprovalState, ListApprovalsRequest
from tests.cli.terminal import Done, Terminal
from tests.parts import Placet

READ = ["run", "--as", "report-bot", "--on-behalf-of", "user:alice", "--resource", "table:customers"]
ALLOWED = [*READ, "--action", "read"]
EXPORT = [*READ, "--action", "export", "--property", 'tags=["pii"]']


def script(folder: Path, text: str = "echo ran") -> str:
    file = folder / "deploy.sh"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return "./deploy.sh"


async def pending(server: Placet, run: str) -> Approval:
    async with asyncio.timeout(30):
        while True:
            request = ListApprovalsRequest(state=ApprovalState.APPROVAL_STATE_PENDING, page_size=100)
            page = await server.approvals.ListApprovals(request, metadata=server.metadata("report-bot"))
            for approval in page.approvals:
                if run in str(approval.request.context):
                    return approval
            await asyncio.sleep(0.05)


async def approved(server: Placet, run: str) -> Approval:
    approval = await pending(server, run)
    for steward in ("bob", "carol"):
        await server.review(approval, steward)
    return approval


async def ended(process: asyncio.subprocess.Process) -> Done:
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), err.decode())


async def test_what_is_allowed_runs_and_its_end_is_ours(pdp: Terminal) -> None:
    command = script(pdp.folder, 'cat; echo "$1"; echo no >&2; exit 3')
    done = await pdp(*ALLOWED, "--", command, "web", given="given\n")
    assert (done.status, done.out, done.err) == (3, "given\nweb\n", "no\n")


async def test_what_is_denied_does_not_run(pdp: Terminal) -> None:
    done = await pdp(*READ, "--action", "drop", "--", script(pdp.folder, "touch ran"))
    assert (done.status, done.out) == (10, "")
    assert done.err.startswith("DENY: agents never drop a table")
    assert not (pdp.folder / "ran").exists()


async def test_it_says_what_is_pending_and_runs_with_the_approval(pdp: Terminal, server: Placet) -> None:
    run = uuid4().hex
    command = [*EXPORT, "--env", "STAGE", "--justification", "weekly", "--", script(pdp.folder), run]
    waiting = await pdp(*command, STAGE="prod")
    assert (waiting.status, waiting.out) == (11, "")
    approval = await approved(server, run)
    assert f"--approval-id {approval.approval_id}" in waiting.err
    assert approval.justification == "weekly"
    file = (pdp.folder / "deploy.sh").resolve()
    assert context(approval) == {
        "command": ["./deploy.sh", run],
        "executable": {"path": str(file), "sha256": hashlib.sha256(file.read_bytes()).hexdigest()},
        "cwd": str(pdp.folder),
        "env": {"STAGE": "prod"},
    }
    using = [*EXPORT, "--approval-id", approval.approval_id, *command[len(EXPORT) :]]
    other = await pdp(*using, STAGE="test")
    assert (other.status, other.out) == (12, "")
    assert "it differs in: context.env.STAGE" in other.err
    done = await pdp(*using, STAGE="prod")
    assert (done.status, done.out) == (0, "ran\n")
    again = await pdp(*using, STAGE="prod")
    assert (again.status, again.out) == (12, "")
    assert f"{approval.approval_id} was used at" in again.err


async def test_it_waits_for_people(pdp: Terminal, server: Placet) -> None:
    run = uuid4().hex
    process = await pdp.start(*EXPORT, "--wait", "1m", "--", script(pdp.folder), run)
    approval = await approved(server, run)
    done = await ended(process)
    assert (done.status, done.out) == (0, "ran\n")
    assert done.err.startswith(f"waiting for people to review {approval.approval_id}\n")


async def test_the_wait_has_an_end(pdp: Terminal) -> None:
    done = await pdp(*EXPORT, "--wait", "1s", "--", script(pdp.folder), uuid4().hex)
    assert (done.status, done.out) == (11, "")


async def test_a_file_that_was_replaced_while_it_was_pending_does_not_run(pdp: Terminal, server: Placet) -> None:
    run = uuid4().hex
    process = await pdp.start(*EXPORT, "--wait", "1m", "--", script(pdp.folder, "touch ran"), run)
    await pending(server, run)
    script(pdp.folder, "touch ran # and more")
    await approved(server, run)
    done = await ended(process)
    assert (done.status, done.out) == (77, "")
    assert "ARGUMENTS_CHANGED: " in done.err
    assert not (pdp.folder / "ran").exists()


SIGNALS = """import signal, sys
signal.signal(signal.SIGUSR1, lambda *_: sys.exit(7))
print("ready", flush=True)
signal.pause()
"""


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGUSR1, 7)]
)
async def test_the_command_gets_our_signals(pdp: Terminal, number: signal.Signals, status: int) -> None:
    default = "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)\n" if number == signal.SIGINT else ""
    (pdp.folder / "signals.py").write_text(default + SIGNALS)
    process = await pdp.start(*ALLOWED, "--", sys.executable, "signals.py")
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 60) == b"ready\n"
    process.send_signal(number)
    assert (await ended(process)).status == status


async def test_its_environment_has_no_token_unless_it_shall(pdp: Terminal) -> None:
    token = (await pdp("token", "--as", "report-bot")).out.strip()
    by_token = [part for part in ALLOWED if part not in {"--as", "report-bot"}]
    command = ["--", "sh", "-c", 'echo "$PDP_TOKEN$PDP_TOKEN_FILE"']
    subject = ["--subject", "agent:report-bot"]
    assert (await pdp(*by_token, *subject, *command, PDP_TOKEN=token)).out == "\n"
    assert (await pdp(*by_token, "--with-token", *command, PDP_TOKEN=token)).out == f"{token}\n"
    shown = await pdp(*by_token, "--env", "PDP_TOKEN", *command, PDP_TOKEN=token)
    assert shown.status == 2


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--", "no-such-command"], 2, "there is no command no-such-command"),
        (["--env", "NOT_SET", "--", "true"], 2, "the command's environment has no NOT_SET"),
        (["--wait", "soon", "--", "true"], 2, "--wait takes a duration such as 30s"),
        (["--subject", "bot", "--", "true"], 2, "--subject must be TYPE:ID"),
        (["--subject", "user:bob", "--", "touch", "ran"], 77, "SUBJECT_NOT_ALLOWED"),
        (["--as", "dana", "--", "touch", "ran"], 77, "ROLE_REQUIRED"),
        (["--address", "127.0.0.1:1", "--", "touch", "ran"], 69, "nothing answers at 127.0.0.1:1"),
        (["--", "./not-a-program"], 1, "cannot run"),
        ([], 2, "COMMAND"),
    ],
    ids=str,
)
async def test_on_anything_else_nothing_runs_and_the_status_says_why(
    pdp: Terminal, arguments: list[str], status: int, says: str
) -> None:
    (pdp.folder / "not-a-program").write_text("echo ran > ran\n")
    (pdp.folder / "not-a-program").chmod(0o755)
    done = await pdp(*ALLOWED, *arguments)
    assert (done.status, done.out) == (status, "")
    assert says in done.err
    assert not (pdp.folder / "ran").exists()


async def test_a_folder_is_no_command(pdp: Terminal) -> None:
    done = await pdp(*ALLOWED, "--", ".")
    assert (done.status, done.out) == (2, "")


def context(approval: Approval) -> Any:
    from google.protobuf.json_format import MessageToJson  # noqa: PLC0415

    return json.loads(MessageToJson(approval.request))["context"]

"""Where output goes: readers that went away, and encodings that lack characters."""

import asyncio
import json
import os
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

from tests.cli.terminal import AS_ALICE, EXPORT, PDP, Terminal
from tests.cli.test_approvals import on_terminal
from tests.parts import Placet, exporting

READ = [*AS_ALICE, "--action", "read"]
ASK = ["authorize", "--as", "report-bot", *READ]


async def unread(pdp: Terminal, *arguments: str, both: bool = False) -> tuple[int | None, str]:
    """How a command ends whose standard output (or both streams) nobody reads, and what it says elsewhere."""
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        process = await asyncio.create_subprocess_exec(
            *PDP,
            *arguments,
            cwd=pdp.folder,
            env=pdp.environment(),
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs if both else subprocess.PIPE,
        )
    finally:
        os.close(theirs)
    _, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, (err or b"").decode()


@pytest.mark.parametrize(
    "arguments",
    [
        ["whoami", "--as", "bob"],
        ["whoami", "--as", "bob", "-o", "table"],
        ["token", "--as", "bob"],
        ASK,
        ["authorize", "--as", "report-bot", "-f", "many.jsonl"],
        ["approvals", "list", "--as", "report-bot", "-o", "jsonl"],
        ["approvals", "list", "--queue", "--as", "bob", "-o", "table"],
        ["approvals", "watch", "--as", "bob"],
        ["audit", "list", "--as", "dana", "--all"],
        ["audit", "export", "-", "--as", "dana"],
        ["policy", "eval", *READ],
        ["policy", "test"],
    ],
    ids=lambda arguments: " ".join(arguments[:3]),
)
async def test_a_pipe_that_closes_ends_it_quietly_with_141(
    pdp: Terminal, server: Placet, arguments: list[str], tmp_path: Path
) -> None:
    await server.authorize(exporting())
    request = {
        "subject": {"type": "agent", "id": "report-bot"},
        "action": {"name": "read"},
        "resource": {"type": "table", "id": "customers"},
    }
    (tmp_path / "many.jsonl").write_text(f"{json.dumps(request)}\n" * 300)
    assert await unread(pdp, *arguments) == (141, "")
    assert (await unread(pdp, *arguments, both=True))[0] == 141


async def test_an_error_that_nobody_reads_ends_quietly(pdp: Terminal) -> None:
    assert (await unread(pdp, "whoami", "--token", "wrong", both=True))[0] == 141
    assert (await unread(pdp, "whomi", both=True))[0] == 141


async def test_head_takes_a_line_and_that_is_all(pdp: Terminal, server: Placet) -> None:
    await server.authorize(exporting())
    words = "audit list --as dana --all -o jsonl"
    script = f"{' '.join(PDP)} {words} | head -1; echo ${{PIPESTATUS[0]}}"
    done = await pdp("-c", script, command=["bash"])
    *lines, status = done.out.splitlines()
    assert (len(lines), status in {"0", "141"}, done.err) == (1, True, "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
async def test_what_an_encoding_lacks_is_escaped(pdp: Terminal, encoding: str) -> None:
    asked = await pdp(*EXPORT, "--justification", "für €5 Ω", "--context", f"run={uuid4()}")
    held = asked.json["approval"]["approvalId"]
    shown = await pdp("approvals", "show", held, "--as", "bob", "-o", "table", PYTHONIOENCODING=encoding)
    assert (shown.status, shown.err) == (0, "")
    assert ("f\\u{fc}r" if encoding == "ascii" else "\ufffd") in shown.out or encoding != "ascii"
    assert "\\u{20ac}5" in shown.out
    failed = await pdp("authorize", "--subject", "für", PYTHONIOENCODING=encoding)
    assert (failed.status, "Traceback" in failed.err) == (2, False)


@pytest.mark.parametrize("variables", [{"PDP_ADDRESS": "127.0.0.1:1"}, {"PDP_TOKEN": "wrong"}])
async def test_the_inbox_says_before_it_takes_the_screen_that_it_cannot_begin(
    pdp: Terminal, variables: dict[str, str]
) -> None:
    there = Terminal(pdp.folder, {**pdp.variables, "PDP_TOKEN": "t", **variables})
    shown, status = await on_terminal(there, b"", "inbox")
    assert status == (69 if "PDP_ADDRESS" in variables else 77)
    assert "Traceback" not in shown
    assert shown.startswith(("UNAVAILABLE: nothing answers", "UNAUTHENTICATED: "))


@pytest.mark.parametrize(("where", "why"), [("> /dev/full", "No space left on device"), (">&-", "Bad file descriptor")])
@pytest.mark.parametrize("arguments", [("--version",), ("--help",)])
async def test_full_or_closed_output_is_said(pdp: Terminal, where: str, why: str, arguments: tuple[str, ...]) -> None:
    done = await pdp(*arguments, command=["sh", "-c", f'exec "$@" {where}', "sh", *PDP])
    assert (done.status, done.err) == (2, f"cannot write standard output: {why}\n")

"""Somebody who types `pdp` commands: real processes, so that exit statuses, streams and signals are what users meet."""

import asyncio
import atexit
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pdp.cli import app
from tests.cli.loaded import LARGEST_BYTES, STREAMS

PDP = [sys.executable, "-m", "pdp"]
ROOT = Path(__file__).parents[2]
SECONDS = 60
FRESH = {"serve", "dev", "demo", "--block-exit"}
"""Words of commands that are about processes, or about what loads when: these start an interpreter of their own."""
AS_ALICE = ["--subject", "agent:report-bot", "--on-behalf-of", "user:alice", "--resource", "table:customers"]
EXPORT = ["authorize", "--as", "report-bot", *AS_ALICE, "--action", "export", "--property", 'tags=["pii"]']


def without_anchors(state: Path, folder: Path) -> str:
    """A copy of the state folder for who verifies a log: the servers of all tests share one realm, and so anchors."""
    return str(shutil.copytree(state, folder / "own-state", ignore=shutil.ignore_patterns("anchors")))


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Terminal:
    """Runs commands in a folder, with an environment in which no other PDP_ variable is set."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self, **more: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PDP_")}
        log = {"PDP_LOG_FORMAT": "console", "PDP_LOG_LEVEL": "warning"}
        cache = {"PDP_TOOL_CACHE": os.environ["PDP_TOOL_CACHE"]} if "PDP_TOOL_CACHE" in os.environ else {}
        return {**inherited, **cache, **log, "PYTHONPATH": str(ROOT), **self.variables, **more}

    async def start(self, *arguments: str | Path, command: list[str] = PDP, **more: str) -> asyncio.subprocess.Process:
        with heeded():
            return await asyncio.create_subprocess_exec(
                *command,
                *map(str, arguments),
                cwd=self.folder,
                env=self.environment(**more),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )

    async def __call__(
        self, *arguments: str | Path, given: str | bytes = b"", command: list[str] = PDP, **more: str
    ) -> Done:
        typed, entered = [*map(str, arguments)], given.encode() if isinstance(given, str) else given
        variables = {**self.variables, **more}
        is_usual = command is PDP and all(name.startswith("PDP_") for name in variables) and not FRESH & {*typed}
        async with asyncio.timeout(SECONDS):
            if is_usual and len(entered) < LARGEST_BYTES:
                order = {"arguments": typed, "folder": str(self.folder), "environment": self.environment(**more)}
                status, out, err = await forked(json.dumps(order).encode(), entered)
            else:
                process = await self.start(*arguments, command=command, **more)
                out, err = await process.communicate(entered)
                assert process.returncode is not None
                status = process.returncode
        return Done(status, out.decode(errors="backslashreplace"), err.decode(errors="backslashreplace"))


@contextmanager
def heeded() -> Iterator[None]:
    """Children heed signals, although a run in a shell's background or by `nohup` ignores some."""
    ignored = [one for one in (signal.SIGHUP, signal.SIGINT) if signal.getsignal(one) is signal.SIG_IGN]
    for one in ignored:
        signal.signal(one, lambda *_: None)
    try:
        yield
    finally:
        for one in ignored:
            signal.signal(one, signal.SIG_IGN)


@cache
def loaded() -> socket.socket:
    """Where commands are ordered from `tests.cli.loaded`, which runs as long as this process does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.cli.loaded", str(theirs.fileno())]
    silent: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()], **silent)
    theirs.close()
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


async def forked(order: bytes, given: bytes) -> tuple[int, bytes, bytes]:
    """The exit status of a command that is forked, and what it wrote."""
    assert len(order) < LARGEST_BYTES
    (entered, typed), *pipes = (os.pipe() for _ in range(STREAMS + 1))
    os.write(typed, given)
    os.close(typed)
    handed = [entered, *(theirs for _, theirs in pipes)]
    socket.send_fds(loaded(), [order], handed)
    for one in handed:
        os.close(one)
    out, err, status = await asyncio.gather(*(all_of(ours) for ours, _ in pipes))
    return int(status), out, err


async def all_of(pipe: int) -> bytes:
    """What comes from a pipe until its end."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    made, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb", 0))
    try:
        return await reader.read()
    finally:
        made.close()


def invoked(*arguments: str | Path) -> int:
    """The exit status of a command that calls no server, run in this process."""
    with pytest.raises(SystemExit) as end:
        app(list(map(str, arguments)))
    assert isinstance(end.value.code, int)
    return end.value.code


def is_harmless(shown: str) -> bool:
    """Whether nothing in it deceives who reads it on a terminal."""
    allowed = all(
        character in " \n" or (unicodedata.category(character)[0] in "LMNPS" and character not in "\u2800\u3164\uffa0")
        for character in shown
    )
    return allowed and "\x1b" not in shown and not re.search("[\u0300-\u036f]{3}", shown)

"""Programs of ours that are forked from a process which has loaded what they load (`tests.cli.loaded`)."""

import asyncio
import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.cli.loaded import LARGEST_BYTES, STREAMS

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Forked:
    """A program that runs, with the members of an `asyncio.subprocess.Process`."""

    pid: int
    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader
    ended: "asyncio.Task[int]"

    @property
    def returncode(self) -> int | None:
        return self.ended.result() if self.ended.done() else None

    async def wait(self) -> int:
        return await asyncio.shield(self.ended)

    async def communicate(self, given: bytes = b"") -> tuple[bytes, bytes]:
        """Hand it this input, and return all that it wrote once it has ended."""
        self.stdin.write(given)
        self.stdin.close()
        out, err, _ = await asyncio.gather(self.stdout.read(), self.stderr.read(), self.wait())
        return out, err

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


async def forked(
    *arguments: str | Path,
    folder: Path,
    environment: Mapping[str, str],
    module: str = "pdp",
    serves: bool = False,
) -> Forked:
    """Start `python -m module` with these arguments; `serves`, where it needs what servers load."""
    order = {
        "module": module,
        "arguments": [*map(str, arguments)],
        "folder": str(folder),
        "environment": {**environment},
    }
    entered, typed = os.pipe()
    (out, theirs_out), (err, theirs_err), (told, theirs_told) = (os.pipe() for _ in range(STREAMS))
    handed = [entered, theirs_out, theirs_err, theirs_told]
    socket.send_fds(_loaded(serves=serves), [json.dumps(order).encode()], handed)
    for one in handed:
        os.close(one)
    stdin, stdout, stderr, status = await _writer(typed), await _reader(out), await _reader(err), await _reader(told)
    pid = int(await status.readline())
    return Forked(pid, stdin, stdout, stderr, asyncio.create_task(_end(status, stdin)))


async def _end(status: asyncio.StreamReader, stdin: asyncio.StreamWriter) -> int:
    try:
        return int(await status.read())
    finally:
        stdin.close()


def may_be(arguments: Sequence[str]) -> bool:
    """Whether an order of these arguments is short enough."""
    return len(json.dumps(arguments)) < LARGEST_BYTES // 2


@cache
def _loaded(*, serves: bool) -> socket.socket:
    """Where programs are ordered from `tests.cli.loaded`, which runs as long as this process does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.cli.loaded", str(theirs.fileno()), *(["serves"] if serves else [])]
    silent: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    with heeded():
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()], **silent)
    theirs.close()
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


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


async def _reader(pipe: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb", 0))
    return reader


async def _writer(pipe: int) -> asyncio.StreamWriter:
    loop = asyncio.get_running_loop()
    made, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(pipe, "wb", 0))
    return asyncio.StreamWriter(made, protocol, None, loop)

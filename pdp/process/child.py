"""A child process that is kept running and never outlives its parent. OPA and `mongod` are such children.

It has a session of its own, so that Ctrl-C reaches only the server, and the server can drain first.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Self

from pdp.errors import SetupError
from pdp.process import die_with_parent
from pdp.process.signalling import send

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 5.0
"""Seconds before the first restart, and the most that the doubled pauses grow to."""
STEADY_SECONDS = 10.0
"""Seconds after which a healthy child counts as steady: its next restart comes as soon as the first one."""
KEPT_LINES = 20
"""Lines of output that are kept, to show the last ones when a child does not stay up."""
_BLOCK_BYTES = 64 * 1024
"""Bytes that are read at one time. It bounds the memory that one long line can take."""


class Child:
    """A command that runs from `start` to `stop` and is restarted, with growing pauses, whenever it ends.

    `say` gets sentences for people: that the child ended, that it runs again and, if it does not stay up, its last
    lines. `variables` are the child's whole environment; it inherits nothing. It runs in `folder`, by default in ours.
    """

    name: str
    start_seconds = 20.0
    stop_seconds = 10.0

    def __init__(
        self,
        command: Iterable[str],
        *,
        say: Callable[[str], None],
        variables: Mapping[str, str],
        folder: Path | None = None,
    ) -> None:
        self.say, self._folder = say, folder
        self._command = (sys.executable, "-I", "-S", die_with_parent.__file__, str(os.getpid()), *command)
        self._variables = variables
        self._output: deque[str] = deque(maxlen=KEPT_LINES)
        self._process: Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._supervisor: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """The child's process id: another after each restart, 0 before the first start."""
        return self._process.pid if self._process else 0

    @property
    def ending(self) -> str:
        """How the child ended; empty while it runs."""
        return _ending(self._process)

    async def start(self) -> None:
        """Return when the child is healthy. Raises `SetupError` with its last lines if it does not become healthy."""
        try:
            problem = await self._launch()
        except BaseException:
            await self._end()
            raise
        if problem:
            raise SetupError(f"{self.name} did not start ({problem}){self._last_words()}")
        self._supervisor = asyncio.create_task(self._supervise(), name=f"{self.name} supervisor")

    async def stop(self) -> None:
        """End the child by SIGTERM, and after `stop_seconds` by SIGKILL. The process is gone afterwards."""
        try:
            if self._supervisor:
                self._supervisor.cancel()
                await asyncio.wait({self._supervisor})
        finally:
            await self._end()

    def kill(self) -> None:
        """End the process at once, so that it is started again."""
        if self._process:
            send(self._process, signal.SIGKILL)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def prepare(self) -> None:
        """Do what must be done before each start."""

    async def healthy(self) -> None:
        """Return when the process can be used. The caller limits the time."""
        raise NotImplementedError  # each kind of child knows what health means for it

    def hear(self, line: str) -> None:
        """Take one line of output when it comes."""

    def last_lines(self) -> Iterable[str]:
        """The last lines that the process wrote, readable for people."""
        return self._output

    async def _launch(self) -> str:
        """Start the process and wait for its health. Returns "", or the problem if the process has ended."""
        self._output.clear()
        self.prepare()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env=self._variables,
                cwd=self._folder,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return f"{error.strerror}"
        self._reader = asyncio.create_task(self._read(self._process))
        if await self._becomes_healthy(self._process):
            return ""
        problem = _ending(self._process) or f"not ready within {self.start_seconds:.0f} s"
        await self._end()
        return problem

    async def _becomes_healthy(self, process: Process) -> bool:
        health, end = asyncio.create_task(self.healthy()), asyncio.create_task(process.wait())
        try:
            await asyncio.wait({health, end}, timeout=self.start_seconds, return_when=asyncio.FIRST_COMPLETED)
            return not end.done() and health.done() and health.result() is None
        finally:
            health.cancel()
            end.cancel()
            await asyncio.wait({health, end})

    async def _supervise(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            if await self._stays_up():
                pause = FIRST_PAUSE_SECONDS
            problem = _ending(self._process)
            while problem:
                last_words = self._last_words() if pause > FIRST_PAUSE_SECONDS else ""
                self.say(f"{self.name} stopped ({problem}); it is started again in {pause:.1f} s{last_words}")
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
                problem = await self._launch()
            self.say(f"{self.name} runs again")

    async def _stays_up(self) -> bool:
        """Wait for the end of the healthy process. Returns whether it ran long enough to count as steady."""
        clock = asyncio.get_running_loop().time
        since = clock()
        if self._process and self._reader:
            await self._process.wait()
            await asyncio.wait({self._reader})
        return clock() - since >= STEADY_SECONDS

    async def _read(self, process: Process) -> None:
        """Take every line until the process ends. A line longer than a block comes in pieces."""
        rest = b""
        while process.stdout and (block := await process.stdout.read(_BLOCK_BYTES)):
            *lines, rest = (rest + block).split(b"\n")
            if len(rest) >= _BLOCK_BYTES:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._take(line)
        if rest:
            self._take(rest)

    def _take(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        self._output.append(text)
        self.hear(text)

    def _last_words(self) -> str:
        return "".join(f"\n    {line}" for line in self.last_lines())

    async def _end(self) -> None:
        process, reader = self._process, self._reader
        if not process or not reader:
            return
        send(process, signal.SIGTERM)
        send(process, signal.SIGCONT)  # a stopped process does not see SIGTERM
        try:
            await asyncio.wait({asyncio.create_task(process.wait())}, timeout=self.stop_seconds)
        finally:  # also when the wait was cancelled
            send(process, signal.SIGKILL)
            await process.wait()
            await asyncio.wait({reader})


def _ending(process: Process | None) -> str:
    """How the process ended; empty while it runs."""
    code = process.returncode if process else None
    if code is None:
        return ""
    return f"exit status {code}" if code >= 0 else signal.Signals(-code).name

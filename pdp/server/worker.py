"""A worker as a process: it listens beside the other workers, and is started again when it dies."""

import asyncio
import json
import signal
import sys
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path

from pdp.environment import Environment
from pdp.logs import Logs
from pdp.metrics import WORKER_RESTARTS
from pdp.process.child import Child
from pdp.process.signalling import send

SERVES = "this worker serves"
"""What a worker says when its addresses are open for the first time."""
SLOWEST_START_SECONDS = 300.0
"""Seconds for a start. The masks are compiled in it, which takes a minute on a slow machine."""
_START = "import sys; sys.path[:] = {path!r}; from pdp.cli.worker import main; main(*sys.argv[1:])"
HUNG_LOOKS = 30
"""Looks in a row without life after which a worker is killed, which are 15 to 75 s; the kernel gives it connections all
the time."""
_ANSWER_SECONDS = 1.0
"""Seconds that a worker has to say how it is."""


class Worker(Child):
    """One of the workers of `folder`. `status` is the socket on which it shows its health and metrics."""

    start_seconds = SLOWEST_START_SECONDS

    def __init__(self, number: int, generation: int, folder: Path, stop_seconds: float, logs: Logs) -> None:
        """`generation` counts the workers that had this number. It may take `stop_seconds` to end."""
        self.name, self.number, self.stop_seconds = f"worker {number}", number, stop_seconds
        self.status = folder / f"worker-{number}-{generation}.sock"
        start = _START.format(path=sys.path)
        command = (sys.executable, "-P", "-c", start, str(folder), str(number), str(self.status))
        super().__init__(command, say=logs.say, variables=dict(Environment.inherited()))
        self._logs, self._serves, self._hung = logs, asyncio.Event(), 0

    def prepare(self) -> None:
        """Wait for its word again, and count that it is started again."""
        self._serves.clear()
        if self.pid:
            WORKER_RESTARTS.at().add()

    async def healthy(self) -> None:
        """Return once it has said that it serves."""
        await self._serves.wait()

    def hear(self, line: str) -> None:
        """Put what it logs into our log."""
        if line == SERVES:
            self._serves.set()
        else:
            self._logs.pass_on(line, self.name)

    def last_lines(self) -> Iterable[str]:
        """What it logged last, without all that is JSON around it."""
        return (_message(line) for line in super().last_lines())

    async def is_ready(self) -> bool:
        """Whether it says that it can decide now. One that shows no life for `HUNG_LOOKS` looks is killed."""
        status, _ = await self._asked("/readyz")
        is_alive = status == HTTPStatus.OK or (await self._asked("/livez"))[0] == HTTPStatus.OK
        self._hung = 0 if is_alive or not self._serves.is_set() else self._hung + 1
        if self._hung >= HUNG_LOOKS:
            self._hung = 0
            self.say(f"{self.name} shows no life: its event loop does not turn, or it is stopped; it is killed")
            self.kill()
        return status == HTTPStatus.OK

    async def metrics(self) -> str:
        """Its metrics; empty where it does not answer."""
        status, text = await self._asked("/metrics")
        return text if status == HTTPStatus.OK else ""

    async def _asked(self, path: str) -> tuple[int, str]:
        """The status and the body of an answer; 0 without one."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                reader, writer = await asyncio.open_unix_connection(self.status)
                try:
                    writer.write(f"GET {path} HTTP/1.1\r\nHost: worker\r\nConnection: close\r\n\r\n".encode())
                    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
                finally:
                    writer.close()
                return int(head.split()[1]), body.decode()
        except (OSError, TimeoutError, ValueError, LookupError):
            return 0, ""

    async def retire(self, seconds: float) -> None:
        """Let its clients go to other workers, and end it, at the latest after `seconds`."""
        if self._supervisor:
            self._supervisor.cancel()
            await asyncio.wait({self._supervisor})
        process = self._process
        if process and process.returncode is None:
            send(process, signal.SIGHUP)
            await asyncio.wait({asyncio.create_task(process.wait())}, timeout=seconds)
        await self.stop()

    def hurry(self) -> None:
        """Tell it, as it ends, to skip its pause."""
        if self._process:
            send(self._process, signal.SIGTERM)

    @property
    def fault(self) -> str:
        """How it ended, if it did not end by itself and well."""
        code = self._process.returncode if self._process else 0
        return f"{self.name} ended with {self.ending}" if code else ""


def _message(line: str) -> str:
    try:
        return str(json.loads(line)["message"])
    except (ValueError, LookupError, TypeError):
        return line

"""A worker as a process: it listens beside the other workers, and is started again when it dies."""

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from pdp.environment import Environment
from pdp.process.child import Child

SERVES = "this worker serves"
"""What a worker says when its addresses are open for the first time."""
SLOWEST_START_SECONDS = 300.0
"""Seconds for a start. The masks are compiled in it, which takes a minute on a slow machine."""
_START = "import sys; sys.path[:] = {path!r}; from pdp.cli.worker import main; main(*sys.argv[1:])"
_POLL_SECONDS = 1.0
"""Seconds that a worker has to say whether it is ready."""


class Worker(Child):
    """One of the workers of `folder`. `status` is the socket on which it shows its health and metrics."""

    start_seconds = SLOWEST_START_SECONDS

    def __init__(
        self, number: int, generation: int, folder: Path, stop_seconds: float, say: Callable[[str], None]
    ) -> None:
        """`generation` counts the workers that had this number. It may take `stop_seconds` to end."""
        self.name, self.number, self.stop_seconds = f"worker {number}", number, stop_seconds
        self.status = folder / f"worker-{number}-{generation}.sock"
        start = _START.format(path=sys.path)
        command = (sys.executable, "-P", "-c", start, str(folder), str(number), str(self.status))
        super().__init__(command, say=say, variables=dict(Environment.inherited()))
        self._serves = asyncio.Event()

    def prepare(self) -> None:
        """Wait for its word again."""
        self._serves.clear()

    async def healthy(self) -> None:
        """Return once it has said that it serves."""
        await self._serves.wait()

    def hear(self, line: str) -> None:
        """Show what it says as its own."""
        if line == SERVES:
            self._serves.set()
        else:
            self.say(line if line.startswith("{") else f"{self.name}: {line}")

    async def is_ready(self) -> bool:
        """Whether it says that it can decide now."""
        try:
            async with asyncio.timeout(_POLL_SECONDS):
                return await _asked(self.status, "/readyz")
        except (OSError, TimeoutError):
            return False

    async def retire(self, seconds: float) -> None:
        """Let its clients go to other workers, and end it, at the latest after `seconds`."""
        if self._supervisor:
            self._supervisor.cancel()
            await asyncio.wait({self._supervisor})
        process = self._process
        if process and process.returncode is None:
            process.send_signal(signal.SIGHUP)
            await asyncio.wait({asyncio.create_task(process.wait())}, timeout=seconds)
        await self.stop()

    @property
    def fault(self) -> str:
        """How it ended, if it did not end by itself and well."""
        code = self._process.returncode if self._process else 0
        return f"{self.name} ended with {self.ending}" if code else ""


async def _asked(socket: Path, path: str) -> bool:
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return (await reader.readline()).split()[1:2] == [b"200"]
    finally:
        writer.close()

"""A MongoDB of our own for `pdp dev`: a replica set with one member, on a loopback port, with data in one folder."""

import json
import logging
import socket
from collections.abc import Callable
from pathlib import Path

from pdp.process.child import KEPT_LINES, Child
from pdp.store import replica_set

log = logging.getLogger("mongod")

LOG = "mongod.log"
LARGEST_LOG_BYTES = 16 * 2**20
"""Bytes of the log at which the next start begins a new one. With the one that is kept, it bounds the disk space."""


class MongodProcess(Child):
    """Runs `mongod` on `directory`, which is made if it is missing. Data of an earlier run, on any port, is continued.

    Port 0 means a free port, which stays the same over restarts. `test_commands` lets tests inject faults
    (`failCommand`). There is no authentication: everybody who can log in on this machine can connect.
    """

    name = "MongoDB"
    start_seconds = 60.0

    def __init__(
        self,
        binary: Path,
        directory: Path,
        *,
        say: Callable[[str], None],
        port: int = 0,
        test_commands: bool = False,
    ) -> None:
        self._directory = directory
        self._log = directory / LOG
        self._log_start = 0
        self._address = f"127.0.0.1:{port or _free_port()}"
        super().__init__(_command(binary, directory, self._address, test_commands=test_commands), say=say, variables={})

    @property
    def uri(self) -> str:
        """The connection string. It stays valid over restarts."""
        return replica_set.uri(self._address)

    def prepare(self) -> None:
        """Make the folder. Begin a new log if the old one is large."""
        self._directory.mkdir(parents=True, exist_ok=True)
        if _size(self._log) > LARGEST_LOG_BYTES:
            self._log.replace(self._log.with_suffix(".old.log"))
        self._log_start = _size(self._log)

    async def healthy(self) -> None:
        """Return when it is the primary."""
        await replica_set.primary(self._address)

    def hear(self, line: str) -> None:
        """Pass on what it does not write into its log: why it cannot."""
        if error := _error(line):
            log.error("%s", error)

    def last_lines(self) -> list[str]:
        """The errors in its output and in its log since it started."""
        return [error for line in (*self._output, *self._log_lines()) if (error := _error(line))][-KEPT_LINES:]

    def _log_lines(self) -> list[str]:
        if not self._log.exists():
            return []
        with self._log.open(errors="replace") as log:
            log.seek(self._log_start)
            return log.read().splitlines()


def _command(binary: Path, directory: Path, address: str, *, test_commands: bool) -> list[str]:
    host, port = address.rsplit(":", 1)
    command = [f"{binary}", "--dbpath", f"{directory}", "--logpath", f"{directory / LOG}", "--logappend"]
    command += ["--bind_ip", host, "--port", port, "--nounixsocket", "--replSet", replica_set.NAME]
    # The defaults are for a whole machine: half of the memory, 5 % of the disk, 300 MB of journal in advance.
    command += ["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "128"]
    command += ["--wiredTigerEngineConfigString", "log=(prealloc=false)"]
    command += ["--setParameter", "diagnosticDataCollectionEnabled=false"]
    return command + (["--setParameter", "enableTestCommands=1"] if test_commands else [])


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _error(line: str) -> str:
    """A line of the log, readable for people; empty unless it is an error."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    if entry.get("s") not in {"E", "F"}:
        return ""
    attributes = entry.get("attr", {})
    return f"{entry.get('msg')}: {attributes.get('error', attributes)}"

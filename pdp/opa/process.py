"""An OPA that runs beside the server, on a unix socket, and reloads the bundle when its file is replaced.

1. OPA watches the whole folder of the bundle and reloads at every event in it. So keep nothing else there.
2. Build a bundle in another folder of the same file system, and rename it into place.
3. After a failed reload the last good bundle stays in force.
"""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from pdp.errors import SetupError
from pdp.opa import memory
from pdp.policy import stock
from pdp.process.child import Child

LONGEST_SOCKET_BYTES = 103
"""Bytes of a socket's path that every system accepts (unix(7)); Linux has room for four more."""
SHARED_CORES = 2
"""On a machine with at most this many cores, OPA and Python compete for them, so OPA gets one thread.

Measured on two cores: 77 µs an item with one thread, 101 µs with more.
"""
_OUTGROWN = (
    "the policy's data has more than doubled since OPA was started, so OPA collects its memory more often; restart the "
    "server when it suits, and OPA gets memory for it"
)
_LEVELS = {"error": logging.ERROR, "warning": logging.INFO, "info": logging.DEBUG, "debug": logging.DEBUG}
"""The levels of OPA's own notes, which are details to those who run a server. What is not JSON is a crash."""
_HARMLESS = "http: superfluous response.WriteHeader"
"""What Go writes into OPA's output each time that a query is given up, without a level."""
_POLL_SECONDS = 0.02
"""Seconds between two looks at OPA's health while it starts."""


log = logging.getLogger("opa")


class OpaProcess(Child):
    """Runs `opa run --server` with the file `bundle`. `socket` must lie in a folder that only this user can enter.

    `reloaded` is called after each load, with OPA's own error, or with "" if the load was good. An OPA before 1.22
    tells only of the loads at its starts.
    """

    name = "OPA"
    stop_seconds = 5.0
    start_seconds = 60.0  # a million identities take 2 to 10 s

    def __init__(
        self,
        binary: Path,
        bundle: Path,
        socket: Path,
        *,
        say: Callable[[str], None],
        reloaded: Callable[[str], None] = lambda _: None,
    ) -> None:
        if len(os.fsencode(socket)) > LONGEST_SOCKET_BYTES:
            raise SetupError(f"{socket} is too long for a unix socket; set TMPDIR to a shorter folder")
        command = _command(binary.absolute(), bundle, socket)
        super().__init__(command, say=say, variables={}, folder=socket.parent)
        self.socket = socket
        self._reloaded, self._bundle, self._limit = reloaded, bundle, 0

    def prepare(self) -> None:
        """Give OPA memory for the bundle that it will load."""
        self._limit = memory.limit(self._bundle)
        self._variables = _variables(os.cpu_count(), self._limit)

    async def healthy(self) -> None:
        """Return once OPA answers with its bundle loaded."""
        while not await answers(self.socket):  # noqa: ASYNC110  # nothing tells when to look
            await asyncio.sleep(_POLL_SECONDS)
        self._reloaded("")

    def hear(self, line: str) -> None:
        """Find the reloads in OPA's log, and pass on the rest, but for what a policy prints: that is of requests."""
        match _entry(line):
            case {"msg": "Processed file watch event.", "err": error}:
                self._reloaded(str(error or ""))
                self._tell_of_growth()
            case {"line": _}:
                return
            case entry:
                log.log(_level(line, entry), "%s", _sentence(line))

    def _tell_of_growth(self) -> None:
        """Say, once for each doubling, that OPA has too little memory for what it holds now."""
        now = memory.limit(self._bundle)
        if memory.is_outgrown(self._limit, now):
            self._limit = now
            self.say(_OUTGROWN)

    def last_lines(self) -> Iterator[str]:
        """OPA's own words, without its notes about its start."""
        return (_sentence(line) for line in self._output if _entry(line).get("level") not in {"info", "warning"})


async def answers(socket: Path) -> bool:
    """Whether an OPA on this socket is healthy now, with its bundles active."""
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
    except OSError:
        return False
    try:
        writer.write(b"GET /health?bundles HTTP/1.0\r\n\r\n")
        status = await reader.readline()
    except OSError:
        return False
    finally:
        writer.close()
    return status.split()[1:2] == [b"200"]


def _command(binary: Path, bundle: Path, socket: Path) -> Iterable[str]:
    """The command line, for the folder of the socket.

    Paths are relative to it, because OPA takes `:`, `#`, `?` and `%` in a path for other things. From 1.22 on, OPA logs
    its reloads; an older one also logs every request, so it is quiet.
    """
    beside = os.path.relpath(bundle, socket.parent)
    command = [binary, "run", "--server", "--skip-version-check", "--watch", "--bundle", beside]
    command += ["--addr", f"unix://{socket.name}", "--unix-socket-perm", "700", "--shutdown-grace-period", "2"]
    if b"--log-level-request" in stock.run(binary, "run", "--help").stdout:
        command += ["--log-level", "info", "--log-level-request", "debug"]
    else:
        command += ["--log-level", "error"]
    return map(str, command)


def _variables(cores: int | None, limit: int) -> dict[str, str]:
    """OPA's environment: GOGC=800 costs 90 MB and saves 40 % CPU; one thread saves a quarter on shared cores.

    `TZ` makes the zone "Local" the same on each machine. `limit` bounds the memory that GOGC=800 takes for large data.
    """
    return {"GOGC": "800", "GOMEMLIMIT": str(limit), "TZ": "UTC"} | (
        {"GOMAXPROCS": "1"} if (cores or 1) <= SHARED_CORES else {}
    )


def _level(line: str, entry: Mapping[str, object]) -> int:
    return logging.DEBUG if not entry and _HARMLESS in line else _LEVELS.get(str(entry.get("level")), logging.ERROR)


def _entry(line: str) -> dict[str, object]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _sentence(line: str) -> str:
    entry = _entry(line)
    return ": ".join(str(entry[key]) for key in ("msg", "err") if entry.get(key)) or line

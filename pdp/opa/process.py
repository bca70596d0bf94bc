"""An OPA that runs beside the server, on a unix socket. When its bundle is replaced, another OPA takes its place.

1. An OPA 1.22 that loads a bundle while it answers compiles all modules under its store's lock: with 500 files, no
   question was answered for 0.2 to 0.5 s. It also shares its one thread between the load and the questions, and keeps
   the memory of both policies. So a bundle is loaded by an OPA that does not answer yet.
2. The next OPA listens beside the socket. Once healthy, its socket gets the name of the one in force, in one step:
   what is asked before is answered by the old policy, and what is asked after by the new one.
3. A bundle that OPA does not take changes nothing. Each OPA has a link to its own bundle, and so the last good one is
   loaded again after a crash.
"""

import asyncio
import errno
import json
import logging
import os
import shutil
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Self

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
LEAVING_SECONDS = 6.0
"""Seconds for which the old OPA goes on: more than a question may take while a policy is loaded."""
ALIVE_SECONDS, HUNG_LOOKS = 5.0, 12
"""Seconds that OPA has to say how it is, and looks in a row without it after which it is killed: a minute or two."""
_LEVELS = {"error": logging.ERROR, "warning": logging.INFO, "info": logging.DEBUG, "debug": logging.DEBUG}
"""The levels of OPA's own notes, which are details to those who run a server. What is not JSON is a crash."""
_HARMLESS = "http: superfluous response.WriteHeader"
"""What Go writes into OPA's output each time that a query is given up, without a level."""
_POLL_SECONDS = 0.02
"""Seconds between two looks at OPA's health while it starts."""
_LOOK_SECONDS = 0.1
"""Seconds between two looks at whether the bundle was replaced."""
_WITHOUT_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_END = ".{:02}"
"""The end of the name of an OPA's own socket, before it gets the name that all know."""


log = logging.getLogger("opa")


class _Opa(Child):
    """One OPA with one bundle. `ready` is called whenever it can answer, also after it was started again."""

    name = "OPA"
    stop_seconds = 5.0
    start_seconds = 60.0  # a million identities take 2 to 10 s

    def __init__(
        self, binary: Path, bundle: Path, socket: Path, *, say: Callable[[str], None], ready: Callable[[], None]
    ) -> None:
        super().__init__(_command(binary, bundle, socket), say=say, variables={}, folder=socket.parent)
        self.socket, self.bundle, self._ready = socket, bundle, ready

    def prepare(self) -> None:
        """Give OPA memory for the bundle that it will load."""
        self._variables = _variables(os.cpu_count(), memory.limit(self.bundle))

    async def healthy(self) -> None:
        """Return once OPA answers with its bundle loaded."""
        while not await answers(self.socket):  # noqa: ASYNC110  # nothing tells when to look
            await asyncio.sleep(_POLL_SECONDS)
        self._ready()

    def hear(self, line: str) -> None:
        """Pass on OPA's log, but for what a policy prints: that is of requests."""
        match _entry(line):
            case {"line": _}:
                return
            case entry:
                log.log(_level(line, entry), "%s", _sentence(line))

    def last_lines(self) -> Iterator[str]:
        """OPA's own words, without its notes about its start."""
        return (_sentence(line) for line in self._output if _entry(line).get("level") not in {"info", "warning"})


class OpaProcess:
    """Answers on `socket`, from `start` to `stop`, by the file `bundle`, and by each that replaces it.

    `socket`, of which the name ends in `.sock`, must lie in a folder that only this user can enter, and `bundle` on a
    file system that has hard links. `reloaded` is called with "" whenever an OPA begins to answer, and with the error
    if one cannot take a bundle.
    """

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
        self._binary, self._bundle, self.socket = binary.absolute(), bundle, socket
        self._say, self._reloaded = say, reloaded
        self._number = 0
        self._present: _Opa | None = None
        self._loaded: os.stat_result | None = None
        self._running: list[_Opa] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int:
        """The process id of the OPA that answers; 0 before the first start."""
        return self._present.pid if self._present else 0

    async def start(self) -> None:
        """Return when OPA answers. Raises `SetupError` with its last lines if it does not."""
        await self._load()
        self._begin(self._watch())
        self._begin(self._guard())

    async def stop(self) -> None:
        """End every OPA, as `Child.stop` does."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in list(self._running):
            await self._end(one)
        self.socket.unlink(missing_ok=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _watch(self) -> None:
        """Load the bundle whenever it was replaced, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if _is_other(self._bundle, self._loaded):
                try:
                    await self._load()
                except (SetupError, OSError) as error:
                    self._reloaded(str(error))

    async def _guard(self) -> None:
        """Kill the OPA that answers whenever it hangs, until cancelled. Then it is started again."""
        late = 0
        while True:
            await asyncio.sleep(ALIVE_SECONDS)
            one = self._present
            late = late + 1 if one and await _hangs(self.socket) else 0
            if one and late >= HUNG_LOOKS:
                self._say(f"OPA has not answered for {HUNG_LOOKS * ALIVE_SECONDS:.0f} s; it is killed")
                one.kill()
                late = 0

    async def _load(self) -> None:
        """Let an OPA with the present bundle take over. Raises `SetupError`, and the one before goes on."""
        self._number = (self._number + 1) % 100
        own = self._bundle.with_name(f".{self.socket.name}{_END.format(self._number)}.tar.gz")
        own.unlink(missing_ok=True)
        self._loaded = _kept(self._bundle, own)
        socket = self.socket.with_suffix(_END.format(self._number))
        following = _Opa(self._binary, own, socket, say=self._say, ready=lambda: self._again(following))
        self._running.append(following)
        try:
            await following.start()
        except BaseException:
            await self._end(following)
            raise
        before, self._present = self._present, following
        self._again(following)
        if before:
            self._begin(self._leave(before))

    def _again(self, one: _Opa) -> None:
        """The OPA in force can answer, for the first time or after a crash: give it the name of the socket."""
        if one is self._present:
            one.socket.replace(self.socket)
            self._reloaded("")

    async def _leave(self, before: _Opa) -> None:
        await asyncio.sleep(LEAVING_SECONDS)
        await self._end(before)

    async def _end(self, one: _Opa) -> None:
        await one.stop()
        for file in (one.bundle, one.socket):
            file.unlink(missing_ok=True)
        if one in self._running:
            self._running.remove(one)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _hangs(socket: Path) -> bool:
    """Whether an OPA takes a connection, and then says nothing in time."""
    try:
        async with asyncio.timeout(ALIVE_SECONDS):
            await answers(socket)
    except TimeoutError:
        return True
    return False


def _kept(bundle: Path, own: Path) -> os.stat_result:
    """Make `own` another name of the bundle, or a copy where files have one name alone. How the bundle was."""
    before = bundle.stat()
    try:
        os.link(bundle, own)
    except OSError as error:
        if error.errno not in _WITHOUT_LINKS:
            raise
        shutil.copyfile(bundle, own)
        return before
    return own.stat()


def _is_other(bundle: Path, loaded: os.stat_result | None) -> bool:
    """Whether the bundle is not the file that was loaded last."""
    try:
        now = bundle.stat()
    except OSError:
        return False
    return loaded is None or (now.st_ino, now.st_mtime_ns) != (loaded.st_ino, loaded.st_mtime_ns)


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

    Paths are relative to it, because OPA takes `:`, `#`, `?` and `%` in a path for other things. From 1.22 on, OPA need
    not log every request; an older one is quiet for that.
    """
    beside = os.path.relpath(bundle, socket.parent)
    command = [binary, "run", "--server", "--skip-version-check", "--bundle", beside]
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

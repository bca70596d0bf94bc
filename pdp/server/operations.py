"""Health and metrics over plain HTTP, for probes and scrapes, which carry no credential.

1. `/livez` says whether the event loop turns. It asks no dependency, so that the failover of a database restarts
   no server.
2. `/readyz` says whether this server can decide now: what the last probes found. With `?verbose` it lists each.
3. `/metrics` is in Prometheus' text format.
4. The listener runs in a thread with a loop of its own. So it answers while the server's loop stands still.
5. Nothing on it is secret, and nothing that is sent to it is read: a request is a method and a path.
"""

import asyncio
import errno
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from pdp.background import background
from pdp.errors import SetupError
from pdp.http import head
from pdp.http.app import listening
from pdp.http.connection import Limits, Server, connection_of
from pdp.http.places import Places
from pdp.http.problem import Refusal
from pdp.operations_settings import Operations
from pdp.server import exposition
from pdp.server.readiness import SILENT_SECONDS, Pulse, Readiness

PLACES = 128
"""Connections at one time; one source has 16 of them."""
KEPT_SECONDS = 1.0
"""Seconds for which a text of metrics is given again: to make one takes the time of several decisions."""
GRACE_SECONDS = 1.0
"""Seconds that answers have to leave when the server ends."""
TURNS = 3
"""Turns of the loop after which the server knows, and closes, a connection that was taken just before the end."""
UNIX = "unix:"
"""What an address begins with that is the path of a socket."""


@dataclass(frozen=True, slots=True)
class Views:
    """What the listener shows. It asks from its own thread; `metrics` runs on its own loop."""

    is_alive: Callable[[], bool]
    readiness: Callable[[], Readiness]
    metrics: Callable[[], Awaitable[str]]


class Listener:
    """Answers probes and scrapes at `host:port` or `unix:/path`, in a thread, until `stop`."""

    def __init__(self, address: str, views: Views, *, elsewhere: bool = False) -> None:
        """Open the address; with `elsewhere` a free port where its own is taken. Raises `SetupError`."""
        self._opened = _opened(address, elsewhere=elsewhere)
        host = address.rpartition(":")[0]
        is_socket = address.startswith(UNIX)
        self.address = address if is_socket else f"{host}:{self._opened.getsockname()[1]}"
        self._pages = Pages(views)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended, self._begun = asyncio.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="operations", daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()
        self._begun.wait()

    def stop(self) -> None:
        """Close the address, and return when the thread has ended."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._begun.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = Server(self._pages.respond, lambda: None, Limits(Places(PLACES)))
        if self._opened.family is socket.AF_UNIX:
            listener = await self._loop.create_unix_server(server, sock=self._opened)
        else:
            listener = await self._loop.create_server(server, sock=self._opened, backlog=PLACES)
        self._begun.set()
        await self._ended.wait()
        for opened in listener.sockets:
            self._loop.remove_reader(opened.fileno())  # takes no more; asyncio loses what it takes while it closes
        for _ in range(TURNS):
            await asyncio.sleep(0)
        listener.close()
        server.pre_shutdown()
        await server.shutdown(GRACE_SECONDS)


class Pages:
    """The three paths."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._text, self._at = "", float("-inf")
        self._paths: Mapping[str, Callable[[bool], Awaitable[web.Response]]] = {
            "/livez": self._livez,
            "/readyz": self._readyz,
            "/metrics": self._metrics,
        }

    async def respond(self, request: web.BaseRequest) -> web.Response:
        """The response to a request. A body is not read: its connection ends."""
        try:
            head.require_good(request)
            response = await self._found(request)(request.raw_path.endswith("?verbose"))
        except Refusal as refusal:
            response = _said(refusal.status, refusal.sentence)
            response.headers.update(refusal.headers)
        if request.content.is_eof():
            connection_of(request).arrived()
        else:
            response.force_close()
        return response

    def _found(self, request: web.BaseRequest) -> Callable[[bool], Awaitable[web.Response]]:
        found = self._paths.get(head.path(request))
        if found is None:
            raise Refusal(HTTPStatus.NOT_FOUND, f"there is {', '.join(self._paths)}")
        if request.method not in {"GET", "HEAD"}:
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "this path takes GET, HEAD", Allow="GET, HEAD")
        return found

    async def _livez(self, _: bool) -> web.Response:  # noqa: FBT001  # as the others
        if self._views.is_alive():
            return _said(HTTPStatus.OK, "alive")
        return _said(HTTPStatus.SERVICE_UNAVAILABLE, f"the event loop has not turned for {SILENT_SECONDS:.0f} s")

    async def _readyz(self, verbose: bool) -> web.Response:  # noqa: FBT001  # as the others
        readiness = self._views.readiness()
        needed = {"loop": self._views.is_alive(), "server": readiness.is_serving, **readiness.needed}
        missing = [name for name, is_there in needed.items() if not is_there]
        status = HTTPStatus.SERVICE_UNAVAILABLE if missing else HTTPStatus.OK
        told = f"not ready: {', '.join(missing)}" if missing else "ready"
        if verbose:
            lines = [f"{name}: {_word(answer)}" for name, answer in needed.items()]
            lines += [f"{name}: {_word(answer)} (not needed to decide)" for name, answer in readiness.others.items()]
            told = "\n".join([*lines, told])
        return _said(status, told)

    async def _metrics(self, _: bool) -> web.Response:  # noqa: FBT001  # as the others
        if time.monotonic() - self._at > KEPT_SECONDS:
            self._text, self._at = await self._views.metrics(), time.monotonic()
        return web.Response(body=self._text.encode(), headers={**HEADERS, "Content-Type": exposition.MEDIA})


HEADERS = {"Server": "placet", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@contextmanager
def answering(address: str, views: Views, *, elsewhere: bool = False) -> Iterator[Listener]:
    """Answer probes and scrapes until the block ends. Raises `SetupError`."""
    listener = Listener(address, views, elsewhere=elsewhere)
    listener.start()
    try:
        yield listener
    finally:
        listener.stop()


@dataclass(frozen=True, slots=True)
class Operating:
    """What a server tells of its health. `address` is where that is shown; empty if nowhere."""

    readiness: Readiness
    address: str = ""


@asynccontextmanager
async def operating(
    settings: Operations | None,
    failed: asyncio.Future[None],
    *,
    elsewhere: bool = False,
    metrics: Callable[[], Awaitable[str]] | None = None,
) -> AsyncIterator[Operating]:
    """Show the health and the metrics of this process as configured, until the block ends. Raises `SetupError`.

    `metrics` gives others in place of those of this process, on the loop of the listener.

    It begins before anything else of a server, so that a probe sees a start that waits, and ends behind everything.
    """
    readiness = Readiness()
    if settings is None:
        yield Operating(readiness)
        return
    pulse = Pulse()
    views = Views(lambda: pulse.is_alive, lambda: readiness, metrics or own_metrics)
    async with background(pulse.run(), failed):
        with answering(settings.listen, views, elsewhere=elsewhere) as listener:
            yield Operating(readiness, listener.address)


async def own_metrics() -> str:
    """The metrics of this process."""
    return exposition.text()


def _said(status: HTTPStatus, sentence: str) -> web.Response:
    headers = {**HEADERS, "Content-Type": "text/plain; charset=utf-8"}
    return web.Response(body=f"{sentence}\n".encode(), status=status, headers=headers)


def _word(is_there: bool) -> str:  # noqa: FBT001  # one fact in, its word out
    return "ok" if is_there else "failed"


def _opened(address: str, *, elsewhere: bool) -> socket.socket:
    if not address.startswith(UNIX):
        return listening(address, elsewhere=elsewhere, part="operations")
    path = Path(address.removeprefix(UNIX))
    opened = socket.socket(socket.AF_UNIX)
    try:
        if _is_left(path):
            path.unlink()
        opened.bind(str(path))
        path.chmod(0o600)
        opened.listen(PLACES)
    except OSError:
        opened.close()
        raise SetupError(
            f"operations: cannot listen on {address}; is its folder there and this user's, and nothing else there?"
        ) from None
    return opened


def _is_left(path: Path) -> bool:
    """Whether a server that has ended left this socket: it is one, and does not answer."""
    if not path.is_socket():
        return False
    with socket.socket(socket.AF_UNIX) as tried:
        return tried.connect_ex(str(path)) == errno.ECONNREFUSED

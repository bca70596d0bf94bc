"""The HTTP face as a whole: its table of routes, its listeners and its end."""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import TypeAlias

from aiohttp import web

from pdp.errors import SetupError
from pdp.http import head
from pdp.http.answers import SYSTEM_BYTES
from pdp.http.connection import Limits, Server
from pdp.http.edge import Edge
from pdp.http.problem import Refusal
from pdp.http.route import AnyRoute
from pdp.http.tls import HANDSHAKE_SECONDS

BACKLOG = 128
"""Connections that the kernel has ready before this process takes them, all at once: it needs descriptors for them."""
GRACE_SECONDS = 10.0
"""Seconds that calls in flight have to finish when the server stops: as many as a unary call may take."""
_Methods: TypeAlias = Mapping[str, AnyRoute]


class Routes:
    """The table of routes: a path is one as a whole, or none. A part `{name}` stands for anything but a slash."""

    def __init__(self, routes: Sequence[AnyRoute]) -> None:
        self.all = tuple(routes)
        paths: dict[str, dict[str, AnyRoute]] = {}
        for route in routes:
            paths.setdefault(route.path, {})[route.method] = route
        self._paths: dict[str, _Methods] = {path: methods for path, methods in paths.items() if "{" not in path}
        self._patterns = [(_pattern(path), methods) for path, methods in paths.items() if "{" in path]

    def find(self, method: str, path: str) -> tuple[AnyRoute, Mapping[str, str]]:
        """The route of a request and the parameters of its path. Raises `Refusal`."""
        methods, parameters = self._methods(path)
        if methods is None:
            near, _ = self._methods(path.rstrip("/"))
            hint = "; without the slash at its end there is" if near else ""
            raise Refusal(HTTPStatus.NOT_FOUND, f"there is nothing at this path{hint}")
        route = methods.get("GET" if method == "HEAD" else method)
        if route is None:
            allowed = ", ".join(sorted(methods))
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"this path takes {allowed}", Allow=allowed)
        return route, parameters

    def _methods(self, path: str) -> tuple[_Methods | None, Mapping[str, str]]:
        if path in self._paths:
            return self._paths[path], {}
        for pattern, methods in self._patterns:
            if matched := pattern.fullmatch(path):
                return methods, matched.groupdict()
        return None, {}


class Face:
    """The HTTP face of a server."""

    def __init__(
        self, edge: Edge, began: Callable[[], None], limits: Limits | None = None, *, shared: bool = False
    ) -> None:
        """`began` is called at the beginning of each connection. If its addresses are `shared`, `resume` opens them."""
        self.routes, self.url, self._edge, self._shared = Routes(()), "", edge, shared
        self._server = Server(self._handle, began, limits)
        self._addresses: list[tuple[str, ssl.SSLContext | None]] = []
        self._listeners: list[asyncio.Server] = []
        self.ports: list[int] = []
        """The ports of its addresses."""

    async def open(self, address: str, tls: ssl.SSLContext | None = None, *, elsewhere: bool = False) -> int:
        """Open `host:port`; port 0 takes a free one, and with `elsewhere` so does one that is taken.

        Returns the port. Raises `SetupError`. A shared address, whose port must not be 0, is opened by `resume`.
        """
        self._addresses.append((address, tls))
        shared = int(address.rpartition(":")[2]) if self._shared else 0
        self.ports.append(shared or await self._listen(address, tls, elsewhere=elsewhere))
        return self.ports[-1]

    async def _listen(self, address: str, tls: ssl.SSLContext | None, *, elsewhere: bool = False) -> int:
        opened = listening(address, elsewhere=elsewhere, shared=self._shared)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SYSTEM_BYTES)
        listener = await asyncio.get_running_loop().create_server(
            self._server,
            sock=opened,
            ssl=tls,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if tls else None,
            backlog=BACKLOG,
            start_serving=False,
        )
        self._listeners.append(listener)
        return int(listener.sockets[0].getsockname()[1])

    async def start(self, routes: Routes, url: str) -> None:
        """Serve these routes at what is open. Clients call the face by `url`."""
        self.routes, self.url = routes, url
        for listener in self._listeners:
            await listener.start_serving()

    async def resume(self) -> None:
        """Open the shared addresses and serve there. Raises `SetupError`."""
        self._edge.is_draining = False
        for address, tls in self._addresses:
            await self._listen(address, tls)
        for listener in self._listeners:
            await listener.start_serving()

    def pause(self) -> None:
        """Take no more connections; each answer closes its connection."""
        self._edge.is_draining = True
        for listener in self._listeners:
            listener.close()
        self._listeners = []

    async def stop(self) -> None:
        """Take no more connections, and let calls in flight finish; their answers close their connections."""
        self.pause()
        self._server.pre_shutdown()
        await self._server.shutdown(GRACE_SECONDS)

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        return await self._edge.respond(request, partial(self.routes.find, request.method, head.path(request)))


def listening(address: str, *, elsewhere: bool, part: str = "http", shared: bool = False) -> socket.socket:
    """A socket that listens from now on: one that is only bound does not keep another program from its port.

    `part` is that of the configuration which the error names. If it is `shared`, other processes of this user may
    listen there, too.
    """
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), int(port)), family=family, backlog=BACKLOG, reuse_port=shared)
    except (OSError, ValueError):
        if elsewhere:
            return listening(f"{host}:0", elsewhere=False, part=part)
        sentence = f"{part}: cannot listen on {address}; another program may, choose another with {part}.listen"
        raise SetupError(sentence) from None


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))

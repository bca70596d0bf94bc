"""A connection of the HTTP face, and what it may cost: how long a request takes to arrive, and how many there are.

aiohttp has no timer before the end of the headers. So each open connection has one of ours: a request is here, as a
whole, within `REQUEST_SECONDS` of the connection's beginning or of its own first byte.
"""

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from aiohttp import web

from pdp.http.problem import Refusal, problem

log = logging.getLogger(__name__)

REQUEST_SECONDS = 10.0
"""Seconds from connecting, or from a request's first byte, to the request's end."""
KEEP_ALIVE_SECONDS = 75.0
"""Seconds that a connection without a request stays open."""
LINGER_SECONDS = 1.0
"""Seconds for which a body that nobody wants is read off, so that its sender gets the answer."""
MAX_HEADER_BYTES = 8 * 1024
"""Bytes of the request line and all headers, together. It has room for one token of the largest size that is taken."""
MOST_UNPARSED_BYTES = 4 * MAX_HEADER_BYTES
"""Bytes of headers without an end that are kept: aiohttp alone would keep 128 headers of the largest size."""
UNREAD_BYTES = 16 * 1024
"""Bytes of a body after which no more is taken from the connection until somebody asks for it."""
CONNECTIONS = 4096
"""Connections at one time."""


class Connection(web.RequestHandler):
    """One connection, and the timer over what arrives on it."""

    __slots__ = ("_has_more", "_head_bytes", "_is_busy", "_timer")

    def __init__(self, server: "Server", *, loop: asyncio.AbstractEventLoop, **options: Any) -> None:
        super().__init__(server, loop=loop, **options)
        self._timer: asyncio.TimerHandle | None = None
        self._is_busy = self._has_more = False
        self._head_bytes: int | None = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the timer; a connection too many ends at once."""
        super().connection_made(transport)
        self._begin()
        if self._manager is not None and len(self._manager.connections) > CONNECTIONS:
            self._end()

    def data_received(self, data: bytes) -> None:
        """Begin the timer at the first byte of a request, and end what sends headers without an end."""
        if self._is_busy:
            self._has_more = True
        elif self._timer is None:
            self._begin()
        before = self._request_count
        super().data_received(data)
        if self._request_count > before:
            self._head_bytes = None
        elif self._head_bytes is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_UNPARSED_BYTES:
                self._end()

    def connection_lost(self, exc: BaseException | None) -> None:
        """End the timer."""
        self._stop()
        super().connection_lost(exc)

    def arrived(self) -> None:
        """The present request is here as a whole."""
        self._stop()
        self._is_busy, self._has_more = True, False

    def ended(self) -> None:
        """The present request is answered; the next may have begun."""
        self._is_busy = False
        self._head_bytes = None if self._messages else 0
        if self._has_more and self._timer is None:
            self._begin()

    def log_exception(self, *_: Any, **__: Any) -> None:
        """Malformed HTTP is its sender's affair: aiohttp would write a traceback of it into the log."""

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002  # aiohttp's
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # aiohttp's, which quotes what was sent
    ) -> web.StreamResponse:
        """The answer to what is not HTTP, or to a failure of ours beyond the edge."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("the HTTP face failed", exc_info=exc)
            refusal = Refusal(HTTPStatus(status), "the server failed; its log has the details")
        else:
            refusal = Refusal(
                HTTPStatus(status), "the request is not HTTP/1.1 as RFC 9112 has it, or a part is too long"
            )
        answer = problem(refusal, "")
        response = web.Response(
            body=answer.body, status=status, headers={"Content-Type": answer.media, "Server": "placet"}
        )
        response.force_close()
        return response

    def _begin(self) -> None:
        self._timer = self._loop.call_later(REQUEST_SECONDS, self._end)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class Server(web.Server):
    """Makes the connections. `began` is called at the beginning of each, before TLS."""

    def __init__(self, handler: Callable[[web.BaseRequest], Any], began: Callable[[], None]) -> None:
        super().__init__(handler, handler_cancellation=True)
        self._began = began

    def __call__(self) -> Connection:
        """The protocol of a new connection."""
        self._began()
        return Connection(
            self,
            loop=self._loop,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            access_log=None,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            lingering_time=LINGER_SECONDS,
            read_bufsize=UNREAD_BYTES,
            auto_decompress=False,
        )

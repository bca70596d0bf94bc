"""A connection of the HTTP face, and what it may cost: how long a request takes to arrive, and how many there are.

aiohttp has no timer before the end of the headers. So each open connection has one of ours: a request is here, as a
whole, within `REQUEST_SECONDS` of the connection's beginning or of its own first byte. Between two requests a
stranger's connection has a short time, and an answer is taken in the time of `pdp.http.answers`.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

from aiohttp import web

from pdp.errors import Overloaded
from pdp.http.answers import PART_BYTES, Answers, Parts
from pdp.http.places import Places, source
from pdp.http.problem import Refusal, problem
from pdp.http.streamed import Streamed

log = logging.getLogger(__name__)

REQUEST_SECONDS = 10.0
"""Seconds from connecting, or from a request's first byte, to the request's end."""
KEEP_ALIVE_SECONDS = 75.0
"""Seconds that a connection without a request stays open."""
STRANGER_SECONDS = 5.0
"""The same where no call has proven yet who calls."""
LINGER_SECONDS = 1.0
"""Seconds for which a body that nobody wants is read off, so that its sender gets the answer."""
MAX_HEADER_BYTES = 8 * 1024
"""Bytes of the request line and all headers, together. It has room for one token of the largest size that is taken."""
MOST_UNPARSED_BYTES = 4 * MAX_HEADER_BYTES
"""Bytes of headers without an end that are kept: aiohttp alone would keep 128 headers of the largest size."""
MOST_UNSENT_BYTES = 1 << 30
"""More than is ever written at one time: beyond it aiohttp would wait for a slow reader without end."""
UNREAD_BYTES = 16 * 1024
"""Bytes of a body after which no more is taken from the connection until somebody asks for it."""


@dataclass(frozen=True)
class Limits:
    """What the connections of one process may cost together."""

    places: Places = field(default_factory=Places)
    answers: Answers = field(default_factory=Answers)
    stranger_seconds: float = STRANGER_SECONDS
    takes: Callable[[Any], bool] = lambda _: True
    """Whether connections of a peer are taken at all, its name as asyncio has it."""


class Connection(web.RequestHandler):
    """One connection, and the timer over what arrives on it."""

    __slots__ = ("_caller", "_has_more", "_head_bytes", "_is_busy", "_is_kept", "_limits", "_timer", "source")

    def __init__(self, server: "Server", limits: Limits, *, loop: asyncio.AbstractEventLoop, **options: Any) -> None:
        super().__init__(server, loop=loop, **options)
        self._limits = limits
        self._timer: asyncio.TimerHandle | None = None
        self._is_busy = self._has_more = self._is_kept = False
        self._head_bytes: int | None = 0
        self._caller = self.source = ""

    @property
    def is_idle(self) -> bool:
        """Whether no call is being answered. One whose answer goes on gives its place to others."""
        return self._current_request is None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the timer, and take a place."""
        super().connection_made(transport)
        written = cast("asyncio.Transport", transport)
        written.set_write_buffer_limits(high=MOST_UNSENT_BYTES)
        if not self._limits.takes(transport.get_extra_info("peername")):
            self._limits.places.refused(source(transport.get_extra_info("peername")))
            self.end()
            return
        self.source = source(transport.get_extra_info("peername"))
        self._begin(REQUEST_SECONDS)
        self._limits.places.take(self)

    def data_received(self, data: bytes) -> None:
        """Begin the timer at the first byte of a request, and end what sends headers without an end."""
        if self._is_busy:
            self._has_more = True
        elif self._timer is None or self._is_kept:
            self._begin(REQUEST_SECONDS)
        before = self._request_count
        super().data_received(data)
        if self._request_count > before:
            self._head_bytes = None
        elif self._head_bytes is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_UNPARSED_BYTES:
                self.end()

    def connection_lost(self, exc: BaseException | None) -> None:
        """End the timer, and leave the place."""
        self._stop()
        self._limits.places.leave(self)
        super().connection_lost(exc)

    def arrived(self) -> None:
        """The present request is here as a whole."""
        self._stop()
        self._is_busy, self._has_more = True, False

    def proven(self, caller: str) -> None:
        """The present request comes from this caller. Raises `Overloaded` if that does not take its answers."""
        self._caller = caller
        self._limits.places.proven(self)
        self._limits.answers.require_room(caller)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Write an answer, and wait until it is taken; the next request may have begun by then."""
        transport = self.transport
        if transport is None:
            return resp, True
        try:
            with self._limits.answers.sending(
                transport, self._caller or self.source, resp.content_length or 0
            ) as sending:
                if isinstance(resp, web.Response) and isinstance(resp.body, Streamed):
                    resp.body.sending = sending
                elif isinstance(resp, web.Response) and isinstance(resp.body, bytes) and len(resp.body) > PART_BYTES:
                    resp.body = Parts(resp.body, sending)
                written = await super().finish_response(request, resp, start_time)
                await sending.taken()
                return written
        except Overloaded:
            self.end()
        finally:
            self._ended()
        return resp, True

    def end(self) -> None:
        """End the connection at once."""
        if self.transport is not None:
            self.transport.abort()

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

    def _ended(self) -> None:
        self._is_busy = False
        self._head_bytes = None if self._messages else 0
        if self._timer is None and self._has_more:
            self._begin(REQUEST_SECONDS)
        elif self._timer is None and not self._caller:
            self._begin(self._limits.stranger_seconds)
            self._is_kept = True

    def _begin(self, seconds: float) -> None:
        self._stop()
        self._timer = self._loop.call_later(seconds, self.end)

    def _stop(self) -> None:
        self._is_kept = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def connection_of(request: web.BaseRequest) -> Connection:
    """The connection of a request."""
    assert isinstance(request.protocol, Connection)  # noqa: S101  # the server makes no others
    return request.protocol


class Server(web.Server):
    """Makes the connections. `began` is called at the beginning of each, before TLS."""

    def __init__(
        self, handler: Callable[[web.BaseRequest], Any], began: Callable[[], None], limits: Limits | None = None
    ) -> None:
        super().__init__(handler, handler_cancellation=True)
        self._began, self._limits = began, limits or Limits()

    def __call__(self) -> Connection:
        """The protocol of a new connection."""
        self._began()
        return Connection(
            self,
            self._limits,
            loop=self._loop,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            access_log=None,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            lingering_time=LINGER_SECONDS,
            read_bufsize=UNREAD_BYTES,
            auto_decompress=False,
        )

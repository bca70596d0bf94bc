"""The edge between HTTP and the behaviours: it authenticates callers, then takes bodies, and maps errors.

1. Who cannot prove who it is has sent no body that anybody read. Of a `Hook` the body is what its signature proves.
2. The caller, its role and its deadline are found as on the gRPC edge, by the one `Authenticator` and the one table.
3. Errors become statuses here, and nowhere else.
"""

import logging
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any, TypeAlias

from aiohttp import web

from pdp import call_summary, correlation, deadline, identifier, metrics
from pdp.admission import Admission
from pdp.authn.authenticator import Authenticator
from pdp.call_summary import Calls
from pdp.caller import Caller
from pdp.errors import PdpError
from pdp.http import head
from pdp.http.body import Bodies
from pdp.http.connection import connection_of
from pdp.http.login import SESSION_COOKIE
from pdp.http.pages import Asked, Known, Pages
from pdp.http.problem import Refusal, problem
from pdp.http.route import Answer, AnyRoute, Call, Hook, OpenRoute, Route, Stream
from pdp.http.streamed import Streamed
from pdp.room import LATER_SECONDS, Room

log = logging.getLogger(__name__)

MAX_WAITS = 1024
"""Calls that wait for people, of one caller in one process: as many as it may have approvals that wait, and a few."""
PEM = 1
"""The form of a certificate of a chain, as the module `_ssl` numbers it."""
Found: TypeAlias = Callable[[], tuple[AnyRoute, Mapping[str, str]]]
"""Gives the route of a request and the parameters of its path, or raises `Refusal`."""


class Edge:
    """Turns HTTP requests into calls of routes, and their answers into responses."""

    def __init__(
        self,
        authenticator: Authenticator,
        admission: Admission,
        *,
        certificates: bool = False,
        proven: Callable[[str], None] | None = None,
        calls: Calls | None = None,
    ) -> None:
        """`certificates` says that clients may come with certificates. `proven` gets each call's peer that may call."""
        self._authenticator, self._admission = authenticator, admission
        self._certificates, self._proven = certificates, proven
        self._bodies, self.is_draining, self._calls = Bodies(), False, calls or Calls()
        self.pages: Pages | None = None
        self._waits = Room(
            MAX_WAITS, f"this caller has {MAX_WAITS:,} waits here, which is the most; end one of them", LATER_SECONDS
        )

    async def respond(self, request: web.BaseRequest, found: Found) -> web.Response:
        """The response to a request; `found` gives its route and the parameters of its path, or raises `Refusal`."""
        request_id = _request_id(request)
        correlation.begin(request_id, correlation.trace_parent(request.headers.getall(correlation.TRACE_PARENT, [])))
        with self._calls.summary():
            if self.pages is not None and self.pages.covers(head.path(request)):
                answer = await self._paged(self.pages, request, _told(found), request_id)
            else:
                answer = await self._called(request, _told(found), request_id)
            call_summary.answered(str(answer.status))
            return self._response(answer, request, request_id)

    async def _called(self, request: web.BaseRequest, found: Found, request_id: str) -> Answer:
        try:
            head.require_good(request)
            route, parameters = found()
            return await self._answer(route, parameters, request)
        except Exception as error:  # noqa: BLE001  # with `_paged` the one place where errors become statuses
            self._admission.shedding.see(error)
            return problem(_ours(error), request_id, request.headers.get("Accept", ""))

    async def _paged(self, pages: Pages, request: web.BaseRequest, found: Found, request_id: str) -> Answer:
        known = Known()
        try:
            head.require_good(request)
            pages.require_host(request)
            try:
                route, parameters = found()
            except Refusal:
                known.holder = await pages.holder(request)
                raise
            answer = await pages.answer(route, Asked(request, parameters, known, self._calls.proven))
        except Exception as error:  # noqa: BLE001  # with `_called` the one place where errors become statuses
            self._admission.shedding.see(error)
            answer = pages.failed(_ours(error), known, request_id)
        return replace(answer, headers={**answer.headers, **pages.origin.headers})

    async def _answer(self, route: AnyRoute, parameters: Mapping[str, str], request: web.BaseRequest) -> Answer:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if isinstance(route, OpenRoute):
            return await route.behaviour(headers)
        if isinstance(route, Hook):
            return await self._hooked(route, headers, request)
        if not isinstance(route, Route):
            raise Refusal(HTTPStatus.NOT_FOUND, "there is nothing at this path")
        if any(f"{SESSION_COOKIE}=" in sent for sent in request.headers.getall("Cookie", [])):
            raise Refusal(HTTPStatus.BAD_REQUEST, "this path takes a token and no session; send no cookie")
        deadline.begin(head.remaining(request), route.seconds, route.usual_seconds)
        caller = await self._caller(route, request)
        self._admission.require(caller.identity, has_room_of_its_own=route.seconds is not None)
        async with self._bodies.body(route, caller.identity, request) as body:
            connection_of(request).arrived()
            deadline.require(0.0)
            admitted = partial(self._admitted, route, caller, len(body))
            async with deadline.whole():
                return await route.behaviour(Call(caller, body, headers, parameters, request.query, admitted))

    async def _hooked(self, hook: Hook, headers: Mapping[str, str], request: web.BaseRequest) -> Answer:
        """A message of another service: of one without a signature of now no body is read."""
        deadline.begin(None, None, hook.usual_seconds)
        await hook.require(headers)
        async with self._bodies.body(hook, _peer(request), request) as body:
            connection_of(request).arrived()
            async with deadline.whole():
                return await hook.behaviour(headers, body)

    def _admitted(self, route: Route, caller: Caller, size: int, questions: int) -> AbstractAsyncContextManager[None]:
        """The call's place among the others; one that waits for people has room of its own in its stead."""
        if route.seconds is not None:
            return self._waiting(caller)
        return self._admission.admitted(caller.identity, questions, size, paid=1)

    @asynccontextmanager
    async def _waiting(self, caller: Caller) -> AsyncIterator[None]:
        with self._waits.taken(caller.identity):
            yield

    async def _caller(self, route: Route, request: web.BaseRequest) -> Caller:
        sent = request.headers.getall("Authorization", [])
        certificate = chain = b""
        if self._certificates:
            certificate, chain = _certificates(request)
        authorization = "" if len(sent) > 1 else next(iter(sent), None)
        with metrics.AUTHENTICATE.took():
            caller = await self._authenticator.caller(authorization, certificate, chain)
        if self._proven is not None:
            self._proven(_peer(request))
        connection_of(request).proven(caller.identity)
        self._calls.proven()
        route.admit(caller)
        return caller

    def _response(self, answer: Answer, request: web.BaseRequest, request_id: str) -> web.Response:
        response = web.Response(
            body=Streamed(answer.content) if isinstance(answer, Stream) else answer.body,
            status=answer.status,
            headers={"Content-Type": answer.media, "X-Request-ID": request_id, "Server": "placet", **answer.headers},
        )
        if request.content.is_eof():
            connection_of(request).arrived()
        if self.is_draining or not request.content.is_eof() or "Connection" in answer.headers:
            response.force_close()
        return response


def _ours(error: Exception) -> PdpError:
    """The error of a call that failed. What is not ours is logged, and the caller is told where."""
    if isinstance(error, PdpError):
        return error
    error_id = identifier.new("rec")[4:]
    log.error("a call of HTTP failed, error id %s", error_id, exc_info=error, extra={"error_id": error_id})
    return PdpError(f"the server failed; its log has the details under {error_id}", error_id=error_id)


def _request_id(request: web.BaseRequest) -> str:
    return correlation.request_id(request.headers.getall(correlation.REQUEST_ID, [])) or identifier.new("req")


def _told(found: Found) -> Found:
    """The same; the call's summary learns which route it is."""

    def told() -> tuple[AnyRoute, Mapping[str, str]]:
        route, parameters = found()
        call_summary.named(getattr(route, "rpc", ""), f"{route.method} {route.path}")
        return route, parameters

    return told


def _certificates(request: web.BaseRequest) -> tuple[bytes, bytes]:
    """The certificate of the connection and its chain, in PEM; empty where there is none."""
    transport = request.transport
    shown: Any = transport.get_extra_info("ssl_object") if transport is not None else None
    certificate = shown.getpeercert(binary_form=True) if shown is not None else None
    if not certificate:
        return b"", b""
    chain = shown._sslobj.get_unverified_chain() or ()  # noqa: SLF001  # public from Python 3.13 on
    pem = "".join(one.public_bytes(PEM) for one in chain)
    return ssl.DER_cert_to_PEM_cert(certificate).encode(), pem.encode()


def _peer(request: web.BaseRequest) -> str:
    """The other end of the connection, named as gRPC names it."""
    named: Any = connection_of(request).peername or ("", 0)
    host, port, *of_six = named
    return f"ipv6:[{host}]:{port}" if of_six else f"ipv4:{host}:{port}"

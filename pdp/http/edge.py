"""The edge between HTTP and the behaviours: it authenticates callers, then takes bodies, and maps errors.

1. Who cannot prove who it is has sent no body that anybody read.
2. The caller, its role and its deadline are found as on the gRPC edge, by the one `Authenticator` and the one table.
3. Errors become statuses here, and nowhere else.
"""

import logging
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

from aiohttp import web

from pdp import correlation, deadline, identifier
from pdp.admission import Admission
from pdp.authn.authenticator import Authenticator
from pdp.caller import Caller
from pdp.errors import PdpError
from pdp.http import head
from pdp.http.body import Bodies
from pdp.http.connection import Connection
from pdp.http.problem import problem
from pdp.http.route import Answer, Call, OpenRoute, Route
from pdp.room import LATER_SECONDS, Room

log = logging.getLogger(__name__)

MAX_WAITS = 1024
"""Calls that wait for people, of one caller in one process: as many as it may have approvals that wait, and a few."""
PEM = 1
"""The form of a certificate of a chain, as the module `_ssl` numbers it."""
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


class Edge:
    """Turns HTTP requests into calls of routes, and their answers into responses."""

    def __init__(
        self,
        authenticator: Authenticator,
        admission: Admission,
        *,
        certificates: bool = False,
        proven: Callable[[str], None] | None = None,
    ) -> None:
        """`certificates` says that clients may come with certificates. `proven` gets each call's peer that may call."""
        self._authenticator, self._admission = authenticator, admission
        self._certificates, self._proven = certificates, proven
        self._bodies, self.is_draining = Bodies(), False
        self._waits = Room(
            MAX_WAITS, f"this caller has {MAX_WAITS:,} waits here, which is the most; end one of them", LATER_SECONDS
        )

    async def respond(
        self, request: web.BaseRequest, found: Callable[[], tuple[Route | OpenRoute, Mapping[str, str]]]
    ) -> web.Response:
        """The response to a request; `found` gives its route and the parameters of its path, or raises `Refusal`."""
        request_id = _request_id(request)
        correlation.begin(request_id)
        try:
            head.require_good(request)
            route, parameters = found()
            answer = await self._answer(route, parameters, request)
        except Exception as error:  # noqa: BLE001  # the one place where errors become statuses
            answer = _failure(error, request, request_id)
        return self._response(answer, request, request_id)

    async def _answer(
        self, route: Route | OpenRoute, parameters: Mapping[str, str], request: web.BaseRequest
    ) -> Answer:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if isinstance(route, OpenRoute):
            return await route.behaviour(headers)
        deadline.begin(head.remaining(request), route.seconds, route.usual_seconds)
        caller = await self._caller(route, request)
        async with self._bodies.body(route, caller.identity, request) as body:
            _connection(request).arrived()
            deadline.require(0.0)
            admitted = partial(self._admitted, route, caller, len(body))
            async with deadline.whole():
                return await route.behaviour(Call(caller, body, headers, parameters, request.query, admitted))

    def _admitted(self, route: Route, caller: Caller, size: int, questions: int) -> AbstractAsyncContextManager[None]:
        """The call's place among the others; one that waits for people has room of its own in its stead."""
        if route.seconds is not None:
            return self._waiting(caller)
        return self._admission.admitted(caller.identity, questions, size)

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
        caller = await self._authenticator.caller(authorization, certificate, chain)
        if self._proven is not None:
            self._proven(_peer(request))
        _connection(request).proven(caller.identity)
        route.admit(caller)
        return caller

    def _response(self, answer: Answer, request: web.BaseRequest, request_id: str) -> web.Response:
        response = web.Response(
            body=answer.body,
            status=answer.status,
            headers={"Content-Type": answer.media, "X-Request-ID": request_id, "Server": "placet", **answer.headers},
        )
        if request.content.is_eof():
            _connection(request).arrived()
        if self.is_draining or not request.content.is_eof() or "Connection" in answer.headers:
            response.force_close()
        return response


def _failure(error: Exception, request: web.BaseRequest, request_id: str) -> Answer:
    """The answer to a call that failed. What is not ours is logged, and the caller is told where."""
    if not isinstance(error, PdpError):
        error_id = identifier.new("rec")[4:]
        log.error("%s failed, error id %s", request.rel_url.path, error_id, exc_info=error)
        error = PdpError(f"the server failed; its log has the details under {error_id}", error_id=error_id)
    return problem(error, request_id, request.headers.get("Accept", ""))


def _request_id(request: web.BaseRequest) -> str:
    sent = request.headers.getall("X-Request-ID", [])
    if len(sent) == 1 and _REQUEST_ID.fullmatch(sent[0]):
        return sent[0]
    return identifier.new("req")


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
    named: Any = _connection(request).peername or ("", 0)
    host, port, *of_six = named
    return f"ipv6:[{host}]:{port}" if of_six else f"ipv4:{host}:{port}"


def _connection(request: web.BaseRequest) -> Connection:
    assert isinstance(request.protocol, Connection)  # noqa: S101  # the server makes no others
    return request.protocol

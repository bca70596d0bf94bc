"""The edge of the pages: who has a session, what a form must prove, and what every answer says.

1. A page takes a session's cookie and no credential.
2. A GET changes nothing. Without a session, or with old claims, it leads to the login and back.
3. A POST comes from a page of ours, with the session's token. One that is refused keeps the words that were typed.
4. What does not exist, and what is not this person's business, is the same answer.
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus

from aiohttp import web

from pdp import deadline
from pdp.admission import Admission
from pdp.authn.authenticator import Authenticator
from pdp.caller import Caller
from pdp.errors import NotAllowed, PdpError
from pdp.http import form
from pdp.http.body import Bodies
from pdp.http.connection import connection_of
from pdp.http.login import SESSION_COOKIE, redirect, to_login
from pdp.http.origin import Origin
from pdp.http.problem import Refusal, above_fields, fields, headers_of, status
from pdp.http.proxies import Proxies
from pdp.http.route import HTML, Answer, AnyRoute, Entrance, Holder, Page, PageCall, Visit
from pdp.session import form_token
from pdp.workflow.sessions import Present, Sessions

NOTHING_HERE = "there is nothing here, or nothing that is yours to see"
_AGAIN = "open the page again and send it once more; what you typed is below"
_ENDED = "you are not logged in any more; " + _AGAIN
_STALE = "who you are was confirmed more than an hour ago; " + _AGAIN
_FORGED = "this form is not of your session; nothing was done; " + _AGAIN


@dataclass(frozen=True, slots=True)
class Failure:
    """What a person is told where a page could not be given. `words` were typed, by the names of their fields."""

    status: HTTPStatus
    sentence: str
    violations: Sequence[Mapping[str, str]]
    words: Mapping[str, str]
    request_id: str
    holder: Holder | None = None


@dataclass(slots=True)
class Known:
    """What is known of a request by now: what was typed into its form, and whose session it has."""

    words: dict[str, str] = field(default_factory=dict)
    holder: Holder | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a page. `proven` is called when its person is known."""

    request: web.BaseRequest
    parameters: Mapping[str, str]
    known: Known
    proven: Callable[[], None]

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, with names in lower case."""
        return {name.lower(): value for name, value in self.request.headers.items()}

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies, each that came once."""
        return form.cookies(self.request.headers.getall("Cookie", []))

    @property
    def query(self) -> Mapping[str, str]:
        """The query of the target. Raises `InvalidRequest`."""
        return form.once(form.pairs(self.request.raw_path.partition("?")[2].encode(), "query"))


class Pages:
    """The edge of the pages below some roots, such as `/inbox`. `told` makes the page of a failure, in HTML."""

    def __init__(
        self,
        origin: Origin,
        roots: frozenset[str],
        sessions: Sessions,
        authenticator: Authenticator,
        admission: Admission,
        proxies: Proxies,
        told: Callable[[Failure], bytes],
    ) -> None:
        self.origin, self._roots, self._sessions = origin, roots, sessions
        self._authenticator, self._admission, self._proxies = authenticator, admission, proxies
        self._told, self._bodies = told, Bodies()

    def covers(self, path: str) -> bool:
        """Whether a path is that of a page, or could be."""
        return root(path) in self._roots

    def require_host(self, request: web.BaseRequest) -> None:
        """Raise `Refusal` unless the request is for the address of the pages."""
        self.origin.require_host(request.headers.getall("Host", []))

    async def holder(self, request: web.BaseRequest) -> Holder | None:
        """Whose session a request has; None without one. No session lasts longer by this."""
        secret = form.cookies(request.headers.getall("Cookie", [])).get(SESSION_COOKIE, "")
        present = await self._sessions.seen(secret) if secret else None
        return _holder(present) if present else None

    async def answer(self, route: AnyRoute, asked: Asked) -> Answer:
        """The answer of a page. Raises `PdpError`."""
        if isinstance(route, Entrance):
            return await self._entered(route, asked)
        if not isinstance(route, Page):
            raise Refusal(HTTPStatus.NOT_FOUND, NOTHING_HERE)
        if "authorization" in asked.headers:
            raise Refusal(HTTPStatus.BAD_REQUEST, "this is a page for people, who log in; it takes no token")
        deadline.begin(None, None, route.usual_seconds)
        return await (self._shown(route, asked) if route.method == "GET" else self._sent(route, asked))

    def failed(self, error: PdpError, known: Known, request_id: str) -> Answer:
        """The page of a failure. What is not there and what is not one's business look the same."""
        code = status(error)
        is_there = code is not HTTPStatus.NOT_FOUND
        told = (above_fields(error), fields(error)) if is_there else (NOTHING_HERE, [])
        headers = {name: value for name, value in headers_of(error, code).items() if name != "WWW-Authenticate"}
        failure = Failure(code, *told, known.words, request_id, known.holder)
        return Answer(self._told(failure), code, HTML, headers)

    async def _shown(self, page: Page, asked: Asked) -> Answer:
        secret = asked.cookies.get(SESSION_COOKIE, "")
        present = await (self._sessions.present(secret) if page.is_use else self._sessions.seen(secret))
        if present is None or present.is_stale:
            if asked.headers.get("sec-fetch-mode", "navigate") != "navigate":  # a script could not follow
                raise Refusal(HTTPStatus.UNAUTHORIZED, "you are not logged in any more")
            return redirect(to_login(asked.request.raw_path))
        asked.known.holder = _holder(present)
        return await self._done(page, asked, present, {}, 0)

    async def _sent(self, page: Page, asked: Asked) -> Answer:
        self.origin.require_own(asked.headers, asked.request.headers.getall("Origin", []))
        secret = asked.cookies.get(SESSION_COOKIE, "")
        if not secret:
            raise Refusal(HTTPStatus.UNAUTHORIZED, "you are not logged in")
        async with self._bodies.body(page, self._source(asked), asked.request) as body:
            asked.known.words.update(form.words(body, page.words))
            present = await self._sessions.present(secret)
            if present is None or present.is_stale:
                raise Refusal(HTTPStatus.UNAUTHORIZED, _STALE if present else _ENDED)
            asked.known.holder = _holder(present)
            sent = form.pairs(body, "body")
            tokens = [value for name, value in sent if name == form.FIELD]
            if len(tokens) != 1 or not hmac.compare_digest(tokens[0].encode(), form_token(secret).encode()):
                raise Refusal(HTTPStatus.FORBIDDEN, _FORGED)
            fields = form.exactly(form.once([pair for pair in sent if pair[0] != form.FIELD]), page.fields, page.others)
            return await self._done(page, asked, present, fields, len(body))

    async def _done(self, page: Page, asked: Asked, present: Present, fields: Mapping[str, str], size: int) -> Answer:
        caller = self._caller(present)
        connection_of(asked.request).arrived()
        connection_of(asked.request).proven(caller.identity)
        asked.proven()
        _admit(page, caller)
        admitted = partial(self._admission.admitted, caller.identity, size=size)
        lasts = partial(self._lasts, present.secret)
        call = PageCall(caller, present, fields, asked.headers, asked.parameters, asked.query, admitted, lasts)
        async with deadline.whole():
            return await page.behaviour(call)

    async def _lasts(self, secret: str) -> bool:
        present = await self._sessions.seen(secret)
        return present is not None and not present.is_stale

    async def _entered(self, entrance: Entrance, asked: Asked) -> Answer:
        deadline.begin(None, None, entrance.usual_seconds)
        source = self._source(asked)
        async with self._bodies.body(entrance, source, asked.request) as body:
            connection_of(asked.request).arrived()
            fields = form.once(form.pairs(body, "body"))
            async with deadline.whole():
                return await entrance.behaviour(Visit(source, fields, asked.headers, asked.query, asked.cookies))

    def _caller(self, present: Present) -> Caller:
        """Who a session is of, as today's configuration says."""
        caller = self._authenticator.of_claims(present.claims)
        return replace(caller, expires_at=present.session.ends_at.timestamp())

    def _source(self, asked: Asked) -> str:
        forwarded = asked.request.headers.getall("X-Forwarded-For", [])
        return self._proxies.source(connection_of(asked.request).peername, forwarded)


def _admit(page: Page, caller: Caller) -> None:
    """Raise `NotAllowed` unless this person may open the page, or what says that nothing is there."""
    try:
        page.admit(caller)
    except NotAllowed:
        if page.hides:
            raise Refusal(HTTPStatus.NOT_FOUND, NOTHING_HERE) from None
        raise


def _holder(present: Present) -> Holder:
    return Holder(present.session.identity, form_token(present.secret))


def root(path: str) -> str:
    """The first part of a path, with its slash."""
    return "/" + path.split("/")[1].partition("?")[0] if path.startswith("/") else ""

"""Login and logout: the pages that lead to the identity provider and back.

1. A login belongs to the browser that began it, by a cookie of its own, and ends once.
2. It leads back to the path of a page and nowhere else.
3. A session whose claims are old is renewed by a login that asks nobody anything; it stays the same session.
"""

import re
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import urlencode

from pdp.authn.bearer import LEEWAY_SECONDS
from pdp.authn.login import LoggedIn, LoginTokens
from pdp.errors import Unauthenticated
from pdp.http.attempts import Attempts
from pdp.http.problem import Refusal
from pdp.http.provider import Provider
from pdp.http.route import HTML, JSON, Answer, Entrance, Page, PageCall, Visit
from pdp.passkey import FRESH_LOGIN
from pdp.session import LOGIN_TAKES_AT_MOST, Login, Proof
from pdp.workflow.logins import Logins
from pdp.workflow.sessions import Person, Present, Sessions

LOGIN, CALLBACK, LOGOUT = "/login", "/login/callback", "/logout"
BACK_CHANNEL = "/logout/backchannel"
HOME = "/inbox"
SESSION_COOKIE, LOGIN_COOKIE = "__Host-placet", "__Host-placet-login"
ANYBODY = "pdp.v1.InfoService/GetServerInfo"
"""The RPC whose row lets every known caller pass."""
MOST_LOGINS = 20
"""Logins a minute from one address."""
LOGOUT_BYTES = 16 * 1024
"""Bytes of a message about a logout: one token of the largest size, percent-encoded at the worst."""
FRESH = "fresh"
"""The use of a login by which a passkey is added: an earlier one does not do."""
_ATTRIBUTES = "Secure; HttpOnly; SameSite=Lax; Path=/"
_BACK = re.compile(r"/inbox(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*(?:\?[A-Za-z0-9._~=&%+:-]{0,1024})?")
"""A path of the pages, with its query. Nothing in it is another host to any browser."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_ERROR = re.compile(r"[a-z_]{1,64}")
_ASKS = frozenset({"login_required", "interaction_required", "consent_required", "account_selection_required"})
"""What a provider answers to `prompt=none` where it has to ask the person."""


class LoginPages:
    """The pages around the session of a person. `logged_out` is the page at the end, in HTML."""

    def __init__(
        self,
        provider: Provider,
        tokens: LoginTokens,
        logins: Logins,
        sessions: Sessions,
        logged_out: Callable[[], bytes],
    ) -> None:
        self._provider, self._tokens, self._logins, self._sessions = provider, tokens, logins, sessions
        self._logged_out = logged_out
        self._begun, self._finished = Attempts(MOST_LOGINS), Attempts(MOST_LOGINS)
        self._wrong = Attempts(MOST_LOGINS, what="wrong logout tokens")

    def routes(self) -> list[Page | Entrance]:
        """What is offered."""
        return [
            Entrance("GET", LOGIN, self.begin),
            Entrance("GET", CALLBACK, self.finish),
            Page("POST", LOGOUT, ANYBODY, self.leave),
            Entrance("POST", BACK_CHANNEL, self.left, LOGOUT_BYTES),
        ]

    async def begin(self, visit: Visit) -> Answer:
        """Lead to the provider. Where a session has old claims, nobody is asked anything there."""
        if visit.headers.get("sec-fetch-dest", "document") != "document":
            raise Refusal(HTTPStatus.FORBIDDEN, "a login begins in a window of its own, not inside of another page")
        self._begun.require(visit.source)
        present = await self._sessions.present(visit.cookies.get(SESSION_COOKIE, ""))
        fresh = visit.query.get("fresh") == "yes"
        renews = present.session.id if present is not None and present.is_stale and not fresh else ""
        kept = visit.cookies.get(LOGIN_COOKIE, "")  # of another tab, which it must not break
        proof = await self._logins.begin(
            kept if _SECRET.fullmatch(kept) else "", back_of(visit.query.get("to", "")), renews, FRESH if fresh else ""
        )
        newer_than = FRESH_LOGIN if fresh else None
        address = await self._provider.address(proof, silent=bool(renews), newer_than=newer_than)
        return redirect(address, login_kept(proof))

    async def finish(self, visit: Visit) -> Answer:
        """Come back from the provider: begin a session, or renew the one that this login is for."""
        self._finished.require(visit.source)
        found = await self._logins.finish(visit.query.get("state", ""), visit.cookies.get(LOGIN_COOKIE, ""))
        if found is None:
            sentence = "this login was not begun in this browser, took too long, or was finished before; log in again"
            raise Refusal(HTTPStatus.FORBIDDEN, sentence)
        login, proof = found
        if login.use not in {"", FRESH}:
            raise Refusal(HTTPStatus.FORBIDDEN, "this was a sign-in of an account, which logs nobody in; begin again")
        present = await self._sessions.present(visit.cookies.get(SESSION_COOKIE, ""))
        if not self._provider.is_own(visit.query.get("iss")):
            raise Refusal(HTTPStatus.FORBIDDEN, "this answer comes from another identity provider; log in again")
        if "error" in visit.query:
            return await self._refused(visit.query["error"], login, present)
        person = await self._person(visit.query.get("code", ""), proof)
        return await self._logged_in(person, login, present)

    async def leave(self, call: PageCall) -> Answer:
        """End the session of a person who wants to leave."""
        await self._sessions.end(call.present.session, "logout")
        return Answer(
            self._logged_out(), media=HTML, headers={"Set-Cookie": f"{SESSION_COOKIE}=; Max-Age=0; {_ATTRIBUTES}"}
        )

    async def left(self, visit: Visit) -> Answer:
        """The provider says that a person logged out there (OpenID Connect Back-Channel Logout 1.0).

        Only wrong tokens count for the limit: a provider may end many logins at one time.
        """
        self._wrong.require_room(visit.source)
        try:
            out = await self._tokens.logged_out(visit.form.get("logout_token", ""))
        except Unauthenticated:
            self._wrong.require(visit.source)
            raise Refusal(HTTPStatus.BAD_REQUEST, "logout_token: is not a logout token for this server") from None
        await self._sessions.end_all(self._tokens.issuer, out.identity, out.sid, out.at, "provider")
        return Answer({}, media=JSON)

    async def _person(self, code: str, proof: Proof) -> LoggedIn:
        token = await self._provider.id_token(code, proof)
        try:
            return await self._tokens.logged_in(token, proof.nonce)
        except Unauthenticated:
            sentence = (
                "the identity provider let you in, but its ID token does not log you in here: it is not as Placet is "
                "configured, or somebody acts for you in it. Tell who runs Placet; the server's log says what it is"
            )
            raise Refusal(HTTPStatus.FORBIDDEN, sentence) from None

    async def _logged_in(self, found: LoggedIn, login: Login, present: Present | None) -> Answer:
        roles, email = tuple(sorted(found.caller.roles)), found.email
        person = Person(found.caller.identity, self._tokens.issuer, found.sid, found.claims, roles, email)
        if login.use == FRESH:
            _require_fresh(found)
        if present is not None:
            if present.session.id == login.renews and await self._sessions.renew(present, person):
                return redirect(login.back)
            await self._sessions.end(present.session, "login")
        return redirect(login.back, kept(await self._sessions.begin(person)))

    async def _refused(self, error: str, login: Login, present: Present | None) -> Answer:
        """What to do where the provider let nobody in. A session that it does not know any more ends."""
        if login.renews:
            if present is not None and present.session.id == login.renews:
                await self._sessions.end(present.session, "provider")
            if error in _ASKS:
                return redirect(to_login(login.back))
        named = f" ({error})" if _ERROR.fullmatch(error) else ""
        raise Refusal(HTTPStatus.FORBIDDEN, f"the identity provider did not let you in{named}; log in again")


def back_of(path: str) -> str:
    """The path to which a login leads back: one of the pages, else their first."""
    return path if _BACK.fullmatch(path) else HOME


def to_login(path: str, *, fresh: bool = False) -> str:
    """Where who must log in goes first, to come back to a path; with `fresh` an earlier login does not do."""
    return f"{LOGIN}?{urlencode({'to': path, **({'fresh': 'yes'} if fresh else {})})}"


def _require_fresh(found: LoggedIn) -> None:
    """Raise `Refusal` unless the provider says that the person logged in just now."""
    at = found.claims.get("auth_time")
    if not isinstance(at, int | float) or time.time() - at > FRESH_LOGIN.total_seconds() + LEEWAY_SECONDS:
        sentence = "the identity provider does not say that you logged in just now (auth_time); tell who runs Placet"
        raise Refusal(HTTPStatus.FORBIDDEN, sentence)


def login_kept(proof: Proof) -> Mapping[str, str]:
    """The header by which a browser keeps a login under way."""
    seconds = int(LOGIN_TAKES_AT_MOST.total_seconds())
    return {"Set-Cookie": f"{LOGIN_COOKIE}={proof.browser}; Max-Age={seconds}; {_ATTRIBUTES}"}


def kept(secret: str) -> Mapping[str, str]:
    """The header by which a browser keeps a session."""
    return {"Set-Cookie": f"{SESSION_COOKIE}={secret}; {_ATTRIBUTES}"}


def redirect(address: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Send the browser elsewhere, by a GET."""
    return Answer(b"", HTTPStatus.SEE_OTHER, HTML, {"Location": address, **(headers or {})})

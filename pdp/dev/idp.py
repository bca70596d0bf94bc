"""The identity provider of `pdp dev`: OpenID Connect as a real one speaks it, and one click for each demo person.

It knows one client, asks for no password, and keeps what it knows in memory. `pdp serve` cannot offer it.
"""

import hmac
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus, urlencode

from pdp import keys
from pdp.dev import identity
from pdp.dev.idp_page import chooser
from pdp.dev.idp_tokens import Signer
from pdp.http.login import BACK_CHANNEL, CALLBACK, redirect
from pdp.http.problem import Refusal
from pdp.http.provider import DISCOVERY, Client
from pdp.http.route import HTML, Answer, Entrance, Visit

PATH = "/dev/idp"
COOKIE = "__Host-placet-dev-idp"
CODE_SECONDS = 60.0
"""Seconds for which a code counts."""
LOGIN_SECONDS = 8 * 3600.0
"""Seconds for which it knows who logged in."""
_ASKED = ("client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge")
"""What an authorization request must have; the rest is optional."""


@dataclass(frozen=True, slots=True)
class _Login:
    """Who logged in here, in one browser."""

    sub: str
    sid: str
    at: float


@dataclass(frozen=True, slots=True)
class _Code:
    """What a code is for."""

    login: _Login
    asked: Mapping[str, str]
    ends: float


class Idp:
    """The provider of the stack in `state`. `issuer` is what it calls itself; empty: its own address."""

    def __init__(self, state: Path, issuer: str = identity.USERS, client_id: str = identity.AUDIENCE) -> None:
        self._state, self._issuer, self._client_id = state, issuer, client_id
        self.secret = secrets.token_urlsafe(32)
        self._logins: dict[str, _Login] = {}
        self._codes: dict[str, _Code] = {}
        self._url = self._site = ""

    @property
    def issuer(self) -> str:
        """Its name."""
        return self._issuer or self._url

    def client(self, url: str) -> Client:
        """What the server at `url` is here."""
        return Client(self._issuer or url + PATH, self._client_id, self.secret, url + PATH + DISCOVERY)

    def routes(self, url: str, site: str = "") -> Sequence[Entrance]:
        """Its pages. `site` is the server that people log in to, if that is another than the one at `url`."""
        self._url, self._site = url + PATH, site or url
        return [
            Entrance("GET", PATH + DISCOVERY, self.describe),
            Entrance("GET", f"{PATH}/authorize", self.authorize),
            Entrance("POST", f"{PATH}/authorize", self.choose),
            Entrance("POST", f"{PATH}/token", self.token),
            Entrance("GET", f"{PATH}/jwks", self.jwks),
            Entrance("POST", f"{PATH}/logout", self.logout),
        ]

    async def describe(self, _: Visit) -> Answer:
        """OpenID Connect Discovery 1.0."""
        return Answer(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self._url}/authorize",
                "token_endpoint": f"{self._url}/token",
                "jwks_uri": f"{self._url}/jwks",
                "scopes_supported": ["openid"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["EdDSA"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "authorization_response_iss_parameter_supported": True,
                "backchannel_logout_supported": True,
                "backchannel_logout_session_supported": True,
            }
        )

    async def jwks(self, _: Visit) -> Answer:
        """The public half of its key (RFC 7517)."""
        return Answer(keys.published(self._signer.key).as_dict(private=False))

    async def authorize(self, visit: Visit) -> Answer:
        """Let a person choose who to be. With `prompt=none` it is who this browser was, or an error."""
        asked = self._asked(visit.query)
        if asked.get("prompt") != "none":
            return Answer(chooser(asked, PATH), media=HTML)
        login = self._logins.get(visit.cookies.get(COOKIE, ""))
        longest = min(float(asked.get("max_age") or LOGIN_SECONDS), LOGIN_SECONDS)
        if login is None or time.time() - login.at > longest:
            return self._back(asked, error="login_required")
        return self._back(asked, code=self._code(login, asked))

    async def choose(self, visit: Visit) -> Answer:
        """Somebody chose who to be."""
        asked = self._asked({name: value for name, value in visit.form.items() if name != "person"})
        person = identity.PEOPLE.get(visit.form.get("person", ""))
        if person is None or person.type != "user":
            raise Refusal(HTTPStatus.BAD_REQUEST, "person: is not one of the demo people")
        login = _Login(person.sub, secrets.token_urlsafe(16), time.time())
        kept = secrets.token_urlsafe(32)
        self._logins[kept] = login
        answer = self._back(asked, code=self._code(login, asked))
        cookie = f"{COOKIE}={kept}; Secure; HttpOnly; SameSite=Lax; Path=/"
        return Answer(b"", answer.status, HTML, {**answer.headers, "Set-Cookie": cookie})

    async def token(self, visit: Visit) -> Answer:
        """An ID token for a code, once (RFC 6749, section 4.1.3; RFC 7636)."""
        if not self._is_client(visit.headers.get("authorization", "")):
            return Answer({"error": "invalid_client"}, HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Basic"})
        code = self._codes.pop(visit.form.get("code", ""), None)
        if code is None or not self._is_for(code, visit.form):
            return Answer({"error": "invalid_grant"}, HTTPStatus.BAD_REQUEST)
        login = code.login
        further = {"nonce": code.asked["nonce"], "sid": login.sid, "auth_time": int(login.at)}
        token = self._signer.id_token(identity.PEOPLE[login.sub], further)
        return Answer(
            {"access_token": secrets.token_urlsafe(32), "token_type": "Bearer", "expires_in": 60, "id_token": token}
        )

    async def logout(self, visit: Visit) -> Answer:
        """End what this provider knows of a person, and tell the server (OpenID Connect Back-Channel Logout 1.0)."""
        sub = visit.form.get("person", "")
        ended = [login for login in self._logins.values() if login.sub == sub]
        self._logins = {kept: login for kept, login in self._logins.items() if login.sub != sub}
        for login in ended:
            await self._signer.tell(self._site + BACK_CHANNEL, self.logout_token(sub=sub, sid=login.sid))
        return Answer(f"<!doctype html><title>Logged out</title><p>{len(ended)} logins ended.</p>".encode(), media=HTML)

    def logout_token(self, **members: Any) -> str:
        """A logout token for `sub`, `sid` or both."""
        return self._signer.logout_token(members)

    @property
    def _signer(self) -> Signer:
        return Signer(keys.private_key(identity.key_path(self._state)), self.issuer, self._client_id)

    def _asked(self, query: Mapping[str, str]) -> Mapping[str, str]:
        """An authorization request of its one client. Raises `Refusal`: another client's browser is sent nowhere."""
        good = {"client_id": self._client_id, "redirect_uri": self._site + CALLBACK, "response_type": "code"}
        if any(query.get(name) != value for name, value in good.items()) or not all(map(query.get, _ASKED)):
            raise Refusal(HTTPStatus.BAD_REQUEST, "this is not a login of the inbox; begin at /inbox")
        if not query.get("max_age", "0").isdecimal():
            raise Refusal(HTTPStatus.BAD_REQUEST, "max_age: is not a number of seconds")
        if query.get("code_challenge_method") != "S256" or "openid" not in query["scope"].split(" "):
            raise Refusal(HTTPStatus.BAD_REQUEST, "this login has no PKCE (S256), or does not ask for openid")
        return query

    def _back(self, asked: Mapping[str, str], **said: str) -> Answer:
        members = {**said, "state": asked["state"], "iss": self.issuer}
        return redirect(f"{asked['redirect_uri']}?{urlencode(members)}")

    def _code(self, login: _Login, asked: Mapping[str, str]) -> str:
        code, now = secrets.token_urlsafe(32), time.time()
        self._codes = {name: held for name, held in self._codes.items() if held.ends > now}
        self._codes[code] = _Code(login, asked, now + CODE_SECONDS)
        return code

    def _is_client(self, authorization: str) -> bool:
        scheme, _, text = authorization.partition(" ")
        try:
            name, _, secret = b64decode(text, validate=True).decode().partition(":")
        except (Error, ValueError):
            return False
        is_right = hmac.compare_digest(unquote_plus(secret).encode(), self.secret.encode())
        return scheme.lower() == "basic" and unquote_plus(name) == self._client_id and is_right

    def _is_for(self, code: _Code, form: Mapping[str, str]) -> bool:
        challenge = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        is_same = hmac.compare_digest(challenge, code.asked["code_challenge"])
        return is_same and form.get("redirect_uri") == code.asked["redirect_uri"] and code.ends > time.time()

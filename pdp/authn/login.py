"""Who logged in, by the ID token of the login's issuer; and who logged out there, by its logout token.

1. An ID token passes every check of a bearer token, and gives the same `Caller`.
2. It is for this client and this login (`aud`, `azp`, `nonce`), and names nobody who acts for the person.
3. A logout token (OpenID Connect Back-Channel Logout 1.0) is of the same issuer and for this client.
"""

import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pdp.authn.authenticator import Authenticator
from pdp.authn.bearer import LEEWAY_SECONDS, MAX_TOKEN_BYTES, REFUSALS, Token, check, signed
from pdp.authn.refusal import Attempt, Refused
from pdp.caller import Caller
from pdp.canonical import checked_id
from pdp.identity_source import Issuer

LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
"""The event that a logout token tells of."""
LOGOUT_SECONDS = 120
"""Seconds for which a logout token counts that does not say how long."""
_KEPT = ("iss", "sub", "auth_time", "_claim_names", "hasgroups")
"""The claims of a session beyond those that the issuer's entry names."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who logged in, the claims that count, and the issuer's id of the login (empty if it gives none).

    `email` is an address that the issuer has verified, or empty.
    """

    caller: Caller
    claims: dict[str, Any]
    sid: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """Whose logins ended at the issuer: an identity, an id of a login, or both. `at` is when."""

    identity: str
    sid: str
    at: datetime


class LoginTokens:
    """The tokens of one issuer for one client."""

    def __init__(self, authenticator: Authenticator, issuer: str, client_id: str) -> None:
        self._authenticator, self.issuer, self._client_id = authenticator, issuer, client_id

    async def logged_in(self, id_token: str, nonce: str) -> LoggedIn:
        """Who an ID token says has logged in. Raises `Unauthenticated`; the log says why."""
        token = await self._authenticator.token(id_token)
        if why := self._fault(token, nonce):
            self._authenticator.refuse(f"a login was refused: {why}")
        claims = _kept(token.claims, token.issuer)
        sid = token.claims.get("sid", "")
        caller = self._authenticator.of_claims(claims)
        return LoggedIn(caller, claims, sid if isinstance(sid, str) else "", _email(token.claims))

    def _fault(self, token: Token, nonce: str) -> str:
        """What is wrong with a valid token as an ID token of this login; empty if nothing is."""
        claims = token.claims
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if token.issuer.issuer != self.issuer or token.issuer.kind != "person":
            return "its ID token is of another issuer, or of one that vouches for no people"
        if self._client_id not in audience or claims.get("azp", self._client_id) != self._client_id:
            return "its ID token is for another client"
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            return "its ID token is of another login (`nonce`)"
        if token.actors or token.bound_to:
            return "its ID token says who acts for the person (`act`), or is bound to a certificate (`cnf`)"
        return ""

    async def logged_out(self, logout_token: str) -> LoggedOut:
        """Whose logins ended, by a logout token. Raises `Unauthenticated`; the log says why."""
        attempt = Attempt()
        try:
            if len(logout_token) > MAX_TOKEN_BYTES or not logout_token.isascii():
                raise Refused("it is too long, or has bytes that no token has")
            claims, issuer, _ = await signed(logout_token, self._authenticator.issuers, attempt, _require_logout)
            attempt.step = "`aud`, `exp` or `iat` is missing or of another type than RFC 7519 says"
            return self._ended(claims, issuer)
        except REFUSALS as error:
            self._authenticator.refuse(f"a logout was refused: {attempt.refused(error)}")

    def _ended(self, claims: Mapping[str, Any], issuer: Issuer) -> LoggedOut:
        if issuer.issuer != self.issuer:
            raise Refused("it is of another issuer than that of the login")
        check(
            {"exp": claims["iat"] + LOGOUT_SECONDS, **claims}, issuer.model_copy(update={"audience": self._client_id})
        )
        sid, sub = claims.get("sid", ""), claims.get("sub", "")
        if not isinstance(sid, str) or not isinstance(sub, str) or not (sid or sub):
            raise Refused("it names neither `sid` nor `sub`")
        identity = f"{issuer.type}:{checked_id(sub, 'sub')}" if sub else ""
        at = min(float(claims["iat"]), time.time()) + LEEWAY_SECONDS
        return LoggedOut(identity, sid, datetime.fromtimestamp(at, UTC))


def _email(claims: Mapping[str, Any]) -> str:
    """The address of a person, where the issuer says that it has verified it (OpenID Connect Core 1.0, section 5.1)."""
    email = claims.get("email")
    return email if isinstance(email, str) and claims.get("email_verified") is True else ""


def _require_logout(kind: str, claims: Mapping[str, Any]) -> None:
    events = claims.get("events")
    if kind not in {"logout+jwt", "jwt"} or not isinstance(events, dict) or not isinstance(events.get(LOGOUT), dict):
        raise Refused("it does not tell of a logout")
    if "nonce" in claims:
        raise Refused("it has a `nonce`, so it could be taken for an ID token")


def _kept(claims: Mapping[str, Any], issuer: Issuer) -> dict[str, Any]:
    names = (*_KEPT, issuer.roles_claim, issuer.groups_claim, *issuer.claims)
    return {name: claims[name] for name in names if name in claims}

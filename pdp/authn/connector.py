"""Verifies the token with which the Bot Connector sends a message of Teams, by the keys that it publishes.

1. Every check of a bearer token is made: its signature (RS256 and nothing else), issuer, audience and times.
2. The key that signed it is endorsed for Teams, and `serviceurl` is an address of Microsoft's. Only with it a message
   says where it comes from.
3. Why a token was refused is for the server's log only.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from pdp.authn.bearer import MAX_TOKEN_BYTES, REFUSALS, check, signed
from pdp.authn.jwks import KeySource
from pdp.authn.refusal import Attempt, Notices, Refused
from pdp.errors import Unauthenticated
from pdp.identity_source import Issuer
from pdp.microsoft import ISSUER, Microsoft, is_service

CHANNEL = "msteams"
"""The connector's name for Teams."""
REFUSED = "this is for Microsoft Teams, which signs what it sends"
"""What everybody else is told."""


class ConnectorTokens:
    """The tokens for one app. `clock` gives seconds and never goes back."""

    def __init__(self, app_id: str, microsoft: Microsoft, clock: Callable[[], float] = time.monotonic) -> None:
        issuer = Issuer(type="connector", kind="workload", issuer=ISSUER, audience=app_id, algorithms=("RS256",))
        self.keys = KeySource(issuer, clock, microsoft.metadata)
        self._issuers, self._notices = {ISSUER: (issuer, self.keys)}, Notices(clock)

    async def service_url(self, authorization: str) -> str:
        """The `serviceurl` for which a token was made. Raises `Unauthenticated`; the log says why."""
        attempt = Attempt()
        try:
            claims, issuer, keys = await signed(_bearer(authorization), self._issuers, attempt, _require_kind)
            attempt.step = "`aud`, `exp`, `nbf` or `iat` is missing or of another type than RFC 7519 says"
            check(claims, issuer)
            attempt.step = "its key is not named, or says nothing of endorsements"
            if CHANNEL not in _endorsements(keys[attempt.key_id]):
                raise Refused("its key is not endorsed for Teams")
            return _service_url(claims)
        except REFUSALS as error:
            self._notices.say(f"a message of Teams: {attempt.refused(error)}")
            raise Unauthenticated(REFUSED) from None


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or len(token) > MAX_TOKEN_BYTES or not token.isascii():
        raise Refused("there is none, or it is too long, or has bytes that no token has")
    return token


def _require_kind(kind: str, claims: Mapping[str, Any]) -> None:
    if kind != "jwt" or "events" in claims:
        raise Refused("its `typ` is not JWT, or it tells of events")


def _endorsements(key: Any) -> frozenset[str]:
    return frozenset(name for name in key["endorsements"] if isinstance(name, str))


def _service_url(claims: Mapping[str, Any]) -> str:
    url = claims.get("serviceurl")
    if not isinstance(url, str) or not is_service(url):
        raise Refused("its `serviceurl` is not an address of Microsoft's connector")
    return url

"""What the identity provider of `pdp dev` signs, and how it tells a server of a logout."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from joserfc.jwk import OKPKey

from pdp import jws
from pdp.authn.login import LOGOUT
from pdp.dev.identity import LIFETIME_SECONDS, Person, claims

TELL_SECONDS = 5.0
"""Seconds that a server may take to hear of a logout."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs in an issuer's name, for one client."""

    key: OKPKey
    issuer: str
    client_id: str

    def id_token(self, person: Person, further: Mapping[str, Any]) -> str:
        """An ID token (OpenID Connect Core 1.0, section 2)."""
        own = {"iss": self.issuer, "aud": self.client_id}
        return jws.signed("JWT", {**claims(person, LIFETIME_SECONDS), **own, **further}, self.key)

    def logout_token(self, members: Mapping[str, Any]) -> str:
        """A logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4)."""
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_urlsafe(16),
            "events": {LOGOUT: {}},
        }
        return jws.signed("logout+jwt", {**good, **members}, self.key)

    async def tell(self, url: str, logout_token: str) -> int:
        """Send a logout token; returns the status of the answer."""
        timeout = aiohttp.ClientTimeout(total=TELL_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data={"logout_token": logout_token}) as answer,
        ):
            return answer.status

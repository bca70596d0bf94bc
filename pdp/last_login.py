"""The last login of a person: what is stored of it, and how it is signed. Pure.

It says who may review in a chat, where no token comes along. So it carries a signature by the key `seal` over its
whole content, with a `typ` of its own.
"""

import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from joserfc.jwk import OKPKey

from pdp import jws

ROLES_COUNT = timedelta(days=7)
"""The time after a login for which the roles of its token count in a chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastLogin:
    """Who logged in, at which issuer, with which roles, and when by MongoDB's clock.

    `email` is the address that the issuer says it has verified, or empty.
    """

    identity: str
    issuer: str
    roles: tuple[str, ...]
    email: str
    at: datetime
    seal: str = ""


@dataclass(frozen=True, slots=True)
class LastLoginSealer:
    """Signs last logins with the key `seal`, in a realm's name."""

    key: OKPKey
    realm: str

    def last_login(self, login: LastLogin) -> LastLogin:
        """The last login with its signature."""
        claims = {
            "realm": self.realm,
            "identity": login.identity,
            "of": login.issuer,
            "roles": list(login.roles),
            "email": login.email,
            "at": login.at.isoformat(timespec="milliseconds"),
        }
        return replace(login, seal=jws.signed("placet-last-login+jwt", claims, self.key))

    def is_ours(self, stored: LastLogin) -> bool:
        """Whether a server of this deployment wrote it, as it is."""
        return hmac.compare_digest(self.last_login(stored).seal.encode(), stored.seal.encode())

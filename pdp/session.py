"""A person's session with the pages, and a login that is under way: what is stored of each, and how it is signed. Pure.

1. The browser has 32 random bytes of each, and the database only their SHA-256.
2. Each carries a signature by the key `seal` over its whole content, with a `typ` of its own. A check signs again and
   compares, so who writes to the database makes neither, and moves neither to another browser.
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from joserfc.jwk import OKPKey

from pdp import jws

IDLE = timedelta(minutes=30)
"""The time after which a session ends that nobody uses."""
LONGEST = timedelta(hours=8)
"""The time after which a session ends in any case."""
CLAIMS_COUNT = timedelta(hours=1)
"""The time for which claims count. After it the next page has them renewed, and nothing is changed by them."""
LOGIN_TAKES_AT_MOST = timedelta(minutes=10)
"""The time that a person has at the identity provider."""
SECRET_BYTES = 32
"""Random bytes of what a browser keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session as it is stored: `id` is the hash of what the browser has, `claims` is JSON, `sid` the provider's id.

    The times are MongoDB's: of the login, of the last renewal of the claims, and of the last use.
    """

    id: str
    identity: str
    issuer: str
    sid: str
    claims: str
    began_at: datetime
    renewed_at: datetime
    used_at: datetime
    seal: str = ""

    @property
    def ends_at(self) -> datetime:
        """When it ends if nobody uses it any more."""
        return min(self.used_at + IDLE, self.began_at + LONGEST)

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended by its times."""
        return now >= self.ends_at

    def is_stale(self, now: datetime) -> bool:
        """Whether its claims are too old to change anything."""
        return now - self.renewed_at >= CLAIMS_COUNT


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login under way: the hashes of its `state` and of what its browser has, the way back, and what it renews.

    `use` is what else it is for; empty where it only lets its person in.
    """

    id: str
    browser: str
    back: str
    renews: str
    at: datetime
    use: str = ""
    seal: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a login shows the provider. `nonce` and `verifier` follow from what only the browser has."""

    state: str
    browser: str

    @property
    def nonce(self) -> str:
        """The value that the ID token must have."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """The verifier of PKCE (RFC 7636)."""
        return self._derived("verifier")

    def _derived(self, what: str) -> str:
        return _base64(sha256(f"placet/login/{what}\n{self.browser}\n{self.state}".encode()).digest())


@dataclass(frozen=True, slots=True)
class SessionSealer:
    """Signs sessions and logins with the key `seal`, in a realm's name."""

    key: OKPKey
    realm: str

    def session(self, session: Session) -> Session:
        """The session with its signature."""
        return replace(session, seal=self._signed("placet-session+jwt", _of_session(session)))

    def login(self, login: Login) -> Login:
        """The login with its signature."""
        return replace(login, seal=self._signed("placet-login+jwt", _of_login(login)))

    def is_ours(self, stored: Session | Login) -> bool:
        """Whether a server of this deployment wrote it, as it is."""
        signed = self.session(stored) if isinstance(stored, Session) else self.login(stored)
        return hmac.compare_digest(signed.seal.encode(), stored.seal.encode())

    def _signed(self, kind: str, claims: dict[str, Any]) -> str:
        return jws.signed(kind, {"realm": self.realm, **claims}, self.key)


def hashed(secret: str) -> str:
    """What is stored in the place of what a browser has."""
    return sha256(secret.encode()).hexdigest()


def form_token(secret: str) -> str:
    """The token that a form of this session carries. It tells nothing of the session's own secret."""
    return _base64(sha256(f"placet/form\n{secret}".encode()).digest())


def _of_session(session: Session) -> dict[str, Any]:
    return {
        "session": session.id,
        "identity": session.identity,
        "of": session.issuer,
        "sid": session.sid,
        "claims_sha256": sha256(session.claims.encode()).hexdigest(),
        "began_at": _text(session.began_at),
        "renewed_at": _text(session.renewed_at),
        "used_at": _text(session.used_at),
    }


def _of_login(login: Login) -> dict[str, Any]:
    return {
        "login": login.id,
        "browser": login.browser,
        "back": login.back,
        "renews": login.renews,
        "at": _text(login.at),
        **({"use": login.use} if login.use else {}),
    }


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")

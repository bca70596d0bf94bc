"""The binding token of a denial that people may lift: which question was denied, to which caller, and until when.

1. It is a JWS by the key `seal`, and its `typ` parts it from all else that this key signs.
2. It holds no personal data beyond digests: it travels through programs that only pass it on.
3. The claims are those of the access-request profile of AuthZEN. The question is bound by its request digest.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from joserfc.jwk import OKPKey

from pdp import jws

TYPE = "access-request+jwt"
"""The `typ` of a binding token."""
SECONDS = 600
"""Seconds for which a denial can be submitted: the contract promises 10 minutes."""


@dataclass(frozen=True, slots=True)
class Denial:
    """What a token binds. `context_members` are the members of the context in the digest, `ends` is in seconds."""

    evaluation_id: str
    digest: str
    context_members: tuple[str, ...]
    policy_revision: str
    ends: int

    @property
    def expires_at(self) -> str:
        """When it ends, as a client sees it and sends it back."""
        return f"{datetime.fromtimestamp(self.ends, UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class Binder:
    """Issues and reads binding tokens in a realm's name: the one who denies is the one who opens access requests."""

    key: OKPKey
    realm: str

    def token(self, denial: Denial, caller: str) -> str:
        """The token for this caller's denial."""
        claims = {
            "iss": self.realm,
            "aud": self.realm,
            "iat": denial.ends - SECONDS,
            "exp": denial.ends,
            "jti": denial.evaluation_id,
            "evaluation_id": denial.evaluation_id,
            "caller": self._digest(caller),
            "request_digest": denial.digest,
            "binding_context_members": list(denial.context_members),
            "policy_revision": denial.policy_revision,
        }
        return jws.signed(TYPE, claims, self.key)

    def denial(self, token: str, caller: str) -> Denial | None:
        """The denial that a token of ours binds for this caller, also one that has ended; None for anything else."""
        try:
            kind, claims = jws.header(token).get("typ"), jws.claims(token, self.key)
        except ValueError:
            return None
        if kind != TYPE or not self._is_for(claims, caller):
            return None
        members = tuple(claims["binding_context_members"])
        named = (claims["evaluation_id"], claims["request_digest"])
        return Denial(*named, members, claims["policy_revision"], claims["exp"])

    def _is_for(self, claims: dict[str, Any], caller: str) -> bool:
        return claims.get("aud") == self.realm and claims.get("caller") == self._digest(caller)

    def _digest(self, caller: str) -> str:
        return sha256(f"{self.realm}\0{caller}".encode()).hexdigest()

"""The signed proof of one allow: a JWS (RFC 7515, `Ed25519`) that the enforcing program can check offline.

Claims: `iss` the realm, `aud` the caller, `jti` the decision id, `approval` where one was used, `digest` the request
digest, `iat` and `exp`.
"""

from dataclasses import dataclass
from datetime import datetime

from joserfc import jwt
from joserfc.jwk import OKPKey

LIFETIME_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Grantor:
    """Issues grants in a realm's name. Equal arguments give equal bytes, so a repeated answer is the same grant."""

    key: OKPKey
    realm: str

    def grant(self, *, caller: str, decision_id: str, approval_id: str, digest: str, at: datetime) -> str:
        """A compact JWS, valid for 30 s from `at`, which is MongoDB's time of the use, or of a plain allow."""
        issued = int(at.timestamp())
        claims = {
            "iss": self.realm,
            "aud": caller,
            "jti": decision_id,
            **({"approval": approval_id} if approval_id else {}),
            "digest": digest,
            "iat": issued,
            "exp": issued + LIFETIME_SECONDS,
        }
        header = {"alg": "Ed25519", "typ": "placet-grant+jwt", "kid": self.key.kid}
        return jwt.encode(header, claims, self.key, algorithms=["Ed25519"])

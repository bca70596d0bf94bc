"""The grant: a signed proof of one allow. It is a JWS (RFC 7515, `Ed25519`) that the enforcing program checks offline.

Its claims are `iss` (the realm), `aud` (the caller), `jti` (the decision id), `approval` (the approval's id, if one was
used), `digest` (the request digest), `iat` and `exp`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from pdp.errors import GrantInvalid

LIFETIME_SECONDS = 30
"""Seconds for which a grant is valid: the contract promises 30 s."""
SKEW_SECONDS = 5
"""Seconds by which the clock of the program that checks a grant may be behind MongoDB's clock."""
MAX_BYTES = 8 * 1024
"""Bytes of a grant. It bounds what a program that checks a grant parses."""
_ALGORITHM, _TYPE = "Ed25519", "placet-grant+jwt"
_TEXTS = {"iss", "aud", "jti", "digest"}
_TIMES = {"iat", "exp"}


@dataclass(frozen=True, slots=True)
class Grantor:
    """Issues grants in a realm's name. Equal arguments give equal bytes, so a repeated answer is the same grant."""

    key: OKPKey
    realm: str

    def grant(self, *, caller: str, decision_id: str, approval_id: str, digest: str, at: datetime) -> str:
        """A compact JWS, valid for 30 s from `at`: MongoDB's time of the use, or of an allow without approval."""
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
        header = {"alg": _ALGORITHM, "typ": _TYPE, "kid": self.key.kid}
        return jwt.encode(header, claims, self.key, algorithms=[_ALGORITHM])


def verify_grant(
    grant: str,
    keys: str | Mapping[str, Any],
    *,
    caller: str,
    digest: str,
    realm: str,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Check a grant offline and return its claims. Raises `GrantInvalid` if one of these rules is broken.

    1. A key of `keys` with `placet_use` "grant" signed it. `keys` is the JWK Set that `GetServerInfo` publishes, as
       text or parsed.
    2. It has exactly the claims of a grant. `approval` is among them only if one was used.
    3. It is for this realm, this caller and this request digest.
    4. It is valid at `now`, which is the present time unless given.
    """
    if len(grant) > MAX_BYTES:
        raise GrantInvalid(f"the grant is longer than {MAX_BYTES} bytes")
    published = _published(keys)
    try:
        token = jwt.decode(grant, lambda given: _key(given.headers(), published), algorithms=[_ALGORITHM])
    except (JoseError, ValueError, TypeError, RecursionError):
        raise GrantInvalid("the grant is not signed by the server's grant key") from None
    claims = dict(token.claims)
    _refuse_strange(claims)
    for name, wanted, what in (
        ("iss", realm, "another realm"),
        ("aud", caller, "another caller"),
        ("digest", digest, "another request than the one that is about to run"),
    ):
        if claims[name] != wanted:
            raise GrantInvalid(f"the grant is for {what}")
    at = (now or datetime.now(UTC)).timestamp()
    if at >= claims["exp"]:
        raise GrantInvalid(f"the grant is over: it is valid for {LIFETIME_SECONDS} s; or this clock is ahead")
    if at < claims["iat"] - SKEW_SECONDS:
        raise GrantInvalid("the grant is not valid yet: this clock is behind the server's")
    return claims


def _published(keys: str | Mapping[str, Any]) -> list[Mapping[str, Any]]:
    try:
        document = json.loads(keys) if isinstance(keys, str) else keys
        return [key for key in document["keys"] if isinstance(key, Mapping)]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise GrantInvalid("the keys are not a JWK Set such as GetServerInfo publishes") from None


def _key(header: Mapping[str, Any], published: Sequence[Mapping[str, Any]]) -> OKPKey:
    """The published grant key that the header names. Raises `ValueError` for another header or an unknown key."""
    if header.keys() != {"alg", "typ", "kid"} or (header["alg"], header["typ"]) != (_ALGORITHM, _TYPE):
        raise ValueError
    named = [key for key in published if key.get("kid") == header["kid"]]
    if len(named) != 1 or _kind(named[0]) != ("OKP", "Ed25519", "grant"):
        raise ValueError
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": str(named[0].get("x"))})


def _kind(key: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return key.get("kty"), key.get("crv"), key.get("placet_use")


def _refuse_strange(claims: Mapping[str, Any]) -> None:
    texts = _TEXTS | ({"approval"} & claims.keys())
    well_formed = (
        claims.keys() == texts | _TIMES
        and all(isinstance(claims[name], str) and claims[name] for name in texts)
        and all(type(claims[name]) is int for name in _TIMES)
        and claims["exp"] - claims["iat"] == LIFETIME_SECONDS
    )
    if not well_formed:
        raise GrantInvalid("the grant does not have exactly the claims that a grant has")

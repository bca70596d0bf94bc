"""The grant: a signed proof of one allow. It is a JWS (RFC 7515, `EdDSA`) that the enforcing program checks offline.

Its claims are `iss` (the realm), `aud` (the caller), `jti` (the decision id), `approval` (the approval's id, if one was
used), `digest` (the request digest), `iat` and `exp`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from pdp import jws
from pdp.errors import PdpError

LIFETIME_SECONDS = 30
"""Seconds for which a grant is valid: the contract promises 30 s."""
SKEW_SECONDS = 5
"""Seconds by which the clock of the program that checks a grant may be behind MongoDB's clock."""
MAX_BYTES = 8 * 1024
"""Bytes of a grant. It bounds what a program that checks a grant parses."""
_TYPE = "placet-grant+jwt"
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TEXTS = ("iss", "aud", "digest", "jti")
_TIMES = ("exp", "iat")


class GrantInvalid(PdpError):
    """A grant does not prove that this may run here and now; the sentence says why not."""

    code = "PERMISSION_DENIED"
    reason = "GRANT_INVALID"


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
        return jws.signed(_TYPE, claims, self.key)


@dataclass(frozen=True, slots=True)
class SpentGrants:
    """The grants that a program has accepted: each is for one run. Threads may share it."""

    _ends: dict[str, int] = field(default_factory=dict)
    _turn: Lock = field(default_factory=Lock)

    def spend(self, claims: Mapping[str, Any], now: datetime | None = None) -> None:
        """Remember the claims that `verify_grant` gave. Raises `GrantInvalid` if they were spent before."""
        at = (now or datetime.now(UTC)).timestamp()
        with self._turn:
            for decision_id in [spent for spent, end in self._ends.items() if end <= at]:
                del self._ends[decision_id]
            if claims["jti"] in self._ends:
                raise _invalid(
                    "jti", f"the grant of {claims['jti']} was used before; another run takes another request_id"
                )
            self._ends[claims["jti"]] = claims["exp"]


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
    2. It has exactly the header and the claims of a grant. `approval` is among them only if one was used.
    3. It is for this realm, this caller and this request digest.
    4. It is valid at `now`, which is the present time unless given.

    The error's `metadata["check"]` names the check, as docs/wire.md lists them. That each grant is accepted once is for
    `SpentGrants`.
    """
    if len(grant) > MAX_BYTES:
        raise _invalid("form", f"the grant is longer than {MAX_BYTES} bytes")
    claims = _signed_claims(grant, _published(keys))
    _refuse_strange(claims)
    for name, wanted, what in (
        ("iss", realm, "another realm"),
        ("aud", caller, "another caller"),
        ("digest", digest, "another request than the one that is about to run"),
    ):
        if claims[name] != wanted:
            raise _invalid(name, f"the grant is for {what}")
    at = (now or datetime.now(UTC)).timestamp()
    if at >= claims["exp"]:
        raise _invalid("exp", f"the grant is over: it is valid for {LIFETIME_SECONDS} s; or this clock is ahead")
    if at < claims["iat"] - SKEW_SECONDS:
        raise _invalid("iat", "the grant is not valid yet: this clock is behind the server's")
    return claims


def _invalid(check: str, sentence: str) -> GrantInvalid:
    return GrantInvalid(sentence, check=check)


def _unsigned(check: str, why: str) -> GrantInvalid:
    return _invalid(check, f"the grant is not signed by the server's grant key: {why}")


def _published(keys: str | Mapping[str, Any]) -> list[Mapping[str, Any]]:
    try:
        document = json.loads(keys) if isinstance(keys, str) else keys
        return [key for key in document["keys"] if isinstance(key, Mapping)]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise GrantInvalid("the keys are not a JWK Set such as GetServerInfo publishes") from None


def _signed_claims(grant: str, published: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The claims, once the published key that the header names has verified the signature."""
    key = _key(_header(grant), published)
    try:
        return jws.claims(grant, key)
    except ValueError:
        raise _unsigned("signature", "its signature is not of this key") from None


def _header(grant: str) -> dict[str, Any]:
    if _FORM.fullmatch(grant):
        with suppress(ValueError):
            return jws.header(grant)
    raise _unsigned("form", "it is not a compact JWS")


def _key(header: Mapping[str, Any], published: Sequence[Mapping[str, Any]]) -> OKPKey:
    """The published grant key that the header names."""
    if header.get("typ") != _TYPE:
        raise _unsigned("typ", "its `typ` is not of a grant")
    if header.get("alg") not in jws.NAMES:
        raise _unsigned("alg", "its `alg` is not EdDSA or Ed25519")
    if header.keys() != {"alg", "typ", "kid"}:
        raise _unsigned("header", "its header has other members than a grant's")
    named = [key for key in published if key.get("kid") == header["kid"]]
    if len(named) != 1 or _kind(named[0]) != ("OKP", "Ed25519", "grant"):
        raise _unsigned("kid", "no published grant key has its `kid`")
    try:
        return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": str(named[0].get("x"))})
    except (JoseError, ValueError):
        raise _unsigned("kid", "the published key of its `kid` is not an Ed25519 key") from None


def _kind(key: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return key.get("kty"), key.get("crv"), key.get("placet_use")


def _refuse_strange(claims: Mapping[str, Any]) -> None:
    """Raise `GrantInvalid` unless the claims have the names and types that a grant has."""
    texts = (*_TEXTS, "approval") if "approval" in claims else _TEXTS
    strange = [name for name in texts if not isinstance(claims.get(name), str) or not claims[name]]
    strange += [name for name in _TIMES if type(claims.get(name)) is not int]
    strange += sorted(claims.keys() - {*texts, *_TIMES})
    if not strange and claims["exp"] - claims["iat"] != LIFETIME_SECONDS:
        strange = ["exp"]
    if strange:
        raise _invalid(strange[0], "the grant does not have exactly the claims that a grant has")

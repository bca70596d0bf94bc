"""Bearer token -> Caller, and the table that says which role may call which RPC."""

import hashlib
import json
import math
import time
import warnings
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet

from pdp import claims as known_claims
from pdp import keys
from pdp.canonical import checked_id
from pdp.config import Issuer, Role, SpeaksFor
from pdp.errors import InvalidRequest, NotAllowed, Unauthenticated

ALGORITHMS = ["Ed25519", "EdDSA"]
"""Both names of the one signature that is accepted (RFC 9864, RFC 8037)."""
LEEWAY_SECONDS = 30
MAX_TOKEN_BYTES = 8 * 1024
_MAX_CACHED = 10_000

_REQUESTER = frozenset({Role.REQUESTER})
_REVIEWER = frozenset({Role.REVIEWER})
_AUDITOR = frozenset({Role.AUDITOR})
_ROLE_NAMES = frozenset(map(str, Role))

ROLES: Mapping[str, frozenset[Role]] = {
    "pdp.v1.DecisionService/Authorize": _REQUESTER,
    "pdp.v1.DecisionService/BatchAuthorize": _REQUESTER,
    "pdp.v1.DecisionService/GetDecision": _REQUESTER,
    "pdp.v1.ApprovalService/ListApprovals": _REQUESTER,
    "pdp.v1.ApprovalService/GetApproval": _REQUESTER | _REVIEWER,
    "pdp.v1.ApprovalService/WaitApproval": _REQUESTER | _REVIEWER,
    "pdp.v1.ApprovalService/CancelApproval": _REQUESTER,
    "pdp.v1.ApprovalService/ReportOutcome": _REQUESTER,
    "pdp.v1.ReviewService/ListQueue": _REVIEWER,
    "pdp.v1.ReviewService/WatchQueue": _REVIEWER,
    "pdp.v1.ReviewService/RevokeApproval": _REVIEWER,
    "pdp.v1.ReviewService/Review": _REVIEWER,
    "pdp.v1.MaskService/Mask": _REQUESTER,
    "pdp.v1.MaskService/MaskStream": _REQUESTER,
    "pdp.v1.MaskService/GetMaskPlan": _REQUESTER,
    "pdp.v1.MaskService/Unmask": _REQUESTER,
    "pdp.v1.MaskService/Rewrap": _REQUESTER,
    "pdp.v1.AuditService/ListRecords": _AUDITOR,
    "pdp.v1.AuditService/GetRecord": _AUDITOR,
    "pdp.v1.AuditService/ExportRecords": _AUDITOR,
    "pdp.v1.InfoService/GetServerInfo": frozenset(),
}
"""Any one of the roles suffices. Only a person reviews, whatever its roles."""
ANYONE = frozenset({"pdp.v1.InfoService/GetServerInfo"})
"""For whoever is authenticated, without a role."""
PERSONS_ONLY = frozenset(rpc for rpc in ROLES if rpc.startswith("pdp.v1.ReviewService/"))


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated identity on the wire, and what its issuer's entry in the configuration lets it do."""

    identity: str
    kind: str
    roles: frozenset[Role]
    groups: tuple[str, ...]
    speaks_for: SpeaksFor
    json: bytes = field(repr=False)
    """`{identity, kind, groups}` as the policy and the log read it."""
    claims: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The verified claims that the issuer's entry lists: texts, numbers, booleans and lists of them."""
    expires_at: float = math.inf
    """When the credential ends, leeway included, in seconds since 1970."""

    @classmethod
    def requester(cls, identity: str) -> "Caller":
        """Whoever opened an approval, as known when somebody else reviews it: only the identity counts then."""
        described = orjson.dumps({"identity": identity, "kind": "", "groups": []})
        return cls(identity, "", frozenset(), (), SpeaksFor(), described)

    def may_call(self, rpc: str) -> None:
        """Raise `NotAllowed` unless the role table lets this caller call `rpc`."""
        if rpc not in ANYONE and not self.roles & ROLES[rpc]:
            wanted = " or ".join(sorted(ROLES[rpc]))
            raise NotAllowed("ROLE_REQUIRED", f"{self.identity} may not call {rpc}: it needs the role {wanted}")
        if rpc in PERSONS_ONLY and self.kind != "person":
            raise NotAllowed("PERSON_REQUIRED", f"{self.identity} may not call {rpc}: only a person reviews")

    def may_speak_for(self, subject: str, chain: Sequence[str]) -> None:
        """Raise `NotAllowed` unless the configuration lets this caller name the subject and the chain."""
        if subject != self.identity and not _covered(subject, self.speaks_for.subjects):
            raise NotAllowed("SUBJECT_NOT_ALLOWED", f"{self.identity} may not ask as another subject")
        for index, principal in enumerate(chain):
            if principal != self.identity and not _covered(principal, self.speaks_for.on_behalf_of):
                raise NotAllowed("SUBJECT_NOT_ALLOWED", f"{self.identity} may not act for on_behalf_of[{index}]")


def _covered(identity: str, patterns: Sequence[str]) -> bool:
    return any(
        pattern in ("*", identity) or (pattern.endswith(":*") and identity.startswith(pattern[:-1]))
        for pattern in patterns
    )


class Authenticator:
    """Verifies tokens of the configured issuers. A verified token is remembered until it expires (148 µs saved)."""

    def __init__(self, issuers: Sequence[Issuer]) -> None:
        self._issuers = {issuer.issuer: (issuer, keys.public_keys(issuer.jwks)) for issuer in issuers}
        self._verified: dict[bytes, tuple[Caller, float]] = {}

    def caller(self, authorization: str) -> Caller:
        """The caller behind an `authorization` header. Raises `Unauthenticated`, without detail, for anything else."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN_BYTES:
            raise Unauthenticated("send a valid token as metadata: authorization: Bearer <token>")
        fingerprint = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(fingerprint)
        if known is None or known[1] < time.time():
            known = self._verify(token)
            self._remember(fingerprint, known)
        return known[0]

    def _remember(self, fingerprint: bytes, known: tuple[Caller, float]) -> None:
        if len(self._verified) >= _MAX_CACHED:
            self._verified.clear()
        self._verified[fingerprint] = known

    def _verify(self, token: str) -> tuple[Caller, float]:
        try:
            issuer, key_set = self._issuers[_unverified_issuer(token)]
            claims = _claims(token, key_set)
            _check(claims, issuer)
            return (caller := _caller(claims, issuer)), caller.expires_at
        except (JoseError, InvalidRequest, ValueError, KeyError, TypeError, IndexError, RecursionError):
            raise Unauthenticated("the token is not valid here; get a new one") from None


def _unverified_issuer(token: str) -> str:
    """Which issuer's keys to try; nothing else is taken from an unverified token."""
    payload = token.split(".")[1]
    return str(orjson.loads(_base64url(payload))["iss"])


def _base64url(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _claims(token: str, key_set: KeySet) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # "EdDSA" is the older name of the same signature
        verified = jwt.decode(token, key_set, algorithms=ALGORITHMS)
    if "crit" in verified.header:  # nothing that could be critical is known here
        raise ValueError
    for part in token.split(".")[:2]:
        json.loads(_base64url(part), object_pairs_hook=_once_each)
    return dict(verified.claims)


def _once_each(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; readers disagree on which of two equal names counts, so there must not be two (RFC 8725)."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError
    return members


def _check(claims: Mapping[str, Any], issuer: Issuer) -> None:
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if claims["iss"] != issuer.issuer or issuer.audience not in audience:
        raise ValueError
    if "act" in claims:  # a delegated token: its chain would be lost here, so it is refused
        raise ValueError
    now = time.time()
    times = {name: _seconds(claims[name]) for name in ("exp", "nbf", "iat") if name in claims}
    if times["exp"] + LEEWAY_SECONDS < now or max(times.get("nbf", 0), times.get("iat", 0)) - LEEWAY_SECONDS > now:
        raise ValueError


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _caller(claims: Mapping[str, Any], issuer: Issuer) -> Caller:
    subject = claims["sub"]
    if not isinstance(subject, str):
        raise TypeError
    identity = f"{issuer.type}:{checked_id(subject, 'sub')}"
    groups = _names(claims, issuer.groups_claim)
    roles = {*issuer.roles, *(Role(name) for name in _names(claims, issuer.roles_claim) if name in _ROLE_NAMES)}
    described = {"identity": identity, "kind": issuer.kind, "groups": groups}
    speaks_for = issuer.speaks_for.get(subject) or issuer.speaks_for.get("*") or SpeaksFor()
    return Caller(
        identity,
        issuer.kind,
        frozenset(roles),
        groups,
        speaks_for,
        orjson.dumps(described),
        claims=known_claims.listed(claims, issuer.claims),
        expires_at=_seconds(claims["exp"]) + LEEWAY_SECONDS,
    )


def _names(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    names = claims.get(claim, []) if claim else []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError
    return tuple(names)

"""Turns a bearer token or a client certificate into a `Caller`, as the configuration says."""

import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import orjson
from cryptography import x509

from pdp.authn.authorities import Authorities, Trusted
from pdp.authn.bearer import MAX_TOKEN_BYTES, REFUSALS, Issuers, Token, verified
from pdp.authn.certificate import Presented
from pdp.authn.jwks import KeySource
from pdp.authn.refusal import Attempt, Notices, Refused
from pdp.caller import Caller, Role
from pdp.canonical import checked_id
from pdp.claims import listed
from pdp.errors import InvalidRequest, Unauthenticated
from pdp.identity_source import Certificates, Issuer, SpeaksFor

_MAX_CACHED = 10_000
"""Verified credentials that are remembered. It bounds the memory; when it is reached, all are forgotten."""
_SIGNED_SECONDS = 60.0
"""Seconds until the signature of a certificate is verified again, in case a certificate between has ended."""
_ROLE_NAMES = frozenset(map(str, Role))


@dataclass(frozen=True, slots=True)
class _Known:
    """A verified credential: its caller, when it is verified again, and what verified it.

    That is the token, which knows its keys, or the authorities of a certificate.
    """

    caller: Caller
    expires: float
    token: Token | None = None
    trusted: Trusted | None = None


class Authenticator:
    """Verifies tokens and certificates as configured.

    A verified credential is remembered, because to verify a token again costs 148 µs. It is forgotten when it expires
    or when the keys that verified it are replaced.
    """

    def __init__(
        self,
        issuers: Sequence[Issuer],
        certificates: Sequence[Certificates] = (),
        clock: Callable[[], float] = time.monotonic,
        authorities: Authorities | None = None,
    ) -> None:
        """`authorities` sign the certificates of clients; without them no certificate counts."""
        self._issuers = {issuer.issuer: (issuer, KeySource(issuer, clock)) for issuer in issuers}
        self._certificates, self._authorities = certificates, authorities
        self._signed: dict[str, tuple[Trusted, float]] = {}
        self._notices = Notices(clock)
        self._known: dict[bytes, _Known] = {}

    @property
    def issuers(self) -> Issuers:
        """The issuers of tokens, by name, and where their keys are."""
        return self._issuers

    @property
    def sources(self) -> list[KeySource]:
        """The sources of the issuers' keys."""
        return [source for _, source in self._issuers.values()]

    async def has_keys(self) -> bool:
        """Whether there are keys for the tokens of every issuer."""
        return all(source.keys for source in self.sources)

    def health(self) -> dict[str, Callable[[], Awaitable[bool]]]:
        """Whether there are keys for the tokens of every issuer (`issuers`), and of each one (`issuers/<type>`)."""

        def of(source: KeySource) -> Callable[[], Awaitable[bool]]:
            async def has_keys() -> bool:
                return bool(source.keys)

            return has_keys

        each = {f"issuers/{issuer.type}": of(source) for issuer, source in self._issuers.values()}
        return {"issuers": self.has_keys, **each}

    async def caller(self, authorization: str | None, certificate: bytes = b"", chain: bytes = b"") -> Caller:
        """The caller behind an `authorization` header and the certificate of the connection, in PEM like its chain.

        If there is a header, it alone decides who calls. Raises `Unauthenticated`, without detail, if the credential
        does not prove a caller.
        """
        if authorization is None and certificate:
            return (await self._remembered(certificate, lambda pem: self._by_certificate(pem, chain))).caller
        try:
            credential = _bearer(authorization)
        except Refused as error:
            self._notices.say(f"a call was refused: {error}")
            raise Unauthenticated("send a valid token, as in authorization: Bearer <token>") from None
        known = await self._remembered(credential, self._by_token)
        if known.token is not None and known.token.bound_to:
            self._require_bound(known.token, certificate, chain)
        if certificate and not known.caller.requires_digest:
            return replace(known.caller, requires_digest=self._certificate_requires_digest(certificate, chain))
        return known.caller

    def _certificate_requires_digest(self, pem: bytes, chain: bytes) -> bool:
        """Whether the certificate is of an entry that requires digests: a token beside it does not lift that."""
        if not any(entry.require_digest for entry in self._certificates):
            return False
        try:
            entry, _ = self._presented(pem, chain)[0].named_by(self._certificates)
        except (ValueError, InvalidRequest, x509.DuplicateExtension):
            return False  # it names nobody here, so no entry covers it
        return entry.require_digest

    async def token(self, text: str) -> Token:
        """A token that is valid here, with any sender. Raises `Unauthenticated`, without detail, if it is not."""
        try:
            credential = _bearer(f"Bearer {text}")
        except Refused as error:
            self.refuse(f"a login was refused: {error}")
        known = await self._remembered(credential, self._by_token)
        assert known.token is not None  # noqa: S101  # a token verified it
        return known.token

    def of_claims(self, claims: Mapping[str, Any]) -> Caller:
        """The caller behind claims that were verified before, as configured today. Raises `Unauthenticated`."""
        issuer, _ = self._issuers.get(str(claims.get("iss")), (None, None))
        if issuer is None or issuer.kind != "person":
            self.refuse("a session was refused: its issuer is not configured any more, or vouches for no people")
        return _of_claims(claims, issuer)

    def refuse(self, why: str) -> NoReturn:
        """Log why a credential is refused, and raise `Unauthenticated`, which does not say it."""
        self._notices.say(why)
        raise Unauthenticated("the token is not valid here; get a new one")

    async def _remembered(self, credential: bytes, verify: Callable[[bytes], Awaitable[_Known]]) -> _Known:
        fingerprint = hashlib.sha256(credential).digest()
        known = self._known.get(fingerprint)
        if known is None or known.expires < time.time() or self._is_replaced(known):
            if len(self._known) >= _MAX_CACHED:
                self._known.clear()
            self._known.pop(fingerprint, None)
            known = self._known[fingerprint] = await verify(credential)
        return known

    def _is_replaced(self, known: _Known) -> bool:
        """Whether the keys or authorities that verified a credential are no longer in force."""
        if known.token is not None:
            return self._issuers[known.token.issuer.issuer][1].keys is not known.token.keys
        return self._authorities is None or self._authorities.trusted is not known.trusted

    async def _by_token(self, credential: bytes) -> _Known:
        attempt = Attempt()
        try:
            token = await verified(credential.decode(), self._issuers, attempt)
            attempt.step = "`sub` is not an id, or a roles or groups claim is neither a text nor a list of texts"
            caller = replace(self._delegated(token), expires_at=token.expires)
        except REFUSALS as error:
            self._notices.say(attempt.refused(error))
            raise Unauthenticated("the token is not valid here; get a new one") from None
        if caller.claims_elsewhere:
            names = ", ".join(caller.claims_elsewhere)
            self._notices.say(
                f"the token of {caller.identity!a} names {names} only by reference, as an issuer does with too "
                "many groups: none of them counts; have the issuer put fewer into the token"
            )
        return _Known(caller, token.expires, token)

    async def _by_certificate(self, pem: bytes, chain: bytes) -> _Known:
        try:
            presented, trusted = self._presented(pem, chain)
            entry, sub = presented.named_by(self._certificates)
            caller = _caller(entry, sub, entry.groups, entry.roles)
            until = min(presented.expires, time.time() + _SIGNED_SECONDS)
            return _Known(replace(caller, expires_at=presented.expires), until, trusted=trusted)
        except (ValueError, InvalidRequest, x509.DuplicateExtension) as error:
            why = error if isinstance(error, Refused) else "it cannot be read, or its name is not an id"
            self._notices.say(f"a client certificate was refused: {why}")
            raise Unauthenticated("the certificate is not valid here; get another, or send a token") from None

    def _delegated(self, token: Token) -> Caller:
        """The current actor as the caller. The other actors and the subject are vouched for (RFC 8693, section 4.1)."""
        if not token.actors:
            return _of_claims(token.claims, token.issuer)
        current, *earlier = token.actors
        vouched = [self._principal(claims) for claims in (*earlier, token.claims)]
        actor = _of_claims(current, self._issuers[current["iss"]][0])
        behind = (token.issuer, *(self._issuers[claims["iss"]][0] for claims in token.actors))
        requires_digest = any(entry.require_digest for entry in behind)
        may_search = all(entry.may_search for entry in behind)
        return replace(actor, vouched=tuple(vouched), requires_digest=requires_digest, may_search=may_search)

    def _presented(self, pem: bytes, chain: bytes) -> tuple[Presented, Trusted]:
        """A certificate that is valid now, and the authorities of today, one of which signed it.

        Raises `ValueError` if it is not valid, or none signed it.
        """
        presented = Presented.read(pem)
        if self._authorities is None:
            raise Refused("the configuration has no tls.client_ca")
        trusted, now = self._authorities.trusted, time.time()
        by, until = self._signed.get(presented.thumbprint, (None, 0.0))
        if by is not trusted or until < now:
            trusted = self._authorities.require_signed(presented.certificate, chain)
            if len(self._signed) >= _MAX_CACHED:
                self._signed.clear()
            self._signed[presented.thumbprint] = (trusted, now + _SIGNED_SECONDS)
        return presented, trusted

    def _require_bound(self, token: Token, certificate: bytes, chain: bytes) -> None:
        """Require that the client of a bound token holds the key of the certificate that it names (RFC 8705)."""
        try:
            thumbprint = self._presented(certificate, chain)[0].thumbprint
        except (ValueError, x509.DuplicateExtension):
            thumbprint = ""
        if not hmac.compare_digest(thumbprint.encode(), token.bound_to.encode()):
            attempt = Attempt(token.issuer.issuer, token.key_id)
            self._notices.say(attempt.refused(Refused("it came without the certificate that its `cnf` names")))
            raise Unauthenticated("the token is not valid here; get a new one")

    def _principal(self, claims: Mapping[str, Any]) -> tuple[str, str]:
        return self._issuers[claims["iss"]][0].type, _sub(claims)


def _bearer(authorization: str | None) -> bytes:
    """The token in an `authorization` header. Raises `Refused` if it holds none that could be read."""
    if authorization is None:
        raise Refused("neither a token nor a client certificate came")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused("its `authorization` is not `Bearer <token>`, once")
    if not token.isascii():
        raise Refused("its token has bytes that no token has")
    if len(token) > MAX_TOKEN_BYTES:
        raise Refused(f"its token is larger than {MAX_TOKEN_BYTES} bytes; have the issuer put less into it")
    return token.encode()


def _of_claims(claims: Mapping[str, Any], issuer: Issuer) -> Caller:
    roles = {*issuer.roles, *(Role(name) for name in _names(claims, issuer.roles_claim) if name in _ROLE_NAMES)}
    caller = _caller(issuer, _sub(claims), _names(claims, issuer.groups_claim), roles)
    return replace(caller, claims=listed(claims, issuer.claims), claims_elsewhere=_elsewhere(claims, issuer))


def _elsewhere(claims: Mapping[str, Any], issuer: Issuer) -> tuple[str, ...]:
    """The claims that count here and that the token only refers to (OpenID Connect Core, section 5.6.2)."""
    referred = claims.get("_claim_names")
    names = set(referred) if isinstance(referred, dict) else set()
    if claims.get("hasgroups"):  # Entra's word for the same
        names.add(issuer.groups_claim)
    wanted = dict.fromkeys(filter(None, (issuer.roles_claim, issuer.groups_claim, *issuer.claims)))
    return tuple(name for name in wanted if name in names and name not in claims)


def _caller(entry: Issuer | Certificates, sub: str, groups: Sequence[str], roles: Iterable[Role]) -> Caller:
    identity = f"{entry.type}:{checked_id(sub, 'sub')}"
    described = {"identity": identity, "kind": entry.kind, "groups": groups}
    speaks_for = entry.speaks_for.get(sub) or entry.speaks_for.get("*") or SpeaksFor()
    return Caller(
        identity,
        entry.kind,
        frozenset(roles),
        tuple(groups),
        orjson.dumps(described),
        may_ask_as=speaks_for.subjects,
        may_act_for=speaks_for.on_behalf_of,
        requires_digest=entry.require_digest,
        may_search=entry.may_search,
    )


def _sub(claims: Mapping[str, Any]) -> str:
    if not isinstance(claims["sub"], str):
        raise TypeError
    return checked_id(claims["sub"], "sub")


def _names(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    """The texts of a claim. One text is a list of one: some issuers write it so."""
    names = claims.get(claim, []) if claim else []
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError
    return tuple(names)

"""Verifies a bearer token (JWT, RFC 7519 and 8725): its signature, issuer, audience, times and shape.

A token that is not valid raises one of `REFUSALS`. Why is for the server's log only: `Attempt.refused` says it.
"""

import json
import time
import warnings
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import orjson
from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError, SecurityWarning, UnsupportedAlgorithmError
from joserfc.jwk import Key

from pdp.authn.jwks import KEY_OF, Keys, KeySource, kind_of
from pdp.authn.refusal import Attempt, Refused
from pdp.errors import InvalidRequest
from pdp.identity_source import Issuer

LEEWAY_SECONDS = 30
"""Seconds by which the clocks of issuer and server may differ."""
MAX_TOKEN_BYTES = 8 * 1024
"""Bytes of a token. It bounds what is parsed before a signature is verified."""
MAX_ACTORS = 8
"""Levels of `act` inside `act` (RFC 8693). It bounds the chain that one token can claim."""
_TYPES = frozenset({"at+jwt", "jwt"})
"""What a token may call itself in `typ`, in lower case and without `application/` (RFC 9068; RFC 7519, section 5.1)."""
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
Issuers: TypeAlias = Mapping[str, tuple[Issuer, KeySource]]
"""The issuers that are configured, by name, and where their keys are."""
REFUSALS = (JoseError, InvalidRequest, ValueError, KeyError, TypeError, IndexError, RecursionError)


@dataclass(frozen=True, slots=True)
class Token:
    """A verified token, with its issuer and the keys that verified it."""

    claims: Mapping[str, Any]
    issuer: Issuer
    keys: Keys
    actors: tuple[Mapping[str, Any], ...]
    """The actors, each an `act` with `iss` and `sub`, the current one first; empty if nobody acts for the subject."""
    bound_to: str
    """`cnf` (RFC 8705): the thumbprint of the only certificate with which the token may come; empty for any."""
    expires: float
    key_id: str = ""
    """The id of the key that signed it, as its header has it."""


async def verified(token: str, issuers: Issuers, attempt: Attempt) -> Token:
    """The token, if it is a valid token of one of `issuers` for this server. Raises one of `REFUSALS` if it is not.

    If the token names an unknown key, the issuer's keys are fetched again, once. `attempt` is told how far it got.
    """
    claims, issuer, keys = await signed(token, issuers, attempt, _require_token)
    attempt.step = "`aud`, `exp`, `nbf` or `iat` is missing or of another type than RFC 7519 says"
    check(claims, issuer)
    attempt.step = "`act` or `cnf` is of a form that this server does not know"
    expires = float(claims["exp"]) + LEEWAY_SECONDS
    return Token(claims, issuer, keys, _actors(claims, issuer), _bound_to(claims), expires, attempt.key_id)


async def signed(
    token: str, issuers: Issuers, attempt: Attempt, require: Callable[[str, Mapping[str, Any]], None]
) -> tuple[Mapping[str, Any], Issuer, Keys]:
    """The claims that an issuer signed, with the issuer and the keys. Raises one of `REFUSALS` for anything else.

    `require` gets the `typ` in short, and the claims, and raises `Refused` if they are of another purpose.
    """
    header, payload = map(_object, token.split(".")[:2])
    kid = header.get("kid")
    attempt.issuer, attempt.key_id = str(payload.get("iss", "")), str(kid or "")
    attempt.step = "no issuer of this name is configured"
    issuer, source = issuers[payload["iss"]]  # nothing else is taken from it before its signature is verified
    if _key(kid, source.keys) is None and isinstance(kid, str):
        await source.renewed()
    keys = source.keys
    attempt.step = "it is not a signed JWT, or its header asks for what this server does not know"
    kind, claims = _claims(token, _key(kid, keys) or _no_key(keys), issuer)
    require(kind, claims)
    return claims, issuer, keys


def _object(part: str) -> dict[str, Any]:
    """A JSON object in UTF-8. `json` alone would also accept NaN, UTF-16 and numbers of any size."""
    raw = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if not isinstance(orjson.loads(raw), dict):
        raise TypeError
    return dict(json.loads(raw, object_pairs_hook=_once_each))


def _once_each(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object in which no name occurs twice: readers disagree on which one counts (RFC 8725)."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError
    return members


def _key(kid: object, keys: Keys) -> Key | None:
    """The key with the name `kid`. Without a name, the issuer's only key."""
    if kid is None:
        return next(iter(keys.values())) if len(keys) == 1 else None
    return keys.get(kid) if isinstance(kid, str) else None


def _no_key(keys: Keys) -> NoReturn:
    raise Refused("the issuer has no key of this id" if keys else "there are no keys of this issuer now")


def _claims(token: str, key: Key, issuer: Issuer) -> tuple[str, Mapping[str, Any]]:
    takes = [name for name in issuer.algorithms if KEY_OF[name] == kind_of(key) and key.alg in (None, name)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # "EdDSA" is the older name of the same signature
        try:
            read = jwt.decode(token, key, algorithms=takes or [""])
        except BadSignatureError:
            raise Refused("its signature is not of this key") from None
        except UnsupportedAlgorithmError:
            listed = ", ".join(takes) or "none"
            raise Refused(f"its `alg` does not fit; the issuer's entry and this key allow {listed}") from None
    if "crit" in read.header:
        raise ValueError
    typ = read.header.get("typ", "JWT")
    return typ.lower().removeprefix("application/") if isinstance(typ, str) else "", dict(read.claims)


def _require_token(kind: str, claims: Mapping[str, Any]) -> None:
    """Raise `Refused` for what an issuer signs for another purpose: a logout or another event, a grant, a proof."""
    if kind not in _TYPES:
        raise Refused("its `typ` is not of a token: at+jwt, JWT or none")
    if "events" in claims:
        raise Refused("it tells of events (RFC 8417), so it is not a token of a caller")


def check(claims: Mapping[str, Any], issuer: Issuer) -> None:
    """Raise one of `REFUSALS` unless the claims are for this server, and now."""
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    wanted = {issuer.audience} if isinstance(issuer.audience, str) else set(issuer.audience)
    if claims["iss"] != issuer.issuer or wanted.isdisjoint(audience):
        raise Refused(f"its `aud` is another; the issuer's entry says {', '.join(sorted(wanted))}")
    now = time.time()
    times = {name: _seconds(claims[name]) for name in ("exp", "nbf", "iat") if name in claims}
    if (late := now - times["exp"]) > LEEWAY_SECONDS:
        raise Refused(f"it ended {_age(late)} ago")
    if (early := max(times.get("nbf", 0), times.get("iat", 0)) - now) > LEEWAY_SECONDS:
        raise Refused(f"it begins in {_age(early)}; look at the clocks of issuer and server")
    longest = issuer.max_token_seconds + (0 if "iat" in times else LEEWAY_SECONDS)
    if (life := times["exp"] - times.get("iat", now)) > longest:
        raise Refused(f"it lives for {_age(life)}; the issuer's entry allows {_age(issuer.max_token_seconds)}")


def _age(seconds: float) -> str:
    """A length of time in the largest unit that fits, so that the refusals of one old token read alike."""
    unit, name = next((unit for unit in _UNITS if seconds >= unit[0]), _UNITS[-1])
    return f"{seconds // unit:.0f} {name}"


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _actors(claims: Mapping[str, Any], issuer: Issuer) -> tuple[Mapping[str, Any], ...]:
    """Each `act` with its `iss` filled in. It may name another issuer only if the configured `actors` list that one."""
    actors: list[Mapping[str, Any]] = []
    within = claims
    while "act" in within:
        within = within["act"]
        if not isinstance(within, dict) or len(actors) == MAX_ACTORS:
            raise ValueError
        actor = {"iss": issuer.issuer, **within}
        if actor["iss"] not in (issuer.issuer, *issuer.actors):
            raise ValueError
        actors.append(actor)
    return tuple(actors)


def _bound_to(claims: Mapping[str, Any]) -> str:
    """The thumbprint in `cnf`. Raises `ValueError` for another confirmation, because it cannot be checked."""
    if "cnf" not in claims:
        return ""
    bound = claims["cnf"]
    if set(bound) != {"x5t#S256"} or not isinstance(bound["x5t#S256"], str) or not bound["x5t#S256"]:
        raise ValueError
    return str(bound["x5t#S256"])

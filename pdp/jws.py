"""Compact JWS (RFC 7515) by Ed25519 keys: the form of grants and of seals."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry

ALGORITHM = "EdDSA"
"""The name of the algorithm that is written. Common libraries know it, and most of them only this one."""
NAMES = (ALGORITHM, "Ed25519")
"""The names that are read: of RFC 8037, and of RFC 9864, which replaces it. Both name one signature."""


class _Ed25519(JWSRegistry):
    """Ed25519 under both names. `joserfc` takes Ed448 too for the older name, and warns of it at each use."""

    def get_alg(self, name: str) -> JWSAlgModel:
        if name not in NAMES:
            raise UnsupportedAlgorithmError
        return JWSRegistry.algorithms["Ed25519"]


_REGISTRY = _Ed25519()


def signed(kind: str, claims: Mapping[str, Any], key: OKPKey, algorithm: str = ALGORITHM) -> str:
    """The claims, signed. `kind` is the `typ`. Equal arguments give equal text."""
    return jwt.encode({"alg": algorithm, "typ": kind, "kid": key.kid}, dict(claims), key, registry=_REGISTRY)


def header(text: str) -> dict[str, Any]:
    """The header, which nobody has verified. Raises `ValueError` if there is none."""
    first = text.partition(".")[0]
    try:
        members = json.loads(urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (ValueError, RecursionError):
        raise ValueError("not a JOSE header") from None
    if not isinstance(members, dict):
        raise ValueError("not a JOSE header")  # noqa: TRY004  # bad text, not a bad type
    return members


def claims(text: str, key: OKPKey) -> dict[str, Any]:
    """The claims that this key signed. Raises `ValueError` if it did not."""
    members = key.as_dict(private=False)
    plain = OKPKey.import_key({name: str(members[name]) for name in ("kty", "crv", "x")})
    try:
        return dict(jwt.decode(text, plain, registry=_REGISTRY).claims)
    except (JoseError, TypeError, RecursionError):
        raise ValueError("not signed by this key") from None

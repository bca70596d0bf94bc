"""Tokens beyond those of the demo people, signed like theirs."""

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import SecurityWarning

from pdp import keys
from pdp.dev.identity import AGENTS, AUDIENCE, USERS, key_path

Metadata = tuple[tuple[str, str], ...]


def claims(identity: str, **changes: Any) -> dict[str, Any]:
    """Good claims for `<type>:<sub>`; a change to None leaves that claim out."""
    kind, _, sub = identity.partition(":")
    now = int(time.time())
    good = {
        "iss": USERS if kind == "user" else AGENTS,
        "aud": AUDIENCE,
        "sub": sub,
        "iat": now,
        "exp": now + 900,
        "roles": ["requester"],
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def signed(state: Path, members: dict[str, Any], **header: Any) -> str:
    key = keys.private_key(key_path(state))
    protected = {"alg": "Ed25519", "kid": key.kid, **header}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.encode(protected, members, key, algorithms=["Ed25519", "EdDSA"])


def bearer(token: str) -> Metadata:
    return (("authorization", f"Bearer {token}"),)


def metadata(state: Path, identity: str, *roles: str, **changes: Any) -> Metadata:
    """Call metadata of anybody with these roles."""
    return bearer(signed(state, claims(identity, roles=list(roles), **changes)))


def counting(made: Callable[[], str]) -> tuple[Callable[[], str], list[str]]:
    """A source of tokens, and those that it has given."""
    seen: list[str] = []

    def source() -> str:
        seen.append(made())
        return seen[-1]

    return source, seen

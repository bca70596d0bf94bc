"""What a passkey signs of a verdict: a statement, whose hash is WebAuthn's challenge. Pure.

1. The statement is the RFC 8785 form of {approval, digest, lineage, nonce, reason, reviewer, verdict, version}:
   `lineage` is the digest of what was displayed of the data (empty where nothing was), `reason` that of the words.
2. The challenge is SHA-256 of `placet/<realm>/verdict/v1`, a line feed and the statement. So a signature is for one
   verdict of one person on what was displayed, in one deployment, and, by the nonce, for one time.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

import orjson


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a passkey signed of a verdict: the statement as JSON, and WebAuthn's own parts in unpadded base64url."""

    credential_id: str
    statement: str
    authenticator_data: str
    client_data: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The verdict that is signed, with the hash of its words in their place."""

    approval: str
    digest: str
    lineage: str
    nonce: str
    reason: str
    reviewer: str
    verdict: str
    version: int

    @property
    def text(self) -> str:
        """The statement in the form that is hashed."""
        return _canonical({name: getattr(self, name) for name in MEMBERS})


MEMBERS = ("approval", "digest", "lineage", "nonce", "reason", "reviewer", "verdict", "version")
"""The members of a statement, all of which it has."""


def challenge(realm: str, statement: str) -> bytes:
    """What a passkey is asked to sign for a statement."""
    return sha256(f"placet/{realm}/verdict/v1\n{statement}".encode()).digest()


def adding_challenge(realm: str, nonce: str, credential_id: str = "") -> bytes:
    """What a new passkey is asked to sign; with its id, what another passkey signs that lets it in."""
    members = _canonical({"credential": credential_id, "nonce": nonce})
    return sha256(f"placet/{realm}/passkey/v1\n{members}".encode()).digest()


def linking_challenge(realm: str, nonce: str, account: str) -> bytes:
    """What a passkey is asked to sign for the link of an account."""
    members = _canonical({"account": account, "nonce": nonce})
    return sha256(f"placet/{realm}/link/v1\n{members}".encode()).digest()


def reason_hash(reason: str) -> str:
    """What stands for a reviewer's words, which may be erased."""
    return encoded(sha256(reason.encode()).digest())


def nonce_of(statement: str) -> str:
    """The nonce of a statement; empty where it has none that is a text."""
    try:
        members = orjson.loads(statement)
    except ValueError:
        return ""
    nonce = members.get("nonce") if isinstance(members, dict) else None
    return nonce if isinstance(nonce, str) else ""


def encoded(raw: bytes) -> str:
    """Unpadded base64url."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """The inverse of `encoded`. Raises `ValueError`."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _canonical(members: dict[str, str | int]) -> str:
    """The RFC 8785 form of texts and whole numbers under ASCII names, which is orjson's."""
    return orjson.dumps(members, option=orjson.OPT_SORT_KEYS).decode()
